package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/inspectors/redact"
	"iscope/probes"
	"iscope/replay"
)

type replayOpts struct {
	to            []string
	send          bool
	pace          string
	readsOnly     bool
	keepPartition bool
	inFlight      int
	maxRate       float64
	maxGap        time.Duration
	results       string
	filter        string
}

func replayCmd(a *app) *cobra.Command {
	var o replayOpts
	cmd := &cobra.Command{
		Use:   "replay FILE --to TARGET",
		Short: "plan a replay of a capture, and send it with --send",
		Long: `replay reads a capture and says what it would send where, what it would skip
and why. With --send it sends: on the recorded schedule, times a factor, at a
fixed rate, or as fast as it goes.

It never sends to the system the traffic was recorded from, to an environment
that is read-only, or into one of class prod unless its configuration allows
replays. Masked values are never sent. A run that goes wrong stops by itself.
It ends with planned = sent + skipped + failed + not sent, each by reason.

Exit codes: 1 when answers differ from the recorded ones, 6 when the plan is
refused, 7 when something was skipped or failed, 8 when the breaker stopped it.`,
		Example: `  iscope replay orders.mcap --to staging-kafka
  iscope replay orders.mcap --to staging-kafka --send --pace 2x
  iscope replay orders.mcap --to staging-kafka -q 'body.tenant == "eu"'
  iscope replay calls.mcap --to shop-api=staging-api --send --pace 50/s`,
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.replay(cmd.Context(), args[0], o) },
	}
	filterFlag(cmd, &o.filter, "plan only messages and calls (by their first request) that match this `expression` or these words", filter.Complete)
	f := cmd.Flags()
	f.StringArrayVar(&o.to, "to", nil, "`target` to send to, or RECORDED=TARGET for one of several; TARGET/SUBJECT sends to another topic")
	f.BoolVar(&o.send, "send", false, "send, instead of planning only")
	f.StringVar(&o.pace, "pace", "recorded", "recorded, 2x (times), 50/s (fixed rate) or asap")
	f.BoolVar(&o.readsOnly, "reads-only", false, "skip everything that may change something")
	f.BoolVar(&o.keepPartition, "keep-partition", false, "publish to the recorded partition")
	f.IntVar(&o.inFlight, "max-in-flight", 0, "at most `N` under way at once (default 32)")
	f.Float64Var(&o.maxRate, "max-rate", 0, "never more than `N` a second (default: the plan's ceiling)")
	f.DurationVar(&o.maxGap, "max-gap", 0, "shorten longer silences to that `time`")
	f.StringVar(&o.results, "results", "", "write what was answered to a capture `FILE`")
	return cmd
}

// parsePace reads --pace.
func parsePace(s string) (p replay.Pace, speed, rate float64, err error) {
	number := func(text string) float64 {
		var n float64
		if n, err = strconv.ParseFloat(text, 64); err != nil || n <= 0 {
			err = &probes.Error{Op: "reading --pace", Kind: probes.ErrUsage, Err: fmt.Errorf("%q is no positive number", text)}
		}
		return n
	}
	if factor, ok := strings.CutSuffix(s, "x"); ok {
		return replay.Times, number(factor), 0, err
	}
	if perSecond, ok := strings.CutSuffix(s, "/s"); ok {
		return replay.Rate, 0, number(perSecond), err
	}
	switch s {
	case "recorded":
		return replay.Original, 0, 0, nil
	case "asap":
		return replay.ASAP, 0, 0, nil
	}
	return 0, 0, 0, &probes.Error{Op: "reading --pace", Kind: probes.ErrUsage,
		Err: fmt.Errorf("%q is not recorded, 2x, 50/s or asap", s)}
}

func (a *app) replay(ctx context.Context, file string, o replayOpts) error {
	pace, speed, rate, err := parsePace(o.pace)
	if err != nil {
		return err
	}
	if len(o.to) == 0 {
		return &probes.Error{Target: file, Op: "planning the replay", Kind: probes.ErrUsage,
			Err: errors.New("no destination"), Hint: "name one with --to TARGET"}
	}
	match, err := a.recordFilter(o.filter)
	if err != nil {
		return err
	}
	r, err := replay.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	routes, err := a.routes(ctx, o.to)
	defer func() {
		for _, r := range routes {
			r.Conn.Close()
		}
	}()
	if err != nil {
		return err
	}
	match, done, err := a.readingAs(ctx, routes[0].Conn, match)
	if err != nil {
		return err
	}
	defer done()
	options := replay.PlanOptions{To: routes, ReadsOnly: o.readsOnly, KeepPartition: o.keepPartition, IsRedacted: redact.IsPlaceholder}
	if match != nil {
		options.Select = func(r *probes.Record) bool {
			ok, _ := match.Match(ctx, r) // what cannot be judged is counted
			return ok
		}
	}
	plan, err := replay.BuildPlan(ctx, r, options)
	if err != nil {
		return err
	}
	if !o.send {
		return a.filteredError(match, a.finishPlan(plan))
	}
	err = a.send(ctx, plan, replay.SendOptions{Pace: pace, Speed: speed, Rate: rate, MaxInFlight: o.inFlight,
		MaxRate: o.maxRate, MaxGap: o.maxGap}, o.results)
	return a.filteredError(match, err)
}

