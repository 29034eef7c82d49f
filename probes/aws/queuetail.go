package aws

import (
	"context"
	"errors"
	"iter"
	"strings"

	"iscope/probes"
)

// Tail refuses: there is no way to see a queue's messages that does not take them
// from its consumers for a while. It says what can be done instead, and names the
// topics that the queue's policy lets in.
func (q *queues) Tail(ctx context.Context, query probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "tailing"
		if query.Subject != "" {
			op += " " + query.Subject
		}
		running, end, err := q.begin(ctx)
		if err != nil {
			yield(probes.Record{}, q.fail(op, err))
			return
		}
		defer end()
		if err := q.noTail(running, query.Subject); ctx.Err() == nil {
			yield(probes.Record{}, q.fail(op, err))
		}
	}
}

func (q *queues) noTail(ctx context.Context, subject string) error {
	f := &fault{kind: probes.ErrUnsupported,
		err:  errors.New("a queue cannot be watched: whoever receives a message hides it from its consumer, and each receive counts"),
		hint: "peek at it (iscope peek), or tail the SNS topic that feeds it"}
	url, err := q.url(ctx, subject)
	if err != nil {
		return err
	}
	one, err := look(ctx, q.probe, url)
	if errors.Is(err, probes.ErrDenied) {
		return f
	}
	if err != nil {
		return err
	}
	var topics []string
	for _, s := range one.senders {
		if serviceOfARN(s.arn) == "sns" {
			topics = append(topics, s.arn)
		}
	}
	if len(topics) > 0 {
		f.hint = "peek at it (iscope peek), or tail a topic that its policy lets in: " + strings.Join(topics, ", ")
	}
	return f
}
