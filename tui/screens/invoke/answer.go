package invoke

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (v *screen) responsePane(w, h int) string {
	th := v.o.Theme
	c := v.call()
	title := theme.Heading
	if v.pane == onResponse {
		title = theme.Reverse
	}
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Say(title, "RESPONSE")
	if c == nil && v.resp.tab == tabLoad && v.draft() != nil && v.loads[v.draft().ref] != nil {
		return kit.Lay(append([]string{head.String(), v.tabRow(&progress{}, w)}, v.loadPage(w, h-2)...), w, h)
	}
	if c == nil {
		text := "  not called yet: s sends"
		if v.draft() == nil {
			text = "  no method is chosen"
		}
		return kit.Lay([]string{head.String(), kit.NewLine(th, w).Say(theme.Dim, text).String()}, w, h)
	}
	p := c.progress()
	word, style := outcome(th, &p)
	head.Say(theme.Plain, "  ").Put(style, word).Say(theme.Plain, "  "+v.lasted(&p))
	if !p.over {
		head.Say(theme.Dim, "  ctrl+c cancels")
	}
	head.Say(theme.Dim, "  "+weight(c, &p))
	rows := append([]string{head.String()}, v.timings(&p, w, h)...)
	rows = append(rows, v.trouble(&p, w, h)...)
	if h >= barHeight {
		rows = append(rows, v.traceRow(&p, w)...)
	}
	rows = append(rows, v.tabRow(&p, w))
	return kit.Lay(append(rows, v.answers(c, &p, w, h-len(rows))...), w, h)
}

