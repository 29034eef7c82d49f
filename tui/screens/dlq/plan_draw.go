package dlq

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// effects is what sending does.
const effects = "Copies carry the header iscope-redriven. A dead letter is taken away only after its copy is confirmed, so nothing is lost when something " +
	"fails half-way, though a copy may come twice. Where single messages cannot be taken out (a Kafka topic), they stay."

func (d *screen) planView(w, h int) string {
	p := &kit.Page{Theme: d.o.Theme, W: w}
	if d.asking {
		p.Rows = append(p.Rows, d.promptRow(w))
	}
	if d.plan.run != nil {
		d.drawRun(p)
	} else {
		d.drawPlan(p)
	}
	d.plan.rows, d.height = len(p.Rows), h
	from, to := d.plan.scroll.Window(len(p.Rows), h)
	return kit.Lay(p.Rows[from:to], w, h)
}

func (d *screen) drawPlan(p *kit.Page) {
	m, pl := &d.messages, d.plan
	p.Add(theme.Heading, "PLAN  nothing is sent yet")
	p.Add(theme.Plain, "of       %s", pl.ref.String())
	chosen := fmt.Sprintf("%d of %d that were read: %s", len(pl.recs), pl.read, pl.how)
	p.Wrap(theme.Plain, "chosen   ", chosen)
	if n := pl.sifted.Unjudged; n > 0 {
		p.Wrap(theme.Warn, "         ", fmt.Sprintf("%d could not be judged and stay, first: %s", n, pl.sifted.Why))
	}
	if pl.more {
		p.Wrap(theme.Warn, "         ", fmt.Sprintf("only %d were looked at; there may be more, and they are sent too", pl.read))
	}
	counted(p, theme.Plain, "to", pl.where)
	counted(p, theme.Plain, "because", pl.why)
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "EFFECTS")
	p.Wrap(theme.Plain, "", effects)
	if err, hint := m.failed(); err != "" {
		p.Add(theme.Plain, "")
		p.Failure("not all could be read: "+err, hint)
	}
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "GUARD RAILS")
	if why := d.refuseSend(); why != "" {
		p.Failure("refused: "+why, "")
		return
	}
	if pl.lost > 0 {
		p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", fmt.Sprintf("%d do not say where they came from: they will fail and stay (t names a destination)", pl.lost))
	}
	env := d.s.Env()
	p.Wrap(theme.Good, p.Theme.Glyph(theme.OK)+" ", kit.Where(env)+" allows writing")
	p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", "r sends them, after a question")
}

// destinations is where a plan's messages go, in one line.
func (p *plan) destinations() string {
	names := slices.Sorted(maps.Keys(p.where))
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s (%d)", name, p.where[name])
	}
	return strings.Join(parts, ", ")
}

// counted lists names with their numbers, in the words of the command line.
func counted(p *kit.Page, s theme.Style, title string, of map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		p.Wrap(s, fmt.Sprintf("%-8s %6d  ", title, of[name]), name)
	}
}

func (d *screen) drawRun(p *kit.Page) {
	a := d.plan.run.Account()
	state, style := p.Theme.Glyph(theme.Follow)+" RUNNING", theme.Heading
	switch {
	case a.Err != "":
		state, style = p.Theme.Glyph(theme.Failed)+" FAILED", theme.Bad
	case a.Over && a.Stopped:
		state, style = "STOPPED", theme.Warn
	case a.Over:
		state = "DONE"
	}
	l := kit.NewLine(p.Theme, p.W).Say(theme.Plain, " ").Say(style, state).Say(theme.Plain, "  ")
	p.Rows = append(p.Rows, l.Put(theme.Plain, safe.Line(d.plan.ref.String(), p.W)).String())
	reached := a.Sent + a.Failed
	if total := d.plan.total; total > 0 {
		p.Add(theme.Accent, "%s %d/%d", kit.Bar(p.Theme, reached, total, min(40, max(0, p.W-30))), reached, total)
	}
	p.Add(theme.Bold, "selected %d = sent %d + failed %d", reached, a.Sent, a.Failed)
	if d.plan.chosen != nil && a.Over {
		if n := d.plan.chosen.missing(); n > 0 {
			p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", d.absent(n, &a))
		}
	}
	counted(p, theme.Plain, "to", a.To)
	if a.Err != "" {
		p.Failure(a.Err, a.Hint)
	}
	more := a.Failed
	for _, e := range a.Errors {
		p.Wrap(theme.Bad, fmt.Sprintf("failed   %6d  ", e.Count), e.Text)
		more -= e.Count
	}
	if more > 0 {
		p.Add(theme.Bad, "failed   %6d  for other reasons", more)
	}
	if a.Failed > 0 && a.Over {
		p.Add(theme.Plain, "%d of %d could not be sent; they are still dead letters", a.Failed, reached)
	}
	for _, text := range a.Notes {
		p.Wrap(theme.Warn, p.Theme.Glyph(theme.Warning)+" ", text)
	}
	p.Ledger(d.plan.run.Deeds())
}

// absent says of marked messages that they were not sent.
func (d *screen) absent(n int, a *session.Redriven) string {
	if a.Stopped || a.Err != "" {
		return fmt.Sprintf("%d of the marked were not reached", n)
	}
	return fmt.Sprintf("%d of the marked were not there any more", n)
}
