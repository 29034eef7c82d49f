package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
)

func dlqCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "find dead letters, read why they died, send them again",
		Long: `dlq deals with messages that could not be delivered or processed, on Kafka,
RabbitMQ and SQS alike: it finds the queues and topics that hold them, shows
each message with the reason, and sends chosen ones to where they came from.`,
	}
	cmd.AddCommand(dlqListCmd(a), dlqShowCmd(a), dlqRedriveCmd(a))
	return cmd
}

func dlqListCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "ls [TARGET...]",
		Short:   "queues and topics of dead letters",
		Example: "  iscope dlq ls\n  iscope dlq ls rabbit -o json",
		Args:    args(0, -1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.dlqList(cmd.Context(), args) },
	}
}

// deadEntry is one line of dlq ls.
type deadEntry struct {
	Target string `json:"target"`
	probes.DeadLetter
}

func (a *app) dlqList(ctx context.Context, targets []string) error {
	conns, err := a.some(ctx, targets)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	var all []deadEntry
	var failed []error
	for _, conn := range conns {
		found, err := deadLetters(ctx, conn)
		// Of all targets, those that know no dead letters are none of the matter.
		if errors.Is(err, probes.ErrUnsupported) && len(targets) == 0 {
			continue
		}
		if err != nil {
			failed = append(failed, err)
		}
		for _, d := range found {
			all = append(all, deadEntry{conn.Target.Name, d})
		}
	}
	if err := a.printDead(all); err != nil {
		return err
	}
	return worst(failed)
}

func deadLetters(ctx context.Context, conn *probes.Conn) ([]probes.DeadLetter, error) {
	d, err := conn.DeadLetterer()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, 2*conn.Target.RequestTimeout())
	defer stop()
	return d.DeadLetters(ctx)
}

func (a *app) printDead(all []deadEntry) error {
	var rows [][]string
	for _, e := range all {
		if a.json() {
			if err := a.printJSON(e); err != nil {
				return err
			}
			continue
		}
		count, oldest := "?", ""
		if e.Count >= 0 {
			count = strconv.FormatInt(e.Count, 10)
		}
		if !e.Oldest.IsZero() {
			oldest = e.Oldest.Local().Format(time.DateTime)
		}
		rows = append(rows, []string{e.Target, e.Subject, count, oldest, strings.Join(e.Origins, " "), e.Because})
	}
	if a.json() {
		return nil
	}
	return a.table([]string{"TARGET", "SUBJECT", "COUNT", "OLDEST", "ORIGINS", "BECAUSE"}, rows)
}

func dlqShowCmd(a *app) *cobra.Command {
	var o peekOpts
	cmd := &cobra.Command{
		Use:   "show TARGET/SUBJECT",
		Short: "dead letters, each with the reason",
		Long: `show prints dead letters with what is known of their death: reason, place, time
and how often (the attributes iscope.dead.*). It removes nothing. Where a queue
can be read only by receiving and returning (RabbitMQ, SQS), the rules of peek
hold.`,
		Example: "  iscope dlq show rabbit/queue/orders.dlq --limit 20\n  iscope dlq show orders-kafka/orders.DLT -o json",
		Args:    args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTarget(cmd.Context(), args[0], func(conn *probes.Conn, subject string) error {
				q, err := o.query(cmd, subject)
				if err != nil {
					return err
				}
				d, err := conn.DeadLetterer()
				if err != nil {
					return err
				}
				return a.peeked(cmd.Context(), conn, &o, q, deadColumns(), d.ShowDead)
			})
		},
	}
	o.flags(cmd)
	return cmd
}

// deadColumns are what a person asks of dead letters, whatever the system.
func deadColumns() []probes.Column {
	return []probes.Column{
		{Title: "ORIGIN", Attr: probes.AttrDeadOrigin, Width: 20}, {Title: "REASON", Attr: probes.AttrDeadReason, Width: 32},
		{Title: "KEY", Attr: "key", Width: 14}, {Title: "SUMMARY", Attr: "summary", Width: 40},
	}
}
