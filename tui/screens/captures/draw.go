package captures

import (
	"fmt"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

func (c *screen) View(w, h int) string {
	c.height = h - 1
	switch {
	case w >= 100:
		left := min(60, w*2/5)
		return kit.Beside(c.o.Theme, c.left(left, h), c.right(w-left-1, h))
	case c.inside:
		return c.right(w, h)
	}
	return c.left(w, h)
}

func (c *screen) left(w, h int) string {
	say := func(s theme.Style, text string) string {
		return kit.NewLine(c.o.Theme, w).Say(theme.Plain, " ").Put(s, safe.Line(text, max(0, w-2))).String()
	}
	rows := []string{say(theme.Heading, fmt.Sprintf("CAPTURES %d", len(c.files)))}
	rows = append(rows, c.choose.Head(c.o.Theme, c.sifted.String(), w)...)
	rows = append(rows, kit.Unjudged(c.o.Theme, c.sifted.Unjudged, c.sifted.Why, "files", w)...)
	switch {
	case c.err != "":
		rows = append(rows, say(theme.Bad, c.err))
	case !c.asked:
		rows = append(rows, say(theme.Dim, "reading the folder …"))
	case len(c.shown) == 0 && len(c.files) > 0:
		rows = append(rows, say(theme.Dim, "No file matches the filter. esc lifts it."))
	case len(c.files) == 0:
		rows = append(rows, say(theme.Plain, ""), say(theme.Plain, "No captures in "+c.s.CaptureDir), say(theme.Plain, "b in Tail records one;"),
			say(theme.Plain, "iscope capture writes one."))
	}
	from, to := c.list.Window(len(c.shown), h-len(rows))
	for i := from; i < to; i++ {
		f := &c.files[c.shown[i]]
		l := kit.NewLine(c.o.Theme, w).Say(theme.Plain, " ")
		mark, style := " ", theme.Plain
		if f.Error != "" {
			mark, style = c.o.Theme.Glyph(theme.Failed), theme.Bad
		} else if f.Open {
			mark, style = c.o.Theme.Glyph(theme.Rec), theme.Warn
		}
		l.Say(style, mark+" ").Put(theme.Plain, safe.Line(f.Name, max(8, w-14)))
		l.Gap(9).ColRight(theme.Dim, kit.Text(fmt.Sprint(f.Info.Records)), 8)
		rows = append(rows, pick(l, i == c.list.Cursor && !c.inside))
	}
	return kit.Lay(rows, w, h)
}

func pick(l *kit.Line, on bool) string {
	if on {
		return l.Selected()
	}
	return l.String()
}

func (c *screen) right(w, h int) string {
	f, ok := c.current()
	if !ok {
		return kit.Lay(nil, w, h)
	}
	p := &kit.Page{Theme: c.o.Theme, W: w}
	p.Add(theme.Heading, "%s", f.Name)
	if f.Error != "" {
		p.Failure(f.Error, "")
		return kit.Lay(p.Rows, w, h)
	}
	c.about(p, &f)
	rows := p.Rows
	if c.file.path == f.Path && c.inside {
		rows = append(rows, c.preview(w, h-len(rows))...)
	} else {
		rows = append(rows, kit.NewLine(c.o.Theme, w).Say(theme.Dim, " enter shows the records, r plans a replay").String())
	}
	return kit.Lay(rows, w, h)
}

// about is what a file says of itself.
func (c *screen) about(p *kit.Page, f *session.CaptureFile) {
	i := &f.Info
	p.Wrap(theme.Plain, "", fmt.Sprintf("%d records, %d bytes, %s to %s", i.Records, f.Size,
		i.First.UTC().Format(time.DateTime), i.Last.UTC().Format("15:04:05Z")))
	p.Wrap(theme.Dim, "", fmt.Sprintf("recorded in %s (class %s) by iscope %s", i.Environment, i.Class, i.Version))
	p.Wrap(theme.Dim, "redaction: ", i.Redaction)
	if !i.Complete {
		p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", "not finished: it is being written, or was cut off")
	}
	for n, ch := range i.Channels {
		if n == mostChannels && len(i.Channels) > n+1 {
			p.Add(theme.Dim, "%8s  and %d more subjects", "", len(i.Channels)-n)
			break
		}
		p.Add(theme.Plain, "%8d  %s/%s", ch.Records, ch.Target, ch.Subject)
	}
}

// mostChannels is how many subjects of a file are named.
const mostChannels = 5

// preview lists the first records; the one under the cursor is laid out below.
func (c *screen) preview(w, h int) []string {
	p := &c.file
	rows := c.filter.Head(c.o.Theme, c.count(), w)
	rows = append(rows, kit.Unjudged(c.o.Theme, p.Unjudged, p.Why, "records", w)...)
	if len(rows) == 0 {
		rows = append(rows, kit.NewLine(c.o.Theme, w).String())
	}
	page := kit.Page{Theme: c.o.Theme, W: w}
	switch {
	case p.Err != nil:
		page.Failure(p.Err.Error(), probes.HintOf(p.Err))
	case len(p.Records) == 0 && p.reading:
		page.Add(theme.Dim, "reading %s", c.o.Theme.Glyph(theme.Ellipsis))
	case len(p.Records) == 0 && c.filter.Text != "":
		page.Add(theme.Dim, "Nothing matches the filter. esc lifts it.")
	}
	rows = append(rows, page.Rows...)
	c.height = max(1, min(len(p.Records), (h-len(rows))/2))
	from, to := c.record.Window(len(p.Records), c.height)
	for i := from; i < to; i++ {
		rows = append(rows, pick(c.recordRow(i, w), i == c.record.Cursor))
	}
	if p.More && to == len(p.Records) {
		rows = append(rows, kit.NewLine(c.o.Theme, w).Say(theme.Dim, c.rest()).String())
	}
	if c.record.Cursor < len(p.Records) && h-len(rows) > 2 {
		r := &p.Records[c.record.Cursor]
		rows = append(rows, kit.NewLine(c.o.Theme, w).String())
		id := uint64(p.asked)<<32 | uint64(c.record.Cursor)
		rows = append(rows, strings.Split(c.pane.View(r, id, kit.Origin{Reading: c.s.Reading(r.Source.Target), Stored: true}, w, h-len(rows)), "\n")...)
	}
	return rows
}

func (c *screen) recordRow(i, w int) *kit.Line {
	r := &c.file.Records[i]
	at := r.Time
	if at.IsZero() {
		at = r.Seen
	}
	l := kit.NewLine(c.o.Theme, w).Say(theme.Dim, fmt.Sprintf(" %5d ", i+1)).Col(theme.Dim, kit.Text(at.UTC().Format("15:04:05.000")), 12)
	subject := min(24, w/4)
	l.Col(theme.Plain, kit.Text(r.Kind.String()), 8).Col(theme.Plain, safe.Line(r.Source.Subject, subject), subject)
	return l.Put(theme.Plain, safe.Line(c.chain.Brief(c.s.Context(), r, c.s.EnvOf(r), 4*l.Left()+64), l.Left()))
}

// count is what the filter leaves, as far as the file was looked through.
func (c *screen) count() string {
	p := &c.file
	text := fmt.Sprintf("%d of %d match", len(p.Records), p.Looked)
	switch {
	case p.reading:
		return "looking " + c.o.Theme.Glyph(theme.Ellipsis)
	case p.More:
		text += " so far"
	}
	if p.Unjudged > 0 {
		text += fmt.Sprintf(", %d unjudged", p.Unjudged)
	}
	return text
}

func (c *screen) rest() string {
	if len(c.file.Records) == session.PreviewRecords {
		return fmt.Sprintf(" the first %d are shown", session.PreviewRecords)
	}
	return fmt.Sprintf(" looking through the file took too long; %d records were looked at", c.file.Looked)
}
