package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
)

type tailOpts struct {
	from, until string
	last, limit int
	follow      bool
	wait        bool
	maxBody     int
	duration    time.Duration
	schemas     schemaOpts
	filter      string
}

func tailCmd(a *app) *cobra.Command {
	var o tailOpts
	cmd := &cobra.Command{
		Use:   "tail TARGET/SUBJECT",
		Short: "read a stream without touching it",
		Long: `tail reads messages or events as they come. It joins no group, commits and
acknowledges nothing of anybody else's, and creates nothing, except where a
system can only be listened to through something of one's own (a queue bound
to an exchange or subscribed to a topic). What it does is said on stderr
before it is done.

Without --last or --until it follows until interrupted. It reconnects when the
peer goes away and says what may have been missed; a tail that is known to
have missed something ends with exit code 7.

With --filter only what matches is printed, and --limit counts only that; --last
and --from say what is looked at. Records that cannot be judged are counted and
end with exit code 7, too.`,
		Example: `  iscope tail orders-kafka/orders.created --last 20
  iscope tail kafka://127.0.0.1:9092/orders.created --from -15m --until end -o json
  iscope tail orders-kafka/orders.created -q 'body.total > 100 and header("tenant") == "eu"'
  iscope tail registry -o json --limit 10`,
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.tail(cmd.Context(), args[0], o) },
	}
	filterFlag(cmd, &o.filter, "print only records that match this `expression` or these words", filter.Complete)
	f := cmd.Flags()
	f.IntVar(&o.last, "last", 0, "the newest `N` records over all partitions, then end")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on after --last")
	f.IntVar(&o.limit, "limit", 0, "end after `N` records")
	f.StringVar(&o.from, "from", "", "start at beginning, latest, an offset, @TIME or -DURATION")
	f.StringVar(&o.until, "until", "", "end at end (what exists now), an offset or @TIME")
	f.DurationVar(&o.duration, "for", 0, "end after that `time`")
	f.BoolVar(&o.wait, "wait", false, "wait for a peer that is not there yet")
	f.IntVar(&o.maxBody, "max-value-bytes", 0, "keep only the first `N` bytes of each value, and say how much was left out")
	o.schemas.flags(cmd)
	return cmd
}

// query turns the flags into a TailQuery, refusing what contradicts itself.
func (o *tailOpts) query(subject string, now time.Time) (q probes.TailQuery, err error) {
	bad := func(err error) error {
		return &probes.Error{Op: "reading the command line", Kind: probes.ErrUsage, Err: err}
	}
	if o.last < 0 || o.limit < 0 || o.maxBody < 0 || o.duration < 0 {
		return q, bad(errors.New("--last, --limit, --for and --max-value-bytes take no negative numbers"))
	}
	if o.last > 0 && o.from != "" {
		return q, bad(errors.New("--last and --from both say where to start"))
	}
	q = probes.TailQuery{Subject: subject, Last: o.last, Follow: o.follow, MaxBody: o.maxBody}
	if q.From, err = probes.ParsePosition(o.from, now); err != nil {
		return q, bad(fmt.Errorf("--from: %w", err))
	}
	if q.Until, err = probes.ParsePosition(o.until, now); err != nil {
		return q, bad(fmt.Errorf("--until: %w", err))
	}
	if q.Until.Kind == probes.PosEarliest {
		return q, bad(errors.New("--until beginning would read nothing"))
	}
	return q, nil
}

func (a *app) tail(ctx context.Context, arg string, o tailOpts) error {
	match, err := a.recordFilter(o.filter)
	if err != nil {
		return err
	}
	return a.withTarget(ctx, arg, func(conn *probes.Conn, subject string) error {
		q, err := o.query(subject, time.Now())
		if err != nil {
			return err
		}
		dec, done, err := a.decoding(ctx, conn, &o.schemas)
		if err != nil {
			return err
		}
		defer done()
		match = reading(match, dec.env)
		sink, flush := a.recordSink(conn.Driver.Columns, dec)
		defer flush()
		if conn.Driver.Impact != "" {
			a.note("%s", conn.Driver.Impact)
		}
		q.Ledger = a.ledger(probes.Ref{Target: conn.Target.Name, Subject: subject}, sink)
		stats, err := a.tap(ctx, conn, q, o, o.filtered(match, &q, sink))
		if err == nil {
			err = lossError(conn.Target.Name, stats)
		}
		return a.filteredError(match, err)
	})
}

// tap runs a tail into sinks with the reconnection notices people see. A time
// limit is a normal end.
func (a *app) tap(ctx context.Context, conn *probes.Conn, q probes.TailQuery, o tailOpts, sinks ...tap.Sink) (tap.Stats, error) {
	tailer, err := conn.Tailer()
	if err != nil {
		return tap.Stats{}, err
	}
	ctx, stop := o.bounded(ctx)
	defer stop()
	stats, err := tap.Run(ctx, tailer, q, tap.Options{
		Target: conn.Target.Name, Sinks: sinks, Limit: o.limit, Retry: tap.Retry{Initial: o.wait},
		Check: conn.Check,
		OnState: func(s tap.State) {
			if s.Phase == tap.Reconnecting {
				a.warn("%v; attempt %d in %s", s.Err, s.Attempt, s.Wait.Round(time.Millisecond))
			}
		},
	})
	if context.Cause(ctx) == errTimeUp || errors.Is(err, errLimitReached) {
		err = nil
	}
	return stats, err
}

// bounded ends a context when the time of --for is up. It is cancelled, not given
// a deadline: drivers would take that for the deadline of their requests, and
// the end for a peer that does not answer.
func (o *tailOpts) bounded(ctx context.Context) (context.Context, func()) {
	if o.duration == 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(o.duration, func() { cancel(errTimeUp) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

var errTimeUp = errors.New("the time given with --for is up")

// lossError turns known loss into exit code 7.
func lossError(target string, s tap.Stats) error {
	if !s.Incomplete() {
		return nil
	}
	return &probes.Error{Target: target, Op: "tailing", Kind: probes.ErrIncomplete,
		Err: fmt.Errorf("%d records are known to be missing, and %d gaps are of unknown size", s.Lost, s.Unknown)}
}
