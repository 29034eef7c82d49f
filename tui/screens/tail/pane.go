package tail

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

var tabs = []string{"Payload", "Headers", "Meta", "Hex"}

// row1 is one line of the detail pane, drawn when it is visible.
type row1 func(w int) string

// pane shows the record under the cursor.
func (t *screen) pane(w, h int) string {
	head := kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ")
	for i, name := range tabs {
		if i == t.tab {
			head.Say(theme.Reverse, "["+name+"]").Say(theme.Plain, " ")
		} else {
			head.Say(theme.Dim, name+"  ")
		}
	}
	r, ok := t.view().current()
	if !ok {
		return kit.Lay([]string{head.String(), kit.NewLine(t.o.Theme, w).Say(theme.Dim, "  no record here").String()}, w, h)
	}
	head.Put(theme.Dim, safe.Line(r.rec.ID, 40))
	if t.body == nil || t.detailed != r.seq*4+uint64(t.tab) {
		t.body, t.detailed = t.lines(&r.rec), r.seq*4+uint64(t.tab)
	}
	rows := []string{head.String()}
	from, to := t.scroll.Window(len(t.body), h-1)
	for _, line := range t.body[from:to] {
		rows = append(rows, line(w))
	}
	return kit.Lay(rows, w, h)
}

func (t *screen) lines(r *probes.Record) []row1 {
	switch tabs[t.tab] {
	case "Headers":
		return t.headers(r)
	case "Meta":
		return t.meta(r)
	case "Hex":
		return t.hex(r)
	}
	v := t.chain.Inspect(context.Background(), r, inspectors.Env{})
	var rows []row1
	if r.Err != "" {
		rows = append(rows, t.say(theme.Bad, r.Err))
	}
	for i := range v.Problems {
		rows = append(rows, t.say(theme.Warn, t.o.Theme.Glyph(theme.Warning)+" "+v.Problems[i].Message))
	}
	for _, line := range v.Lines {
		rows = append(rows, func(w int) string { return kit.Spans(t.o.Theme, line, w) })
	}
	if v.Truncated {
		rows = append(rows, t.say(theme.Dim, fmt.Sprintf("… the beginning of %d bytes; Hex has the rest", len(r.Body))))
	}
	return rows
}

func (t *screen) say(s theme.Style, text string) row1 {
	return func(w int) string {
		return kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ").Put(s, safe.Line(text, max(0, w-2))).String()
	}
}

func (t *screen) headers(r *probes.Record) (rows []row1) {
	for i := range r.Header {
		f := &r.Header[i]
		rows = append(rows, func(w int) string {
			l := kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ").Put(theme.JSONKey, safe.Line(f.Name, 40)).Say(theme.Plain, "  ")
			if f.Value == nil {
				return l.Say(theme.Dim, "(no value)").String()
			}
			return l.Put(theme.Plain, safe.LineBytes(f.Value, l.Left())).String()
		})
	}
	if len(rows) == 0 {
		rows = append(rows, t.say(theme.Dim, "no headers"))
	}
	return rows
}

func (t *screen) meta(r *probes.Record) (rows []row1) {
	_, impact := t.feed.Look()
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, t.say(theme.Plain, fmt.Sprintf("%-34s %s", name, value)))
		}
	}
	rows = append(rows, t.say(theme.Dim, impact))
	add("source", r.Source.String())
	add("id", r.ID)
	add("call", r.Call)
	add("kind", r.Kind.String())
	add("time (the peer's)", stamp(r.Time))
	add("seen (ours)", stamp(r.Seen))
	if r.Key == nil {
		add("key", "(null)")
	} else {
		add("key", string(r.Key))
	}
	size := fmt.Sprintf("%d bytes", len(r.Body))
	if r.Body == nil {
		size = "(null)"
	}
	add("value", size)
	if r.Cut > 0 {
		add("left out", fmt.Sprintf("%d bytes", r.Cut))
	}
	add("schema", r.Schema)
	for _, a := range r.Attrs {
		add(a.Name, a.Value)
	}
	if len(r.Native) > 0 {
		add("native", strings.TrimSpace(string(r.Native)))
	}
	return rows
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// hex makes a row when it is drawn, so that a body of any size scrolls.
func (t *screen) hex(r *probes.Record) []row1 {
	rows := make([]row1, inspectors.HexRows(len(r.Body)))
	for i := range rows {
		rows[i] = func(w int) string { return kit.Spans(t.o.Theme, inspectors.Hex(r.Body, i, 1)[0], w) }
	}
	return rows
}
