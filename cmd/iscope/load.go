package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"iscope/inspectors/safe"
	"iscope/replay/load"
	"iscope/replay/request"
)

// loadOpts are the flags of invoke that make many calls of one.
type loadOpts struct {
	repeat      int
	rate        float64
	concurrency int
	during      time.Duration
}

func (o *loadOpts) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&o.repeat, "repeat", 0, "make the call `N` times and print percentiles")
	f.Float64Var(&o.rate, "rate", 0, "`N` calls a second, evenly, however slow the answers; else as fast as they come")
	f.IntVar(&o.concurrency, "concurrency", 0, "at most `N` calls at once (default 8 with --rate, else 1)")
	f.DurationVar(&o.during, "for", 0, "make calls for that `time`")
}

// asked reports whether a load is wanted.
func (o *loadOpts) asked(cmd *cobra.Command) bool {
	f := cmd.Flags()
	return f.Changed("repeat") || f.Changed("rate") || f.Changed("for") || f.Changed("concurrency")
}

func (o *loadOpts) check(cmd *cobra.Command) error {
	f := cmd.Flags()
	for _, name := range []string{"repeat", "rate", "concurrency", "for"} {
		if v := f.Lookup(name).Value.String(); f.Changed(name) && (strings.HasPrefix(v, "-") || v == "0" || v == "0s") {
			return usageError(cmd, fmt.Errorf("--%s %s is not positive", name, v))
		}
	}
	if o.asked(cmd) && o.repeat == 0 && o.during == 0 {
		return usageError(cmd, errors.New("the load has no end: say how many calls with --repeat, or how long with --for"))
	}
	return nil
}

// load makes the call many times. No call is made unless all may be.
func (c *oneCall) load(ctx context.Context, o loadOpts) error {
	opt, note, err := load.Allow(c.conn, &c.method, load.Options{Rate: o.rate, Concurrency: o.concurrency, Count: o.repeat, For: o.during})
	if err != nil {
		return err
	}
	if note != "" {
		c.a.warn("%s", note)
	}
	if err := c.all(ctx); err != nil {
		return err
	}
	docs := request.Of("", "", &c.in, c.sent).Documents
	tty := term.IsTerminal(c.a.err.Fd())
	if tty {
		opt.Progress = func(r load.Report) { fmt.Fprintf(c.a.err, "\r\x1b[K%s", progressLine(&r)) }
	}
	l, err := load.New(opt)
	if err != nil {
		return err
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	report := l.Run(running, func(ctx context.Context, _ int) load.Outcome { return c.once(ctx, docs, stop) })
	if tty {
		io.WriteString(c.a.err, "\r\x1b[K")
	}
	if cause := context.Cause(running); cause != nil && ctx.Err() == nil {
		return cause
	}
	if err := c.a.printLoad(c, opt, &report); err != nil {
		return err
	}
	if report.Failed > 0 {
		return errDifferent
	}
	return ctx.Err()
}

// once makes one call of a load. A call that makes no sense will make none the
// next time either, so it ends the load.
func (c *oneCall) once(ctx context.Context, docs []string, stop context.CancelCauseFunc) load.Outcome {
	in := c.in
	if in.Next != nil {
		in.Next = request.Documents(docs)
	}
	if !c.opt.noTrace {
		in.WithTrace()
	}
	out, pointless := load.Observe(c.conn.Invoke(ctx, c.method, in))
	if pointless != nil {
		stop(pointless)
	}
	out.Err = c.a.policy.Text(out.Err)
	return out
}

// worstTimer is how late, in microseconds, this machine may begin calls before
// that is said.
const worstTimer = 5000

// loadText is the JSON of a load.
type loadText struct {
	Kind        string  `json:"kind"` // "load"
	Target      string  `json:"target"`
	Method      string  `json:"method"`
	Asked       float64 `json:"asked_rate,omitempty"`
	Concurrency int     `json:"concurrency"`
	*load.Report
}

func (a *app) printLoad(c *oneCall, o load.Options, r *load.Report) error {
	for i := range r.Statuses {
		r.Statuses[i].Sample = safe.Line(r.Statuses[i].Sample, safe.Wide).String()
	}
	if a.json() {
		return a.printJSON(loadText{Kind: "load", Target: c.target, Method: c.method.Name, Asked: o.Rate, Concurrency: o.Concurrency, Report: r})
	}
	stopped := ""
	if r.Stopped {
		stopped = ", stopped early"
		if r.Planned > 0 {
			stopped = fmt.Sprintf(", stopped before all %d", r.Planned)
		}
	}
	fmt.Fprintf(a.out, "%d calls in %.1f s, %.1f a second%s\n", r.Calls, r.Seconds, r.Rate, stopped)
	if r.Failed > 0 {
		fmt.Fprintf(a.out, "%d failed (%.1f%%)\n", r.Failed, 100*float64(r.Failed)/float64(max(1, r.Calls)))
	}
	if r.Calls == 0 {
		return nil
	}
	fmt.Fprintln(a.out)
	rows := [][]string{latencyRow("latency", &r.Latency)}
	if o.Rate > 0 {
		rows = append(rows, latencyRow("service", &r.Service))
	}
	if err := a.table([]string{"ms", "MIN", "MEAN", "P50", "P90", "P95", "P99", "P99.9", "MAX"}, rows); err != nil {
		return err
	}
	if o.Rate > 0 {
		fmt.Fprintln(a.out, "latency counts from when a call was due, service from when it began")
	}
	if r.Late > 0 {
		fmt.Fprintf(a.out, "%d calls began late: all %d were waiting for answers\n", r.Late, o.Concurrency)
	}
	if r.Timer > worstTimer {
		fmt.Fprintf(a.out, "this machine itself began calls up to %s ms late, which is not in these figures\n", msOf(r.Timer))
	}
	return a.printLoadTables(r)
}

func (a *app) printLoadTables(r *load.Report) error {
	fmt.Fprintln(a.out)
	var rows [][]string
	for _, s := range r.Statuses {
		rows = append(rows, []string{s.Status, fmt.Sprint(s.Count), fmt.Sprintf("%.1f%%", 100*float64(s.Count)/float64(r.Calls)), s.Sample})
	}
	if err := a.table([]string{"STATUS", "CALLS", "SHARE", "FIRST ERROR"}, rows); err != nil || len(r.Instances) == 0 {
		return err
	}
	fmt.Fprintln(a.out)
	rows = nil
	for _, at := range r.Instances {
		rows = append(rows, []string{at.Peer, fmt.Sprint(at.Count), fmt.Sprintf("%.1f%%", 100*float64(at.Count)/float64(r.Calls)),
			fmt.Sprint(at.Failed), msOf(at.P50), msOf(at.P99)})
	}
	return a.table([]string{"INSTANCE", "CALLS", "SHARE", "FAILED", "P50 ms", "P99 ms"}, rows)
}

func latencyRow(name string, l *load.Latency) []string {
	return []string{name, msOf(l.Min), msOf(int64(l.Mean)), msOf(l.P50), msOf(l.P90), msOf(l.P95), msOf(l.P99), msOf(l.P999), msOf(l.Max)}
}

// msOf writes microseconds as milliseconds.
func msOf(us int64) string { return fmt.Sprintf("%.2f", float64(us)/1000) }

func progressLine(r *load.Report) string {
	of := ""
	if r.Planned > 0 {
		of = fmt.Sprintf(" of %d", r.Planned)
	}
	return fmt.Sprintf("%d%s calls · %.1f/s · p50 %s p99 %s ms · %d failed", r.Calls, of, r.Rate, msOf(r.Latency.P50), msOf(r.Latency.P99), r.Failed)
}
