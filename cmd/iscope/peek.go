package main

import (
	"context"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
)

type peekOpts struct {
	limit, maxBody int
	force          bool
	filter         string
	schemas        schemaOpts
}

func (o *peekOpts) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVarP(&o.limit, "limit", "n", 10, "at most `N` messages")
	f.IntVar(&o.maxBody, "max-value-bytes", 0, "keep only the first `N` bytes of each value, and say how much was left out")
	f.BoolVar(&o.force, "force", false, "also where a look could dead-letter a message or starve a consumer")
	o.schemas.flags(cmd)
	filterFlag(cmd, &o.filter, "of those looked at, print only what matches this `expression` or these words", filter.Complete)
}

// query refuses what makes no sense.
func (o *peekOpts) query(cmd *cobra.Command, subject string) (probes.PeekQuery, error) {
	if o.limit <= 0 || o.maxBody < 0 {
		return probes.PeekQuery{}, usageError(cmd, errors.New("--limit takes a positive number, --max-value-bytes none below 0"))
	}
	return probes.PeekQuery{Subject: subject, Limit: o.limit, MaxBody: o.maxBody, Force: o.force}, nil
}

func peekCmd(a *app) *cobra.Command {
	var o peekOpts
	cmd := &cobra.Command{
		Use:   "peek TARGET/QUEUE",
		Short: "look at a queue's messages by receiving and returning them",
		Long: `peek receives messages of a queue and gives them back. That is not without
effect: delivery counts rise, messages are away for a moment, their order may
change. So peek is a verb of its own, counts as writing, takes no more than
--limit, says what it is about to do before it does it, and refuses where a
look could dead-letter a message.

To look without any effect, tail what feeds the queue.`,
		Example: `  iscope peek rabbit/queue/orders --limit 5
  iscope peek sqs://eu-central-1/orders --write`,
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTarget(cmd.Context(), args[0], func(conn *probes.Conn, subject string) error {
				q, err := o.query(cmd, subject)
				if err != nil {
					return err
				}
				p, err := conn.Peeker()
				if err != nil {
					return err
				}
				return a.peeked(cmd.Context(), conn, &o, q, conn.Driver.Columns, p.Peek)
			})
		},
	}
	o.flags(cmd)
	return cmd
}

// peeked prints what a look yields.
func (a *app) peeked(ctx context.Context, conn *probes.Conn, o *peekOpts, q probes.PeekQuery, columns []probes.Column,
	look func(context.Context, probes.PeekQuery) iter.Seq2[probes.Record, error]) error {
	match, err := a.recordFilter(o.filter)
	if err != nil {
		return err
	}
	dec, done, err := a.decoding(ctx, conn, &o.schemas)
	if err != nil {
		return err
	}
	defer done()
	sink, flush := a.recordSink(columns, dec)
	q.Ledger = a.ledger(probes.Ref{Target: conn.Target.Name, Subject: q.Subject}, sink)
	if match = reading(match, dec.env); match != nil {
		sink = &filterSink{next: sink, f: match}
	}
	err = errors.Join(a.drain(ctx, sink, look(ctx, q)), flush())
	return a.filteredError(match, err)
}

// drain hands all records of a sequence to a sink.
func (a *app) drain(ctx context.Context, sink tap.Sink, records iter.Seq2[probes.Record, error]) error {
	for rec, err := range records {
		if err != nil {
			return err
		}
		if err := sink.Write(ctx, rec); err != nil {
			return err
		}
	}
	return ctx.Err()
}
