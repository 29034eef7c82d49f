package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"iscope/probes"
)

type publishOpts struct {
	data, key string
	headers   []string
	partition int
	at        string
	null      bool
	noTrace   bool
}

func publishCmd(a *app) *cobra.Command {
	var o publishOpts
	cmd := &cobra.Command{
		Use:   "publish TARGET/SUBJECT",
		Short: "write one message",
		Long: `publish writes one message, waits until the system has confirmed it and prints
it as stored. It never creates a topic, and it is refused where the
environment is read-only. The message carries a fresh W3C traceparent, unless it
has one or --no-trace is given; the trace's id is an attribute of what is printed.`,
		Example: `  iscope publish orders-kafka/orders.created -k A-7 -d '{"order_id":"A-7"}' -H tenant:acme
  iscope publish kafka://127.0.0.1:9092/orders.created -d @order.json --write`,
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rec, err := a.message(cmd, o)
			if err != nil {
				return err
			}
			trace := withTraceparent(&rec, o.noTrace)
			return a.publish(cmd.Context(), args[0], rec, trace)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.data, "data", "d", "", "the value: text, @FILE, or - for standard input")
	f.BoolVar(&o.null, "null", false, "a null value (a tombstone) instead of -d")
	f.StringVarP(&o.key, "key", "k", "", "the key; without this flag it is null")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "header, as `name: value`; may repeat")
	f.IntVar(&o.partition, "partition", -1, "partition `N` instead of the one the key implies")
	f.BoolVar(&o.noTrace, "no-trace", false, "add no traceparent")
	f.StringVar(&o.at, "timestamp", "", "the message's own `time` (RFC 3339) instead of now")
	return cmd
}

func (a *app) message(cmd *cobra.Command, o publishOpts) (r probes.Record, err error) {
	flags := cmd.Flags()
	if o.null == flags.Changed("data") {
		return r, usageError(cmd, errors.New("exactly one of --data and --null is needed"))
	}
	r = probes.Record{Kind: probes.Message, Time: time.Now()}
	if !o.null {
		if r.Body, err = a.document(o.data); err != nil {
			return r, err
		}
		if r.Body == nil {
			r.Body = []byte{}
		}
	}
	if flags.Changed("key") {
		r.Key = []byte(o.key)
	}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return r, usageError(cmd, errors.New("a header is of the form name: value"))
		}
		r.Header = append(r.Header, probes.Field{Name: name, Value: []byte(strings.TrimSpace(value))})
	}
	if flags.Changed("partition") {
		r.Attrs = append(r.Attrs, probes.Attr{Name: probes.AttrPartition, Value: fmt.Sprint(o.partition)})
	}
	if o.at != "" {
		if r.Time, err = time.Parse(time.RFC3339Nano, o.at); err != nil {
			return r, usageError(cmd, fmt.Errorf("--timestamp: %w", err))
		}
	}
	return r, nil
}

// withTraceparent adds a traceparent and returns the trace's id.
func withTraceparent(rec *probes.Record, off bool) string {
	if off {
		return ""
	}
	in := probes.Invocation{Header: rec.Header}
	trace := in.WithTrace()
	rec.Header = in.Header
	return trace
}

func (a *app) publish(ctx context.Context, arg string, rec probes.Record, trace string) error {
	return a.withTarget(ctx, arg, func(conn *probes.Conn, subject string) error {
		if subject == "" {
			return &probes.Error{Target: conn.Target.Name, Op: "publishing", Kind: probes.ErrUsage,
				Err: errors.New("no destination was named"), Hint: "write the target as " + arg + "/SUBJECT"}
		}
		pub, err := conn.Publisher()
		if err != nil {
			return err
		}
		rec.Source = probes.Ref{Target: conn.Target.Name, Subject: subject}
		ctx, stop := context.WithTimeout(ctx, conn.Target.RequestTimeout())
		defer stop()
		stored, err := pub.Publish(ctx, rec)
		if err != nil {
			return err
		}
		stored.Attrs = withTrace(stored.Attrs, trace)
		sink, flush := a.recordSink(conn.Driver.Columns, &decoding{})
		defer flush()
		return sink.Write(ctx, stored)
	})
}
