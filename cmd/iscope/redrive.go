package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
)

type redriveOpts struct {
	to     string
	limit  int
	send   bool
	force  bool
	filter string
}

func dlqRedriveCmd(a *app) *cobra.Command {
	var o redriveOpts
	cmd := &cobra.Command{
		Use:   "redrive TARGET/SUBJECT",
		Short: "plan to send dead letters again, and send them with --send",
		Long: `redrive says how many dead letters it would send where. With --send it sends
them: to where each came from, or to --to. A dead letter is taken away only
after its copy is confirmed, so nothing is lost when something fails half-way,
though a copy may come twice. A Kafka topic cannot give up single messages:
there they stay. Copies carry the header iscope-redriven.

Exit codes: 6 when the environment is read-only, 7 when something could not be
sent.`,
		Example: "  iscope dlq redrive rabbit/queue/orders.dlq\n  iscope dlq redrive rabbit/queue/orders.dlq --limit 100 --send",
		Args:    args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.limit < 0 {
				return usageError(cmd, errors.New("--limit takes no negative number"))
			}
			return a.withTarget(cmd.Context(), args[0], func(conn *probes.Conn, subject string) error {
				return a.redrive(cmd.Context(), conn, subject, o)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.to, "to", "", "send to that `subject` of the same target instead of each message's origin")
	f.IntVarP(&o.limit, "limit", "n", 0, "send at most `N` (default: all there are)")
	f.BoolVar(&o.send, "send", false, "send, instead of planning only")
	f.BoolVar(&o.force, "force", false, "also where looking could do harm")
	filterFlag(cmd, &o.filter, "only dead letters that match this `expression` or these words", filter.Complete)
	return cmd
}

// redriveReport is what redrive prints: the plan, or the account of what was
// sent. Selected = Sent + Failed once it was sent.
type redriveReport struct {
	Target   string         `json:"target"`
	Subject  string         `json:"subject"`
	Planned  bool           `json:"planned"` // nothing was sent
	Selected int            `json:"selected"`
	Sent     int            `json:"sent"`
	Failed   int            `json:"failed"`
	To       map[string]int `json:"to,omitempty"`      // messages by destination
	Reasons  map[string]int `json:"reasons,omitempty"` // why they had died
	Errors   []string       `json:"errors,omitempty"`  // the first few
	Notes    []string       `json:"notes,omitempty"`
}

func (a *app) redrive(ctx context.Context, conn *probes.Conn, subject string, o redriveOpts) error {
	d, err := conn.DeadLetterer()
	if err != nil {
		return err
	}
	if o.send {
		if err := conn.Writable("redriving"); err != nil {
			return err
		}
	}
	match, err := a.recordFilter(o.filter)
	if err != nil {
		return err
	}
	match, done, err := a.readingAs(ctx, conn, match)
	if err != nil {
		return err
	}
	defer done()
	choose := chooser(ctx, match)
	report := &redriveReport{Target: conn.Target.Name, Subject: subject, Planned: !o.send, To: map[string]int{}, Reasons: map[string]int{}}
	ledger := a.ledger(probes.Ref{Target: conn.Target.Name, Subject: subject}, nowhere{})
	if o.send {
		err = report.send(ctx, d, probes.RedriveQuery{Subject: subject, To: o.to, Select: choose, Limit: o.limit, Force: o.force, Ledger: ledger})
	} else {
		err = report.plan(ctx, d, o, choose, ledger)
	}
	if err == nil && report.Failed > 0 {
		err = &probes.Error{Target: conn.Target.Name, Op: "redriving " + subject, Kind: probes.ErrIncomplete,
			Err: fmt.Errorf("%d of %d could not be sent; they are still dead letters", report.Failed, report.Selected)}
	}
	return errors.Join(a.printRedrive(report), a.filteredError(match, err))
}

// chooser is a filter as RedriveQuery takes it; nil takes all. What cannot be
// judged stays a dead letter and is counted.
func chooser(ctx context.Context, f *filter.Filter) func(*probes.Record) bool {
	if f == nil {
		return nil
	}
	return func(r *probes.Record) bool {
		ok, _ := f.Match(ctx, r)
		return ok
	}
}

// nowhere takes the notices of a ledger that has its lines on stderr only.
type nowhere struct{}

func (nowhere) Write(context.Context, probes.Record) error { return nil }

// planned bounds how many dead letters a plan looks at: looking is not free on
// every system.
const planned = 1000

func (r *redriveReport) plan(ctx context.Context, d probes.DeadLetterer, o redriveOpts, choose func(*probes.Record) bool, ledger *probes.Ledger) error {
	q := probes.PeekQuery{Subject: r.Subject, Limit: planned, Force: o.force, Ledger: ledger}
	looked := 0
	for rec, err := range d.ShowDead(ctx, q) {
		if err != nil {
			return err
		}
		if rec.Kind == probes.Notice {
			r.Notes = append(r.Notes, rec.Err)
			continue
		}
		looked++
		if choose != nil && !choose(&rec) || o.limit > 0 && r.Selected == o.limit {
			continue
		}
		r.Selected++
		r.count(&rec, o.to)
	}
	if looked == planned {
		r.Notes = append(r.Notes, fmt.Sprintf("only the first %d were looked at; there may be more", planned))
	}
	return nil
}

func (r *redriveReport) count(rec *probes.Record, to string) {
	if to == "" {
		to, _ = rec.Attr(probes.AttrDeadOrigin)
	}
	if to == "" {
		to = "unknown: name one with --to"
	}
	r.To[to]++
	if why, ok := rec.Attr(probes.AttrDeadReason); ok {
		r.Reasons[why]++
	}
}

func (r *redriveReport) send(ctx context.Context, d probes.DeadLetterer, q probes.RedriveQuery) error {
	const shown = 5
	for rec, err := range d.Redrive(ctx, q) {
		switch {
		case err != nil:
			return err
		case rec.Kind == probes.Notice:
			r.Notes = append(r.Notes, rec.Err)
			continue
		case rec.Err != "":
			r.Failed++
			if len(r.Errors) < shown {
				r.Errors = append(r.Errors, rec.Err)
			}
		default:
			r.Sent++
			r.To[rec.Source.Subject]++
		}
		r.Selected++
	}
	return ctx.Err()
}

func (a *app) printRedrive(r *redriveReport) error {
	if a.json() {
		return a.printJSON(r)
	}
	fmt.Fprintln(a.out, line(fmt.Sprintf("%s/%s: %d dead letters, %d sent, %d failed", r.Target, r.Subject, r.Selected, r.Sent, r.Failed)))
	for _, part := range []struct {
		title string
		of    map[string]int
	}{{"to", r.To}, {"because", r.Reasons}} {
		for _, name := range slices.Sorted(maps.Keys(part.of)) {
			fmt.Fprintln(a.out, line(fmt.Sprintf("  %-8s %6d  %s", part.title, part.of[name], name)))
		}
	}
	for _, text := range slices.Concat(r.Errors, r.Notes) {
		fmt.Fprintln(a.out, "  "+line(text))
	}
	if r.Planned {
		fmt.Fprintln(a.out, "this was the plan; nothing was sent. Send with --send.")
	}
	return nil
}
