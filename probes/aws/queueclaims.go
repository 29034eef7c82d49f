package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"iscope/probes"
)

const (
	// maxQueues bounds a listing, which takes one request for each queue.
	maxQueues = 5000
	atOnce    = connections
	// maxInFlight is how many messages of a queue can be received and not yet
	// deleted, FIFO or not
	// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html).
	maxInFlight = 120_000
	callQueue   = "GetQueueAttributes"
)

// Discover reports queues with depth and settings, redrive policies as edges, and
// what a queue's policy allows to send to it. It takes one request for each queue.
func (q *queues) Discover(ctx context.Context, query probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return q.watch(ctx, query, q.snapshot)
}

func (q *queues) snapshot(ctx context.Context, query probes.DiscoverQuery) (probes.Snapshot, error) {
	v, err := q.survey(ctx, query)
	if err != nil {
		return probes.Snapshot{}, err
	}
	s, err := q.open(ctx)
	if err != nil {
		return probes.Snapshot{}, err
	}
	c := &claims{target: q.target.Name, at: time.Now()}
	c.endpoint(s)
	for _, one := range v.queues {
		v.claim(c, one, query.Detail)
	}
	return probes.Snapshot{Claims: c.all, Complete: len(v.missing) == 0, Missing: v.missing}, nil
}

// survey is what one round of questions told.
type survey struct {
	queues  []*queue // sorted by name
	missing []string
	whole   bool // all queues of the account are in it
	// sources of dead letters by the ARN of their dead-letter queue
	sources map[string][]*queue
}

func (q *queues) survey(ctx context.Context, query probes.DiscoverQuery) (*survey, error) {
	v := &survey{whole: query.Subject == "", sources: map[string][]*queue{}}
	var urls []string
	var err error
	if v.whole {
		var more bool
		if urls, more, err = listQueues(ctx, q.probe, "", maxQueues); err != nil {
			return nil, err
		}
		if more {
			v.whole = false
			v.missing = append(v.missing, fmt.Sprintf("only the first %d queues were looked at", maxQueues))
		}
	} else if urls, err = q.family(ctx, query.Subject); err != nil {
		return nil, err
	}
	if err := v.fill(ctx, q.probe, urls, query.Detail); err != nil {
		return nil, err
	}
	if query.Subject != "" && len(v.queues) == 0 {
		if len(v.missing) > 0 {
			return nil, &fault{kind: probes.ErrDenied, err: errors.New(v.missing[0])}
		}
		return nil, q.unknown(ctx, query.Subject)
	}
	return v, nil
}

// family is a queue, its dead-letter queue, and those whose dead letters come to
// it, where that can be asked.
func (q *queues) family(ctx context.Context, subject string) ([]string, error) {
	url, err := q.url(ctx, subject)
	if err != nil {
		return nil, err
	}
	urls := []string{url}
	one, err := look(ctx, q.probe, url)
	if err != nil {
		return nil, err
	}
	if one.redrive != nil {
		if who, err := parseIdentity("sqs", one.redrive.to); err == nil {
			if to, err := queueURL(ctx, q.probe, who); err == nil {
				urls = append(urls, to)
			}
		}
	}
	sources, err := deadLetterSources(ctx, q.probe, url)
	if err != nil && !errors.Is(err, probes.ErrUnsupported) && !errors.Is(err, probes.ErrDenied) && !errors.Is(err, probes.ErrProtocol) {
		return nil, err
	}
	return append(urls, sources...), nil
}

