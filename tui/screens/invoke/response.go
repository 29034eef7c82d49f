package invoke

import (
	"context"
	"fmt"
	"strings"
	"time"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// response is what of a call is looked at.
type response struct {
	pinned *call // an earlier call, taken up from the history
	tab    int
	moved  bool   // the cursor stays where it was put
	cursor uint64 // sequence in the call's ring
	inBody bool   // the movement keys scroll the text
	scroll kit.Scroll

	body    []func(w int) string // lines of the record shown, made when it changed
	made    int                  // tab for which they were made
	madeFor *call
	madeAt  uint64
	height  int // of the text in the last View
}

var tabs = [...]string{"Messages", "Headers", "Trailers", "Facts"}

const (
	tabMessages = iota
	tabHeaders
	tabTrailers
	tabFacts
)

func (r *response) reset() { *r = response{tab: r.tab} }

func (r *response) turn(by int) {
	r.tab = (r.tab + by + len(tabs)) % len(tabs)
	r.scroll, r.body = kit.Scroll{}, nil
}

func (v *screen) navResponse(n kit.Nav) {
	r := &v.resp
	c := v.call()
	if c == nil {
		return
	}
	if n == kit.Enter {
		r.inBody = !r.inBody
		return
	}
	if r.inBody || r.tab != tabMessages {
		r.scroll.Nav(n, len(r.body), max(1, r.height))
		return
	}
	ring := c.progress().ring
	delta, ok := n.Delta(max(1, v.height[onResponse]))
	if !ok || ring == nil {
		return
	}
	s := ring.Stats()
	at := int(r.at(c)) + delta
	r.cursor = uint64(max(int(s.First), min(at, int(s.Next)-1)))
	r.moved, r.scroll = true, kit.Scroll{}
}

// at is the sequence that is looked at: the newest answer unless another one was
// chosen, or the end of a call that was answered with an error.
func (r *response) at(c *call) uint64 {
	p := c.progress()
	if p.ring == nil {
		return 0
	}
	s := p.ring.Stats()
	if r.moved || s.Next == s.First {
		return max(r.cursor, s.First)
	}
	if p.end != nil && p.end.Err != "" && len(p.end.Body) > 0 {
		return s.Next - 1
	}
	for seq := s.Next; seq > s.First && seq+4 > s.Next; seq-- {
		if rec, ok := p.ring.At(seq - 1); ok && rec.Kind == probes.Response {
			return seq - 1
		}
	}
	return s.Next - 1
}

func (r *response) record(c *call) (probes.Record, bool) {
	ring := c.progress().ring
	if ring == nil {
		return probes.Record{}, false
	}
	return ring.At(r.at(c))
}

// outcome is how a call stands, in a word.
func outcome(th theme.Theme, p *progress) (safe.Text, theme.Style) {
	switch {
	case !p.over:
		return kit.Text(th.Glyph(theme.Follow) + " in flight"), theme.Accent
	case p.err != "":
		return kit.Text(th.Glyph(theme.Failed) + " failed"), theme.Bad
	case p.end == nil:
		return kit.Text(th.Glyph(theme.Unknown) + " no end"), theme.Warn
	}
	status, _ := p.end.Attr(probes.AttrStatus)
	if status == "" {
		status = "done"
	}
	if p.end.Err != "" {
		return safe.Line(th.Glyph(theme.Failed)+" "+status, 24), theme.Bad
	}
	return safe.Line(th.Glyph(theme.OK)+" "+status, 24), theme.Good
}

func (v *screen) responsePane(w, h int) string {
	th := v.o.Theme
	c := v.call()
	title := theme.Heading
	if v.pane == onResponse {
		title = theme.Reverse
	}
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Say(title, "RESPONSE")
	if c == nil {
		text := "  not called yet: s sends"
		if v.draft() == nil {
			text = "  no method is chosen"
		}
		return kit.Lay([]string{head.String(), kit.NewLine(th, w).Say(theme.Dim, text).String()}, w, h)
	}
	p := c.progress()
	word, style := outcome(th, &p)
	head.Say(theme.Plain, "  ").Put(style, word).Say(theme.Plain, "  "+v.took(&p)).
		Say(theme.Dim, fmt.Sprintf("  %d sent, %d received, %s", p.sent, p.received, size(p.bytes)))
	rows := []string{head.String(), v.timings(&p, w)}
	rows = append(rows, v.trouble(&p, w)...)
	rows = append(rows, v.tabRow(&p, w))
	return kit.Lay(append(rows, v.answers(c, &p, w, h-len(rows))...), w, h)
}

// took is how long the call took, as the driver measured it where it did.
func (v *screen) took(p *progress) string {
	if p.end != nil {
		if ms, ok := p.end.Attr(probes.TimingTotal); ok {
			return safe.Line(ms, 12).String() + " ms"
		}
	}
	to := p.finished
	if !p.over {
		to = v.o.Now()
	}
	return max(0, to.Sub(p.began)).Round(100 * time.Millisecond).String()
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// timings are the phases in milliseconds; one that did not happen is a dash.
func (v *screen) timings(p *progress, w int) string {
	l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ")
	for _, t := range [...][2]string{{"dns", probes.TimingDNS}, {"connect", probes.TimingConnect}, {"tls", probes.TimingTLS},
		{"first byte", probes.TimingFirstByte}, {"total", probes.TimingTotal}} {
		value := safe.Text{}
		if p.end != nil {
			s, _ := p.end.Attr(t[1])
			value = safe.Line(s, 10)
		}
		if value.Width() == 0 {
			value = kit.Text(v.o.Theme.Glyph(theme.Dash))
		}
		l.Say(theme.Dim, t[0]+" ").Put(theme.Plain, value).Say(theme.Plain, "  ")
	}
	return l.Say(theme.Dim, "ms").String()
}

// trouble is why a call failed or how it was answered, and what to do.
func (v *screen) trouble(p *progress, w int) (rows []string) {
	th := v.o.Theme
	add := func(s theme.Style, head, text string) {
		for i, piece := range kit.Wrap(text, w-len(head)-4) {
			l := kit.NewLine(th, w).Say(theme.Plain, " ")
			if i == 0 {
				l.Say(s, head)
			} else {
				l.Say(theme.Plain, strings.Repeat(" ", safe.Width(head)))
			}
			rows = append(rows, l.Put(s, safe.Line(piece, safe.Wide)).String())
		}
	}
	if p.err != "" {
		add(theme.Bad, th.Glyph(theme.Failed)+" ", p.err)
	} else if p.end != nil && p.end.Err != "" {
		add(theme.Bad, th.Glyph(theme.Failed)+" ", p.end.Err)
	}
	if p.hint != "" {
		add(theme.Warn, "  hint: ", p.hint)
	}
	return rows
}

func (v *screen) tabRow(p *progress, w int) string {
	counts := [...]int{p.sent + p.received, len(p.header), len(p.trailers()), -1}
	l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ")
	for i, name := range tabs {
		if counts[i] >= 0 {
			name = fmt.Sprintf("%s %d", name, counts[i])
		}
		if i == v.resp.tab {
			l.Say(theme.Reverse, "["+name+"]").Say(theme.Plain, "  ")
		} else {
			l.Say(theme.Dim, name+"  ")
		}
	}
	return l.String()
}

// answers is the content of the tab: the list of messages with the body of the
// one under the cursor, or fields.
func (v *screen) answers(c *call, p *progress, w, h int) (rows []string) {
	if h <= 0 {
		return nil
	}
	r := &v.resp
	if r.tab == tabMessages {
		rows = v.messages(c, p, w, min(h, max(3, h/4)))
	}
	at := r.at(c)
	if r.body == nil || r.madeFor != c || r.madeAt != at || r.made != r.tab || !p.over && r.tab != tabMessages {
		r.body, r.madeFor, r.madeAt, r.made = v.lines(c, p), c, at, r.tab
	}
	r.height = max(0, h-len(rows))
	from, to := r.scroll.Window(len(r.body), r.height)
	for _, line := range r.body[from:to] {
		rows = append(rows, line(w))
	}
	return rows
}

func (v *screen) messages(c *call, p *progress, w, h int) (rows []string) {
	th := v.o.Theme
	say := func(text string) []string { return []string{kit.NewLine(th, w).Say(theme.Dim, "  "+text).String()} }
	if p.ring == nil {
		return say("the messages of older calls are not kept; r sends it again")
	}
	s := p.ring.Stats()
	if s.Next == s.First {
		switch {
		case !p.over:
			return say("waiting for the first message; ctrl+c cancels")
		case p.err != "":
			return say("nothing was exchanged")
		}
		return say("the call had no messages")
	}
	at := v.resp.at(c)
	from := s.First
	if at >= uint64(h/2) {
		from = max(from, at-uint64(h/2))
	}
	from = max(s.First, min(from, s.Next-min(s.Next, uint64(h))))
	v.height[onResponse] = h
	for seq := from; seq < s.Next && len(rows) < h; seq++ {
		rec, ok := p.ring.At(seq)
		if !ok {
			continue
		}
		l := v.message(&rec, w)
		if seq == at {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return rows
}

func (v *screen) message(rec *probes.Record, w int) *kit.Line {
	th := v.o.Theme
	arrows := map[probes.Kind][2]string{probes.Request: {"→", ">"}, probes.Response: {"←", "<"}, probes.End: {"■", "#"}}
	pair := arrows[rec.Kind]
	if pair[0] == "" {
		pair = [2]string{"·", "."}
	}
	arrow := pair[0]
	if th.ASCII {
		arrow = pair[1]
	}
	l := kit.NewLine(th, w).Say(theme.Accent, " "+arrow+" ").Col(theme.Dim, kit.Text(rec.Kind.String()), 8)
	bytes := safe.Text{}
	if rec.Kind != probes.End || len(rec.Body) > 0 {
		bytes = kit.Text(size(int64(len(rec.Body)) + rec.Cut))
	}
	l.ColRight(theme.Dim, bytes, 8)
	if rec.Kind == probes.End {
		status, _ := rec.Attr(probes.AttrStatus)
		return l.Put(theme.Plain, safe.Line(strings.TrimSpace(status+" "+rec.Err), safe.Wide))
	}
	summary := safe.Line(v.chain.Summary(rec, 4*l.Left()+64), max(0, l.Left()))
	if summary.Escaped() {
		l.Say(theme.Warn, "[esc] ")
	}
	return l.Put(theme.Plain, summary)
}

// lines lays out what the tab shows.
func (v *screen) lines(c *call, p *progress) []func(w int) string {
	switch v.resp.tab {
	case tabHeaders:
		return v.fieldLines(p.header, "no headers have come")
	case tabTrailers:
		return v.fieldLines(p.trailers(), "no trailers have come")
	}
	rec, ok := v.resp.record(c)
	if !ok {
		return []func(int) string{}
	}
	if v.resp.tab == tabFacts {
		return v.factLines(&rec)
	}
	view := v.chain.Inspect(context.Background(), &rec, inspectors.Env{})
	rows := []func(int) string{func(w int) string { return kit.NewLine(v.o.Theme, w).String() }}
	for _, problem := range view.Problems {
		rows = append(rows, v.say(theme.Warn, v.o.Theme.Glyph(theme.Warning)+" "+problem.Message))
	}
	for _, line := range view.Lines {
		rows = append(rows, func(w int) string { return kit.Spans(v.o.Theme, line, w) })
	}
	if view.Truncated {
		rows = append(rows, v.say(theme.Dim, fmt.Sprintf("… the beginning of %d bytes", len(rec.Body))))
	}
	return rows
}

func (v *screen) say(s theme.Style, text string) func(int) string {
	return func(w int) string {
		return kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ").Put(s, safe.Line(text, safe.Wide)).String()
	}
}

func (v *screen) fieldLines(fields []probes.Field, none string) (rows []func(int) string) {
	for _, f := range fields {
		rows = append(rows, func(w int) string {
			l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ").Put(theme.JSONKey, safe.Line(f.Name, 40)).Say(theme.Plain, "  ")
			if f.Value == nil {
				return l.Say(theme.Dim, "(no value)").String()
			}
			return l.Put(theme.Plain, safe.LineBytes(f.Value, max(0, l.Left()))).String()
		})
	}
	if len(rows) == 0 {
		rows = append(rows, v.say(theme.Dim, none))
	}
	return rows
}

func (v *screen) factLines(rec *probes.Record) (rows []func(int) string) {
	rows = append(rows, v.say(theme.Dim, rec.Kind.String()+" "+rec.ID))
	if rec.Schema != "" {
		rows = append(rows, v.say(theme.Plain, "schema = "+rec.Schema))
	}
	rows = append(rows, v.say(theme.Plain, "seen = "+rec.Seen.UTC().Format(time.RFC3339Nano)))
	for _, a := range rec.Attrs {
		rows = append(rows, v.say(theme.Plain, a.Name+" = "+a.Value))
	}
	return rows
}