// routes opens the destinations of --to.
func (a *app) routes(ctx context.Context, to []string) (routes []replay.Route, err error) {
	for _, arg := range to {
		var r replay.Route
		if from, dest, ok := strings.Cut(arg, "="); ok && !strings.Contains(from, "/") {
			r.From, arg = from, dest
		}
		if r.Conn, r.Subject, err = a.open(ctx, arg); err != nil {
			return routes, err
		}
		routes = append(routes, r)
	}
	return routes, nil
}

func (a *app) finishPlan(p *replay.Plan) error {
	if a.json() {
		if err := a.printJSON(p); err != nil {
			return err
		}
	} else {
		a.printPlan(p)
	}
	if p.Refused != nil {
		return p.Refused
	}
	return damaged(p.Path, p.Damage)
}

func damaged(path string, ds []replay.Damage) error {
	if len(ds) == 0 {
		return nil
	}
	texts := make([]string, len(ds))
	for i, d := range ds {
		texts[i] = d.String()
	}
	return &probes.Error{Target: path, Op: "reading the capture", Kind: probes.ErrIncomplete, Err: errors.New(strings.Join(texts, "; "))}
}

func (a *app) printPlan(p *replay.Plan) {
	fmt.Fprintf(a.out, "%s: %d planned, %d of them skipped; %d reads, %d writes; recorded over %s, at most %.0f a second\n",
		line(p.Path), p.Planned, p.Skipped, p.Reads, p.Writes, p.Duration.Round(time.Millisecond), p.PeakRate)
	for _, d := range p.Routes {
		fmt.Fprintf(a.out, "  %s → %s at %s (environment %s, class %s): %d\n", line(d.From), line(d.To), line(d.Address),
			line(d.Environment), d.Class, d.Count)
	}
	for _, op := range p.Operations {
		fmt.Fprintf(a.out, "  %6d × %s (%s)\n", op.Count, line(op.Name), op.Effect)
	}
	a.printReasons("skip", p.Skips)
	if p.Unselected > 0 {
		fmt.Fprintf(a.out, "  not planned %d: the filter left them out\n", p.Unselected)
	}
	for _, d := range p.Damage {
		fmt.Fprintf(a.out, "  damaged: %s\n", line(d.String()))
	}
	if p.Refused == nil {
		fmt.Fprintf(a.out, "Nothing was sent. --send sends it.\n")
	}
}

func (a *app) printReasons(word string, reasons []replay.Reason) {
	for _, r := range reasons {
		fmt.Fprintf(a.out, "  %s %d: %s\n", word, r.Count, line(r.Reason))
		if r.Example != "" {
			fmt.Fprintf(a.out, "    such as %s\n", line(r.Example))
		}
	}
}

func (a *app) send(ctx context.Context, p *replay.Plan, o replay.SendOptions, results string) (err error) {
	if results != "" {
		w, err := replay.Create(results, replay.WriterOptions{Version: version, Redact: a.policy.Record, Redaction: a.policy.String()})
		if err != nil {
			return err
		}
		defer func() {
			_, closeErr := w.Close()
			err = errors.Join(err, closeErr)
		}()
		o.Results = w
	}
	report, err := replay.Run(ctx, p, o)
	if printErr := a.printReport(&report); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	return reportError(p.Path, &report)
}

// reportError turns the account of a run into an exit code: what is missing
// outranks what is different.
func reportError(path string, r *replay.Report) error {
	if n := r.Skipped + r.Failed + r.NotSent; n > 0 {
		return &probes.Error{Target: path, Op: "replaying", Kind: probes.ErrIncomplete,
			Err: fmt.Errorf("%d of %d did not arrive: %d skipped, %d failed, %d not sent", n, r.Planned, r.Skipped, r.Failed, r.NotSent)}
	}
	if err := damaged(path, r.Damage); err != nil {
		return err
	}
	if r.Differences > 0 {
		return errDifferent
	}
	return nil
}

func (a *app) printReport(r *replay.Report) error {
	if a.json() {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "planned %d = sent %d + skipped %d + failed %d + not sent %d   (run %s, %s)\n", r.Planned, r.Sent, r.Skipped,
		r.Failed, r.NotSent, r.Run, r.Took.Round(time.Millisecond))
	a.printReasons("skipped", r.Skips)
	a.printReasons("failed", r.Failures)
	a.printReasons("not sent", r.Unsent)
	if r.Compared > 0 {
		fmt.Fprintf(a.out, "  %d of %d answers differ from the recorded ones\n", r.Differences, r.Compared)
		a.printReasons("changed", r.Changes)
	}
	fmt.Fprintf(a.out, "  service p50 %.1f p99 %.1f max %.1f ms; behind schedule p50 %.1f p99 %.1f max %.1f ms\n",
		r.Service.P50, r.Service.P99, r.Service.Max, r.Late.P50, r.Late.P99, r.Late.Max)
	return nil
}
