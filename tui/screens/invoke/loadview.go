package invoke

import (
	"fmt"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay/load"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// loadRows are how a load stands, or how it ended.
func (v *screen) loadRows(w int) (rows []func(int) string) {
	d := v.draft()
	if d == nil || v.loads[d.ref] == nil {
		return append(rows, v.say(theme.Dim, "L makes a load of this call: many times, at a rate, several at once"))
	}
	th, r := v.o.Theme, v.loads[d.ref]
	now, ended := r.progress()
	rows = append(rows, v.say(theme.Dim, r.words()), v.loadHead(&now, ended))
	if why := r.faultText(); why != "" {
		for _, piece := range kit.Wrap("given up, because every call would fail: "+why, max(8, w-3)) {
			rows = append(rows, v.say(theme.Bad, piece))
		}
	}
	if now.Planned > 0 {
		rows = append(rows, v.say(theme.Accent, kit.Bar(th, now.Calls, now.Planned, max(0, w-4))))
	}
	if now.Calls == 0 {
		return rows
	}
	rows = append(rows, v.say(theme.Plain, ""), v.columns(theme.Dim, []string{"ms", "MIN", "P50", "P90", "P95", "P99", "P99.9", "MAX"}),
		v.latency("latency", &now.Latency))
	if r.opt.Rate > 0 {
		rows = append(rows, v.latency("service", &now.Service), v.say(theme.Dim, "latency counts from when a call was due, service from when it began"))
	}
	if now.Late > 0 {
		rows = append(rows, v.say(theme.Warn, fmt.Sprintf("%s began late: all %d were waiting for answers", kit.Plural(now.Late, "call"), r.opt.Concurrency)))
	}
	rows = append(rows, v.say(theme.Plain, ""))
	for _, s := range now.Statuses {
		rows = append(rows, v.statusRow(&s, now.Calls))
	}
	if len(now.Instances) > 0 {
		rows = append(rows, v.say(theme.Plain, ""), v.say(theme.Heading, kit.Plural(len(now.Instances), "instance")))
		for _, at := range now.Instances {
			rows = append(rows, v.say(theme.Plain, fmt.Sprintf("%6d %5.1f%%  %s  p50 %s p99 %s ms, %d failed", at.Count,
				100*float64(at.Count)/float64(now.Calls), at.Peer, msOf(at.P50), msOf(at.P99), at.Failed)))
		}
	}
	return rows
}

// faultText is why the load was given up, with what to do.
func (r *burst) faultText() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault == nil {
		return ""
	}
	text := r.by.clean(r.vault.scrub(r.fault.Error()))
	if hint := probes.HintOf(r.fault); hint != "" {
		text += "; " + r.by.clean(hint)
	}
	return text
}

func (v *screen) loadHead(now *load.Report, ended bool) func(int) string {
	th := v.o.Theme
	mark, style := th.Glyph(theme.Follow)+" running, ctrl+c stops it", theme.Accent
	switch {
	case ended && now.Stopped:
		mark, style = th.Glyph(theme.Warning)+" stopped early", theme.Warn
	case ended && now.Failed > 0:
		mark, style = th.Glyph(theme.Failed)+" done", theme.Bad
	case ended:
		mark, style = th.Glyph(theme.OK)+" done", theme.Good
	}
	of := ""
	if now.Planned > 0 {
		of = fmt.Sprintf(" of %d", now.Planned)
	}
	text := fmt.Sprintf("   %d%s calls in %.1f s, %.1f/s, %d failed", now.Calls, of, now.Seconds, now.Rate, now.Failed)
	return func(w int) string {
		return kit.NewLine(th, w).Say(theme.Plain, " ").Say(style, mark).Say(theme.Plain, text).String()
	}
}

// columns are cells of one width, to the right but for the first.
func (v *screen) columns(s theme.Style, cells []string) func(int) string {
	return func(w int) string {
		l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ").Col(s, kit.Text(cells[0]), 8)
		for _, c := range cells[1:] {
			l.ColRight(s, kit.Text(c), 7)
		}
		return l.String()
	}
}

func (v *screen) latency(name string, l *load.Latency) func(int) string {
	return v.columns(theme.Plain, []string{name, msOf(l.Min), msOf(l.P50), msOf(l.P90), msOf(l.P95), msOf(l.P99), msOf(l.P999), msOf(l.Max)})
}

// msOf writes microseconds as milliseconds.
func msOf(us int64) string {
	if us >= 100_000 {
		return fmt.Sprintf("%.0f", float64(us)/1000)
	}
	return fmt.Sprintf("%.2f", float64(us)/1000)
}

func (v *screen) statusRow(s *load.Status, calls int) func(int) string {
	style := theme.Good
	if s.Failed {
		style = theme.Bad
	}
	one := *s
	return func(w int) string {
		l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, fmt.Sprintf(" %6d %5.1f%%  ", one.Count, 100*float64(one.Count)/float64(max(1, calls))))
		return l.Put(style, safe.Line(one.Status, 40)).Say(theme.Plain, "  ").Put(theme.Dim, safe.Line(one.Sample, safe.Wide)).String()
	}
}
