package replays

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

func base(path string) string { return filepath.Base(path) }

// tick redraws a running replay a few times a second.
func (r *screen) tick() tea.Cmd {
	return tea.Tick(250*time.Millisecond, func(time.Time) tea.Msg { return tick{} })
}

// page collects rows.
type page struct {
	t    theme.Theme
	w    int
	rows []string
}

func (p *page) add(s theme.Style, format string, args ...any) {
	text := safe.Line(fmt.Sprintf(format, args...), max(0, p.w-2))
	p.rows = append(p.rows, kit.NewLine(p.t, p.w).Say(theme.Plain, " ").Put(s, text).String())
}

func (r *screen) View(w, h int) string {
	p := &page{t: r.o.Theme, w: w}
	switch {
	case r.path == "":
		p.add(theme.Plain, "")
		p.add(theme.Plain, "No capture is chosen. 5 lists them; r there plans a replay.")
		p.add(theme.Dim, "headless: iscope replay FILE --to TARGET")
	case r.run != nil:
		r.drawRun(p)
	default:
		r.drawPlan(p)
	}
	r.total, r.height = len(p.rows), h
	from, to := r.scroll.Window(len(p.rows), h)
	rows := p.rows[from:to]
	if r.arming && h > 0 {
		rows = append(rows[:min(len(rows), h-1):min(len(rows), h-1)], r.armRow(w))
	}
	return kit.Lay(rows, w, h)
}

func (r *screen) armRow(w int) string {
	l := kit.NewLine(r.o.Theme, w).Say(theme.Bad, " type ").Put(theme.Bold, safe.Line(r.destination(), 40)).Say(theme.Bad, " to send: ")
	return r.prompt.Draw(l, max(8, l.Left()-2), true).String()
}

func (r *screen) drawPlan(p *page) {
	p.add(theme.Heading, "PLAN")
	p.add(theme.Plain, "source   %s", r.path)
	p.add(theme.Plain, "target   %s  (t: another)", r.destination())
	p.add(theme.Plain, "pacing   %s  (p)", paces[r.pace].name)
	switch {
	case r.problem != nil:
		p.add(theme.Bad, "")
		p.add(theme.Bad, "%s %v", p.t.Glyph(theme.Failed), r.problem)
		if hint := probes.HintOf(r.problem); hint != "" {
			p.add(theme.Plain, "  %s", hint)
		}
		return
	case r.plan == nil:
		p.add(theme.Dim, "reading the capture and asking the target …")
		return
	}
	plan := r.plan
	p.add(theme.Plain, "planned  %d: %d reads, %d writes, %d skipped", plan.Planned, plan.Reads, plan.Writes, plan.Skipped)
	p.add(theme.Plain, "recorded over %s, at most %.0f a second", plan.Duration.Round(time.Millisecond), plan.PeakRate)
	for _, d := range plan.Routes {
		p.add(theme.Plain, "route    %s → %s at %s (environment %s, class %s): %d", d.From, d.To, d.Address, d.Environment, d.Class, d.Count)
	}
	p.add(theme.Plain, "")
	p.add(theme.Heading, "EFFECTS")
	for _, op := range plan.Operations {
		style := theme.Plain
		if op.Effect != probes.EffectRead {
			style = theme.Warn
		}
		p.add(style, "%6d × %s  %s", op.Count, op.Name, op.Effect)
	}
	for _, s := range plan.Skips {
		p.add(theme.Dim, "%6d skipped: %s", s.Count, s.Reason)
	}
	for _, d := range plan.Damage {
		p.add(theme.Bad, "damaged: %s", d)
	}
	p.add(theme.Plain, "")
	p.add(theme.Heading, "GUARD RAILS")
	if plan.Refused != nil {
		p.add(theme.Bad, "%s refused: %s", p.t.Glyph(theme.Failed), plan.Refusal)
		if hint := probes.HintOf(plan.Refused); hint != "" {
			p.add(theme.Plain, "  %s", hint)
		}
		return
	}
	ok := p.t.Glyph(theme.OK)
	p.add(theme.Good, "%s the destination allows writing and is not where this was recorded", ok)
	p.add(theme.Good, "%s masked values are not sent; replayed traffic is marked x-iscope-replay", ok)
	if plan.Ceiling > 0 {
		p.add(theme.Good, "%s never more than %.0f a second", ok, plan.Ceiling)
	}
	p.add(theme.Warn, "%s r runs it, after the destination's name was typed", p.t.Glyph(theme.Warning))
}

func (r *screen) drawRun(p *page) {
	r.run.mu.Lock()
	defer r.run.mu.Unlock()
	total := r.plan.Planned - r.plan.Skipped
	state := p.t.Glyph(theme.Follow) + " RUNNING"
	if r.run.report != nil {
		state = "ENDED"
	}
	p.add(theme.Heading, "%s  %s to %s, %s", state, base(r.path), r.destination(), paces[r.pace].name)
	p.add(theme.Accent, "%s %d/%d", bar(p.t, r.run.done, total, min(40, max(0, p.w-30))), r.run.done, total)
	if rep := r.run.report; rep != nil {
		drawReport(p, rep)
	}
	if r.run.err != nil {
		p.add(theme.Bad, "%v", r.run.err)
	}
	p.add(theme.Plain, "")
	p.add(theme.Heading, "FAILED AND DIFFERENT")
	if len(r.run.results) == 0 {
		p.add(theme.Dim, "none so far")
	}
	for _, res := range r.run.results {
		if res.Err != nil {
			p.add(theme.Bad, "! #%d %s: %v", res.N+1, res.Operation, res.Err)
			continue
		}
		p.add(theme.Warn, "~ #%d %s: %s then, %s now, %s", res.N+1, res.Operation, res.Recorded, res.Now, res.Took.Round(time.Millisecond))
	}
}

func drawReport(p *page, rep *replay.Report) {
	p.add(theme.Bold, "planned %d = sent %d + skipped %d + failed %d + not sent %d", rep.Planned, rep.Sent, rep.Skipped, rep.Failed, rep.NotSent)
	add := func(word string, reasons []replay.Reason) {
		for _, x := range reasons {
			p.add(theme.Warn, "%s %d: %s", word, x.Count, x.Reason)
		}
	}
	add("failed", rep.Failures)
	add("not sent", rep.Unsent)
	add("skipped", rep.Skips)
	if rep.Compared > 0 {
		p.add(theme.Plain, "%d of %d answers differ from the recorded ones", rep.Differences, rep.Compared)
	}
	p.add(theme.Plain, "service p50 %.1f ms p99 %.1f ms; behind schedule p50 %.1f ms p99 %.1f ms", rep.Service.P50, rep.Service.P99, rep.Late.P50, rep.Late.P99)
}

func bar(t theme.Theme, done, total, width int) string {
	filled := 0
	if total > 0 {
		filled = done * width / total
	}
	full, empty := "█", "░"
	if t.ASCII {
		full, empty = "#", "."
	}
	return strings.Repeat(full, filled) + strings.Repeat(empty, max(0, width-filled))
}
