package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

// DeadLetters lists the queues that a redrive policy names, that say themselves
// whose dead letters they take, or that are named like one.
func (q *queues) DeadLetters(ctx context.Context) ([]probes.DeadLetter, error) {
	const op = "listing dead letters"
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return nil, q.fail(op, err)
	}
	defer end()
	v, err := q.survey(ctx, probes.DiscoverQuery{})
	if err != nil {
		return nil, q.fail(op, err)
	}
	out := []probes.DeadLetter{}
	for _, one := range v.queues {
		if d, ok := v.deadLetter(one); ok {
			out = append(out, d)
		}
	}
	if len(v.missing) > 0 {
		return out, q.fail(op, &fault{kind: probes.ErrIncomplete, err: errors.New(strings.Join(v.missing, "; "))})
	}
	return out, nil
}

// deadLetter says whether a queue holds dead letters, and how that is known. Its
// count includes those in flight.
func (v *survey) deadLetter(q *queue) (probes.DeadLetter, bool) {
	d := probes.DeadLetter{Subject: q.name, Count: q.visible + q.inFlight}
	for _, s := range v.sources[q.arn] {
		d.Origins = append(d.Origins, s.name)
	}
	for _, arn := range q.accepts {
		d.Origins = append(d.Origins, nameOfARN(arn))
	}
	slices.Sort(d.Origins)
	d.Origins = slices.Compact(d.Origins)
	switch {
	case len(v.sources[q.arn]) > 0:
		d.Because = "redrive policy of queue " + strings.Join(d.Origins[:min(3, len(d.Origins))], ", ")
	case len(q.accepts) > 0:
		d.Because = "its redrive allow policy names queues"
	case isDeadLetterName(q.name):
		d.Because = "named like one"
	default:
		return d, false
	}
	return d, true
}

// isDeadLetterName reports names that people give to dead-letter queues.
func isDeadLetterName(name string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(".-_", r) }) {
		switch word {
		case "dlq", "dead", "deadletter", "deadletters", "dl":
			return true
		}
	}
	return false
}

// ShowDead peeks, and says of each message where it comes from and why it is
// there. Like any peek it counts as a write.
func (q *queues) ShowDead(ctx context.Context, query probes.PeekQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "reading dead letters of " + query.Subject
		if e := q.target.Environment; !e.Write {
			yield(probes.Record{}, q.fail(op, &fault{kind: probes.ErrRefused, err: fmt.Errorf("to read them is to receive them, and environment %q (class %s) is read-only", e.Name, e.Class),
				hint: "pass --write to allow it for this command, or set write: true for the environment"}))
			return
		}
		q.peeked(ctx, op, query, func(ctx context.Context, one *queue) func(*types.Message, *probes.Record) {
			d := q.deaths(ctx, one)
			return func(m *types.Message, r *probes.Record) { r.Attrs = append(r.Attrs, d.attrs(m)...) }
		}, yield)
	}
}

// deaths is what is known of a dead-letter queue's sources.
type deaths struct {
	only string // ARN of the one source, "" if there are several or none
}

// deaths asks whose dead letters come to a queue. It is a help where messages do
// not say it themselves (stand-ins for SQS), so failing is no error.
func (q *queues) deaths(ctx context.Context, one *queue) deaths {
	if len(one.accepts) == 1 {
		return deaths{only: one.accepts[0]}
	}
	urls, err := deadLetterSources(ctx, q.probe, one.url)
	if err != nil || len(urls) != 1 {
		return deaths{}
	}
	source, err := look(ctx, q.probe, urls[0])
	if err != nil {
		return deaths{}
	}
	return deaths{only: source.arn}
}

// origin is the ARN of the queue that a message died in, "" if unknown.
func (d deaths) origin(m *types.Message) string {
	if arn := system(m.Attributes).get(types.MessageSystemAttributeNameDeadLetterQueueSourceArn); arn != "" {
		return arn
	}
	if _, failed := m.MessageAttributes[attrErrorCode]; failed {
		return "" // not a queue's dead letter
	}
	return d.only
}

// Attributes that SNS and Lambda add to messages they could not deliver
// (https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html).
const (
	attrErrorCode    = "ErrorCode"
	attrErrorMessage = "ErrorMessage"
)

func (d deaths) attrs(m *types.Message) []probes.Attr {
	f := facts{}
	origin := d.origin(m)
	reason := ""
	if origin != "" {
		reason = "delivery_limit"
	}
	if code, ok := m.MessageAttributes[attrErrorCode]; ok {
		reason = sdk.ToString(code.StringValue)
		if text := sdk.ToString(m.MessageAttributes[attrErrorMessage].StringValue); text != "" {
			reason += ": " + text
		}
	}
	f.add(probes.AttrDeadReason, reason)
	f.add(probes.AttrDeadOrigin, nameOfARN(origin))
	// The count goes on in a dead-letter queue, our own look included.
	f.add(probes.AttrDeadCount, strconv.FormatInt(system(m.Attributes).receives(), 10))
	return f
}