// lasted is how long the call took, as the driver measured it where it did.
func (v *screen) lasted(p *progress) string {
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

// weight is how much came, as it was on the wire and as it is decoded.
func weight(c *call, p *progress) string {
	text := sizeOf(p.bytes)
	if p.weighed && p.wire != p.bytes {
		text += " (" + sizeOf(p.wire) + " on the wire)"
	}
	if p.hops > 0 {
		text += ", " + kit.Plural(p.hops, "redirect")
	}
	if c.method.ClientStream || c.method.ServerStream {
		return fmt.Sprintf("%d sent, %d received, %s", p.sent, p.received, text)
	}
	return text
}

func sizeOf(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// phases are the parts of a call's time, in their order.
var phases = [...]struct{ name, attr, fill, plain string }{
	{"resolve", probes.TimingDNS, "░", "r"}, {"connect", probes.TimingConnect, "▒", "c"}, {"TLS", probes.TimingTLS, "▓", "t"},
	{"send", probes.TimingSend, "▖", "s"}, {"wait", probes.TimingFirstByte, "·", "."}, {"receive", probes.TimingReceive, "█", "#"},
}

// barHeight is from which height of the pane on the phases are drawn too.
const barHeight = 12

// timings are the phases in milliseconds, with a bar of their shares. A phase that
// did not happen is left out: a connection that was there already needs none.
func (v *screen) timings(p *progress, w, h int) []string {
	th := v.o.Theme
	if p.end == nil {
		return nil
	}
	l := kit.NewLine(th, w).Say(theme.Plain, " ")
	var parts [len(phases)]float64
	sum := 0.0
	for i, ph := range phases {
		text, ok := p.end.Attr(ph.attr)
		ms, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			continue
		}
		parts[i] = max(0, ms)
		sum += parts[i]
		fill := ph.fill
		if th.ASCII {
			fill = ph.plain
		}
		l.Say(theme.Accent, fill+" ").Say(theme.Dim, ph.name+" ").Put(theme.Plain, safe.Line(text, 9)).Say(theme.Plain, "  ")
	}
	if sum == 0 {
		return nil
	}
	rows := []string{l.Say(theme.Dim, "ms").String()}
	if h >= barHeight {
		rows = append(rows, v.bar(parts[:], sum, w))
	}
	return rows
}

// bar shares the width out; a phase that happened has at least one cell.
func (v *screen) bar(parts []float64, sum float64, w int) string {
	l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ")
	room := max(1, w-2)
	for i, ms := range parts {
		if ms == 0 {
			continue
		}
		fill := phases[i].fill
		if v.o.Theme.ASCII {
			fill = phases[i].plain
		}
		l.Say(theme.Accent, strings.Repeat(fill, max(1, int(ms/sum*float64(room)))))
	}
	return l.String()
}

// Rows of what is said of a call above its messages.
const (
	mostTrouble = 3 // notes
	leastBody   = 6 // rows that are left for the rest
)

// trouble is why a call failed or how it was answered, what to do, and the first
// of what else is wrong. The tab Notes has all of it.
func (v *screen) trouble(p *progress, w, h int) (rows []string) {
	th := v.o.Theme
	add := func(s theme.Style, head, text string) {
		for i, piece := range kit.Wrap(text, w-safe.Width(head)-3) {
			if i > 0 {
				head = strings.Repeat(" ", safe.Width(head))
			}
			rows = append(rows, kit.NewLine(th, w).Say(theme.Plain, " ").Say(s, head).Put(s, safe.Line(piece, safe.Wide)).String())
		}
	}
	if p.err != "" {
		style, glyph := theme.Bad, th.Glyph(theme.Failed)
		if p.cancelled {
			style, glyph = theme.Warn, th.Glyph(theme.Warning)
		}
		add(style, glyph+" ", p.err)
	} else if p.end != nil && p.end.Err != statusText(p.end) && p.end.Err != "" {
		add(theme.Bad, th.Glyph(theme.Failed)+" ", p.end.Err)
	}
	if p.hint != "" {
		add(theme.Warn, "  hint: ", p.hint)
	}
	shown := 0
	for _, n := range p.notes {
		if !n.bad || len(rows) >= h-leastBody {
			continue
		}
		if shown == mostTrouble {
			add(theme.Dim, "  ", "more in the tab Notes")
			break
		}
		shown++
		add(theme.Warn, th.Glyph(theme.Warning)+" ", n.String())
	}
	return rows[:max(0, min(len(rows), h-leastBody))]
}

// String is a note on a line.
func (n *note) String() string {
	switch {
	case n.what == "contract" && n.where != "":
		return "against the contract, at " + n.where + ": " + n.text
	case n.what == "contract":
		return "against the contract: " + n.text
	case n.what == "error" && n.text != "":
		return "error at " + n.where + ": " + n.text
	case n.what == "error":
		return "error at " + n.where
	}
	return n.text
}

// traceRow names the trace the call began.
func (v *screen) traceRow(p *progress, w int) []string {
	if p.trace == "" || p.kind == probes.ErrUsage && p.sent == 0 {
		return nil
	}
	return []string{kit.NewLine(v.o.Theme, w).Say(theme.Dim, " trace ").Put(theme.Plain, safe.Line(p.trace, 40)).
		Say(theme.Dim, "  T finds it in Tail").String()}
}

func (v *screen) tabRow(p *progress, w int) string {
	counts := map[int]int{tabHeaders: len(p.header), tabTrailers: len(p.trailers()), tabNotes: len(p.notes)}
	l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ")
	for i, name := range tabs {
		if n := counts[i]; n > 0 {
			name += " " + itoa(n)
		}
		if i == v.resp.tab {
			l.Say(theme.Reverse, "["+name+"]").Say(theme.Plain, " ")
		} else {
			l.Say(theme.Dim, name+" ")
		}
	}
	return l.Say(theme.Dim, "  [ ] turn").String()
}

// answers is the list of messages and the content of the tab.
func (v *screen) answers(c *call, p *progress, w, h int) (rows []string) {
	if h <= 0 {
		return nil
	}
	r := &v.resp
	if r.tab == tabLoad {
		return v.loadPage(w, h)
	}
	if ofBody(r.tab) {
		share := 4
		if c.method.ClientStream || c.method.ServerStream {
			share = 2 // the messages are what is looked at
		}
		rows = v.messages(c, p, w, min(h, max(3, h/share)))
	}
	page := v.laid(c, p, w)
	r.height = max(0, h-len(rows))
	list := &r.scroll
	from, to := list.Window(page.n, r.height)
	if r.tab == tabTree && r.tree != nil {
		from, to = r.list.Window(page.n, r.height)
	}
	for i := from; i < to; i++ {
		rows = append(rows, page.row(i, w))
	}
	return rows
}

// laid is the tab's page, made anew when something of its key changed.
func (v *screen) laid(c *call, p *progress, w int) *page {
	r := &v.resp
	key := pageKey{c: c, at: r.at(c), tab: r.tab, w: w, over: p.over}
	if r.page == nil || r.key != key {
		r.page, r.key = v.content(c, p, key), key
	}
	return r.page
}

// loadPage is the load's tab, which changes while it runs.
func (v *screen) loadPage(w, h int) (rows []string) {
	r := &v.resp
	r.page, r.key, r.height = rowsPage(v.loadRows(w)), pageKey{tab: tabLoad}, max(0, h)
	from, to := r.scroll.Window(r.page.n, h)
	for i := from; i < to; i++ {
		rows = append(rows, r.page.row(i, w))
	}
	return rows
}

// content lays out what the tab shows.
func (v *screen) content(c *call, p *progress, key pageKey) *page {
	switch v.resp.tab {
	case tabHeaders:
		return rowsPage(v.fieldLines(p.header, "no headers have come"))
	case tabTrailers:
		return rowsPage(v.fieldLines(p.trailers(), "no trailers have come"))
	case tabNotes:
		return rowsPage(v.noteLines(p, key.w))
	case tabDiff:
		return rowsPage(v.diffRows())
	}
	rec, ok := v.resp.record(c)
	if !ok {
		return &page{}
	}
	body := &inspectedBody{&rec}
	switch v.resp.tab {
	case tabFacts:
		return rowsPage(v.factLines(&rec))
	case tabTree:
		return v.treePage(body, key)
	case tabRaw:
		return v.rawPage(body, key.w)
	case tabHex:
		return v.hexPage(body)
	}
	return v.text(body, key.w)
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

// noteLines are all notes, wrapped, each with what it was read from.
func (v *screen) noteLines(p *progress, w int) (rows []func(int) string) {
	for _, n := range p.notes {
		style, mark := theme.Plain, v.o.Theme.Glyph(theme.Dot)
		if n.bad {
			style, mark = theme.Warn, v.o.Theme.Glyph(theme.Warning)
		}
		for i, piece := range kit.Wrap(n.String(), w-6) {
			if i > 0 {
				mark = " "
			}
			rows = append(rows, v.say(style, mark+" "+piece))
		}
		source := "from " + n.where
		if n.what == "expect" {
			source = n.where
		}
		if n.what == "contract" || n.what == "error" {
			source = "in the " + n.record.String()
		}
		rows = append(rows, v.say(theme.Dim, "    "+source))
	}
	if len(rows) == 0 {
		return append(rows, v.say(theme.Dim, "there is nothing to note about this exchange"))
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