func deadLetterSources(ctx context.Context, p *probe, url string) (urls []string, err error) {
	in := &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &url}
	for {
		page, err := ask(ctx, p, 0, func(ctx context.Context, s *session) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
			return s.sqs.ListDeadLetterSourceQueues(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		urls = append(urls, page.QueueUrls...)
		if page.NextToken == nil || *page.NextToken == "" || len(page.QueueUrls) == 0 {
			return urls, nil
		}
		in.NextToken = page.NextToken
	}
}

// fill asks for each queue. One that has gone meanwhile is no error; one that may
// not be looked at is missing.
func (v *survey) fill(ctx context.Context, p *probe, urls []string, tags bool) error {
	slices.Sort(urls)
	urls = slices.Compact(urls)
	found := make([]*queue, len(urls))
	denied := make([]string, len(urls))
	err := each(ctx, len(urls), atOnce, func(ctx context.Context, i int) error {
		one, err := look(ctx, p, urls[i])
		switch {
		case errors.Is(err, probes.ErrNotFound):
			return nil
		case errors.Is(err, probes.ErrDenied):
			denied[i] = nameOfURL(urls[i]) + ": " + err.Error()
			return nil
		case err != nil:
			return err
		}
		if tags {
			one.tags, _ = queueTags(ctx, p, urls[i]) // reading tags is a permission of its own
		}
		found[i] = one
		return nil
	})
	if err != nil {
		return err
	}
	for i := range urls {
		if denied[i] != "" {
			v.missing = append(v.missing, denied[i])
		}
		if one := found[i]; one != nil {
			v.queues = append(v.queues, one)
			if one.redrive != nil {
				v.sources[one.redrive.to] = append(v.sources[one.redrive.to], one)
			}
		}
	}
	slices.SortFunc(v.queues, func(a, b *queue) int { return strings.Compare(a.name, b.name) })
	return nil
}

func queueTags(ctx context.Context, p *probe, url string) (map[string]string, error) {
	return ask(ctx, p, 0, func(ctx context.Context, s *session) (map[string]string, error) {
		out, err := s.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
		if err != nil {
			return nil, err
		}
		return out.Tags, nil
	})
}

func (v *survey) claim(c *claims, q *queue, detail bool) {
	n := &probes.Node{ID: queueID(c.target, q.name), Kind: probes.NodeQueue, Name: q.name}
	if q.arn != "" {
		n.Aliases = []string{q.arn}
	}
	n.Health, n.Reason = v.health(q)
	f := facts{}
	f.count(attrVisible, q.visible)
	f.count(attrInFlight, q.inFlight)
	f.count(attrDelayed, q.delayed)
	if q.fifo {
		f.add(attrFIFO, "true")
	}
	f.add(attrEncryption, q.encryption)
	if q.redrive != nil {
		f.add(attrDeadTo, q.redrive.to)
		f.count(attrMaxReceives, q.redrive.maxReceives)
	}
	if detail {
		f.add(attrQueueURL, q.url)
		f.add(attrQueueARN, q.arn)
		f.count(attrRetention, q.retention)
		f.count(attrVisibility, q.visibility)
		f.count(attrMaxSize, q.maxSize)
		if !q.created.IsZero() {
			f.add(attrCreated, q.created.Format(time.RFC3339))
		}
		f.add(attrAllowed, senderList(q.senders))
		f.add(attrOldest, "not known: only CloudWatch has it (ApproximateAgeOfOldestMessage)")
		for _, name := range slices.Sorted(maps.Keys(q.tags)) {
			f.add(attrTag+name, q.tags[name])
		}
	}
	n.Attrs = f
	c.node(n, callQueue, probes.Declared)
	v.edges(c, q)
}

func queueID(target, name string) string { return probes.NodeID(probes.NodeQueue, target, name) }

func senderList(list []sender) string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return strings.Join(out, ", ")
}

// edges are where dead letters go and who may send.
func (v *survey) edges(c *claims, q *queue) {
	if q.redrive != nil {
		c.edge(&probes.Edge{From: queueID(c.target, q.name), To: v.idOf(c, q.redrive.to), Kind: probes.EdgeRoutes, Protocol: "sqs", Attrs: []probes.Attr{
			{Name: attrRelation, Value: "dead-letter"}, {Name: attrMaxReceives, Value: fmt.Sprint(q.redrive.maxReceives)}}}, callQueue, probes.Declared)
	}
	for _, s := range q.senders {
		kind := probes.NodeExternal
		if serviceOfARN(s.arn) == "sns" {
			kind = probes.NodeTopic
		}
		if s.arn == "" || strings.ContainsAny(s.arn, "*?") {
			continue // a pattern is no thing
		}
		from := probes.NodeID(kind, c.target, nameOfARN(s.arn))
		c.node(&probes.Node{ID: from, Kind: kind, Name: nameOfARN(s.arn), Aliases: []string{s.arn}, Attrs: []probes.Attr{{Name: "aws.arn", Value: s.arn}}}, callQueue+" Policy", probes.Permitted)
		c.edge(&probes.Edge{From: from, To: queueID(c.target, q.name), Kind: probes.EdgeRoutes, Protocol: serviceOfARN(s.arn),
			Attrs: []probes.Attr{{Name: attrRelation, Value: "may send"}}}, callQueue+" Policy", probes.Permitted)
	}
}

// idOf is the node of an ARN. A dead-letter queue that is not among the queues
// gets a node of its own, so that the edge leads somewhere.
func (v *survey) idOf(c *claims, arn string) string {
	id := queueID(c.target, nameOfARN(arn))
	if !slices.ContainsFunc(v.queues, func(q *queue) bool { return q.arn == arn }) {
		n := &probes.Node{ID: id, Kind: probes.NodeQueue, Name: nameOfARN(arn), Aliases: []string{arn}, Attrs: []probes.Attr{{Name: attrQueueARN, Value: arn}}}
		if v.whole && len(v.missing) == 0 {
			n.Health, n.Reason = probes.HealthFail, "a redrive policy names it, and it does not exist"
		}
		c.node(n, callQueue+" RedrivePolicy", probes.Declared)
	}
	return id
}

func (v *survey) health(q *queue) (probes.Health, string) {
	sources := v.sources[q.arn]
	gone := q.redrive != nil && v.whole && len(v.missing) == 0 && !slices.ContainsFunc(v.queues, func(o *queue) bool { return o.arn == q.redrive.to })
	switch {
	case gone:
		return probes.HealthFail, "its dead-letter queue " + nameOfARN(q.redrive.to) + " does not exist"
	case q.inFlight >= maxInFlight:
		return probes.HealthFail, fmt.Sprintf("%d messages are in flight, the most there can be: nothing more is delivered", q.inFlight)
	case q.inFlight >= maxInFlight*9/10:
		return probes.HealthWarn, fmt.Sprintf("%d of at most %d messages are in flight: received and not deleted", q.inFlight, maxInFlight)
	case len(sources) > 0 && q.visible+q.inFlight > 0:
		var names []string
		for _, s := range sources {
			names = append(names, s.name)
		}
		return probes.HealthWarn, fmt.Sprintf("%d dead letters of %s", q.visible+q.inFlight, strings.Join(names, ", "))
	}
	return probes.HealthOK, ""
}
