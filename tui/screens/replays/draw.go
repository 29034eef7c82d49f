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

func (r *screen) View(w, h int) string {
	p := &kit.Page{Theme: r.o.Theme, W: w}
	switch {
	case r.path == "":
		p.Add(theme.Plain, "")
		p.Add(theme.Plain, "No capture is chosen. 5 lists them; r there plans a replay.")
		p.Add(theme.Dim, "headless: iscope replay FILE --to TARGET")
	case r.run != nil:
		r.drawRun(p)
	default:
		r.drawPlan(p)
	}
	var head []string
	if r.path != "" {
		head = r.filter.Head(r.o.Theme, r.selected(), w)
	}
	r.total, r.height = len(p.Rows), h-len(head)
	from, to := r.scroll.Window(len(p.Rows), h-len(head))
	rows := append(head, p.Rows[from:to]...)
	if r.arming && h > 0 {
		rows = append(rows[:min(len(rows), h-1):min(len(rows), h-1)], r.armRow(w))
	}
	return kit.Lay(rows, w, h)
}

// selected is what the filter leaves, once there is a plan by it.
func (r *screen) selected() string {
	switch {
	case r.plan != nil && r.filter.Text != "":
		return fmt.Sprintf("%d of %d planned", r.plan.Planned, r.plan.Planned+r.plan.Unselected)
	case r.planning:
		return "planning " + r.o.Theme.Glyph(theme.Ellipsis)
	}
	return ""
}

func (r *screen) armRow(w int) string {
	l := kit.NewLine(r.o.Theme, w).Say(theme.Bad, " type ").Put(theme.Bold, safe.Line(r.destination(), 40)).Say(theme.Bad, " to send: ")
	return r.prompt.Draw(l, max(8, l.Left()-2), true).String()
}

func (r *screen) drawPlan(p *kit.Page) {
	p.Add(theme.Heading, "PLAN")
	p.Add(theme.Plain, "source   %s", r.path)
	p.Add(theme.Plain, "target   %s  (t: another)", r.destination())
	p.Add(theme.Plain, "pacing   %s  (p)", paces[r.pace].name)
	switch {
	case r.problem != nil:
		p.Add(theme.Plain, "")
		p.Failure(r.problem.Error(), probes.HintOf(r.problem))
		return
	case r.plan == nil:
		p.Add(theme.Dim, "reading the capture and asking the target …")
		return
	}
	plan := r.plan
	p.Add(theme.Plain, "planned  %d: %d reads, %d writes, %d skipped", plan.Planned, plan.Reads, plan.Writes, plan.Skipped)
	r.drawFiltered(p)
	p.Add(theme.Plain, "recorded over %s, at most %.0f a second", plan.Duration.Round(time.Millisecond), plan.PeakRate)
	for _, d := range plan.Routes {
		p.Add(theme.Plain, "route    %s → %s at %s (environment %s, class %s): %d", d.From, d.To, d.Address, d.Environment, d.Class, d.Count)
	}
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "EFFECTS")
	for _, op := range plan.Operations {
		style := theme.Plain
		if op.Effect != probes.EffectRead {
			style = theme.Warn
		}
		p.Add(style, "%6d × %s  %s", op.Count, op.Name, op.Effect)
	}
	for _, s := range plan.Skips {
		p.Add(theme.Dim, "%6d skipped: %s", s.Count, s.Reason)
	}
	for _, d := range plan.Damage {
		p.Add(theme.Bad, "damaged: %s", d)
	}
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "GUARD RAILS")
	if plan.Refused != nil {
		p.Failure("refused: "+plan.Refusal, probes.HintOf(plan.Refused))
		return
	}
	ok := p.Theme.Glyph(theme.OK)
	p.Add(theme.Good, "%s the destination allows writing and is not where this was recorded", ok)
	p.Add(theme.Good, "%s masked values are not sent; replayed traffic is marked x-iscope-replay", ok)
	if plan.Ceiling > 0 {
		p.Add(theme.Good, "%s never more than %.0f a second", ok, plan.Ceiling)
	}
	p.Add(theme.Warn, "%s r runs it, after the destination's name was typed", p.Theme.Glyph(theme.Warning))
}

// drawFiltered says what the filter left out.
func (r *screen) drawFiltered(p *kit.Page) {
	if r.filter.Text == "" {
		return
	}
	p.Add(theme.Plain, "left out %d by the filter (esc lifts it)", r.plan.Unselected)
	if line := r.judged.Unjudged("records"); line != "" {
		p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", line)
	}
	if r.plan.Planned == 0 && len(r.judged.Absent) > 0 {
		p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", "of the records looked into, none has "+strings.Join(r.judged.Absent, ", "))
	}
}

func (r *screen) drawRun(p *kit.Page) {
	r.run.mu.Lock()
	defer r.run.mu.Unlock()
	total := r.plan.Planned - r.plan.Skipped
	state := p.Theme.Glyph(theme.Follow) + " RUNNING"
	if r.run.report != nil {
		state = "ENDED"
	}
	p.Add(theme.Heading, "%s  %s to %s, %s", state, base(r.path), r.destination(), paces[r.pace].name)
	p.Add(theme.Accent, "%s %d/%d", kit.Bar(p.Theme, r.run.done, total, min(40, max(0, p.W-30))), r.run.done, total)
	if rep := r.run.report; rep != nil {
		drawReport(p, rep)
	}
	if r.run.err != nil {
		p.Add(theme.Bad, "%v", r.run.err)
	}
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "FAILED AND DIFFERENT")
	if len(r.run.results) == 0 {
		p.Add(theme.Dim, "none so far")
	}
	for _, res := range r.run.results {
		if res.Err != nil {
			p.Add(theme.Bad, "! #%d %s: %v", res.N+1, res.Operation, res.Err)
			continue
		}
		p.Add(theme.Warn, "~ #%d %s: %s then, %s now, %s", res.N+1, res.Operation, res.Recorded, res.Now, res.Took.Round(time.Millisecond))
	}
}

func drawReport(p *kit.Page, rep *replay.Report) {
	p.Add(theme.Bold, "planned %d = sent %d + skipped %d + failed %d + not sent %d", rep.Planned, rep.Sent, rep.Skipped, rep.Failed, rep.NotSent)
	add := func(word string, reasons []replay.Reason) {
		for _, x := range reasons {
			p.Add(theme.Warn, "%s %d: %s", word, x.Count, x.Reason)
		}
	}
	add("failed", rep.Failures)
	add("not sent", rep.Unsent)
	add("skipped", rep.Skips)
	if rep.Compared > 0 {
		p.Add(theme.Plain, "%d of %d answers differ from the recorded ones", rep.Differences, rep.Compared)
	}
	p.Add(theme.Plain, "service p50 %.1f ms p99 %.1f ms; behind schedule p50 %.1f ms p99 %.1f ms", rep.Service.P50, rep.Service.P99, rep.Late.P50, rep.Late.P99)
}
