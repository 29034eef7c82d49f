package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"iscope/probes"
)

const (
	// maxDetailed bounds for how many topics and subscriptions the attributes are
	// asked for when all are listed: each is a request, and SNS allows few.
	maxDetailed = 500
	// topicsAtOnce is how many requests to SNS are under way: its limits are far
	// below those of SQS.
	topicsAtOnce = 4
	callTopic    = "GetTopicAttributes"
	callSubs     = "ListSubscriptions"
)

// Discover reports topics and their subscriptions, with filter policies as
// attributes of the edges.
func (t *topics) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return t.watch(ctx, q, t.snapshot)
}

func (t *topics) snapshot(ctx context.Context, q probes.DiscoverQuery) (probes.Snapshot, error) {
	v, err := t.survey(ctx, q)
	if err != nil {
		return probes.Snapshot{}, err
	}
	s, err := t.open(ctx)
	if err != nil {
		return probes.Snapshot{}, err
	}
	c := &claims{target: t.target.Name, at: time.Now()}
	c.endpoint(s)
	for _, one := range v.topics {
		v.claimTopic(c, one, q.Detail)
	}
	for _, sub := range v.subs {
		v.claimSubscription(c, sub)
	}
	return probes.Snapshot{Claims: c.all, Complete: len(v.missing) == 0, Missing: v.missing}, nil
}

type topicSurvey struct {
	topics  []*topic
	subs    []*subscription
	missing []string
}

func (t *topics) survey(ctx context.Context, q probes.DiscoverQuery) (*topicSurvey, error) {
	v := &topicSurvey{}
	var arns []string
	only := ""
	var err error
	if q.Subject == "" {
		arns, err = listTopics(ctx, t.probe)
	} else if only, err = t.arn(ctx, q.Subject); err == nil {
		arns = []string{only}
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(arns)
	if err := v.fillTopics(ctx, t.probe, arns); err != nil {
		return nil, err
	}
	if only != "" && len(v.topics) == 0 {
		return nil, &fault{kind: probes.ErrNotFound, err: fmt.Errorf("there is no topic %q", q.Subject)}
	}
	v.subs, err = subscriptions(ctx, t.probe, only)
	switch {
	case errors.Is(err, probes.ErrDenied):
		v.missing = append(v.missing, "subscriptions: "+err.Error())
	case err != nil:
		return nil, err
	}
	slices.SortFunc(v.subs, func(a, b *subscription) int { return strings.Compare(a.topic+a.endpoint, b.topic+b.endpoint) })
	return v, v.fillSubscriptions(ctx, t.probe)
}

func (v *topicSurvey) fillTopics(ctx context.Context, p *probe, arns []string) error {
	found := make([]*topic, len(arns))
	for i, arn := range arns {
		found[i] = &topic{arn: arn}
	}
	n := min(len(arns), maxDetailed)
	if n < len(arns) {
		v.missing = append(v.missing, fmt.Sprintf("the attributes of %d topics: only %d are asked for at once", len(arns)-n, n))
	}
	refused := make([]error, n)
	err := each(ctx, n, topicsAtOnce, func(ctx context.Context, i int) error {
		one, err := lookTopic(ctx, p, arns[i])
		switch {
		case errors.Is(err, probes.ErrNotFound):
			found[i] = nil // gone since it was listed
		case errors.Is(err, probes.ErrDenied), errors.Is(err, probes.ErrUnsupported), errors.Is(err, probes.ErrProtocol):
			refused[i] = err // a stand-in may lack the call
		case err != nil:
			return err
		default:
			found[i] = one
		}
		return nil
	})
	for i, one := range found {
		if one != nil {
			v.topics = append(v.topics, one)
		}
		if i < n && refused[i] != nil {
			v.missing = append(v.missing, fmt.Sprintf("attributes of %s: %v", nameOfARN(arns[i]), refused[i]))
		}
	}
	return err
}

func (v *topicSurvey) fillSubscriptions(ctx context.Context, p *probe) error {
	var confirmed []*subscription
	for _, s := range v.subs {
		if !s.isPending() {
			confirmed = append(confirmed, s)
		}
	}
	if n := len(confirmed); n > maxDetailed {
		v.missing = append(v.missing, fmt.Sprintf("filter policies of %d subscriptions: only %d are asked for at once; describe a topic to see its", n-maxDetailed, maxDetailed))
		confirmed = confirmed[:maxDetailed]
	}
	refused := make([]error, len(confirmed))
	err := each(ctx, len(confirmed), topicsAtOnce, func(ctx context.Context, i int) error {
		attrs, err := subscriptionAttributes(ctx, p, confirmed[i].arn)
		switch {
		case errors.Is(err, probes.ErrNotFound):
		case errors.Is(err, probes.ErrDenied), errors.Is(err, probes.ErrUnsupported), errors.Is(err, probes.ErrProtocol):
			refused[i] = err
		case err != nil:
			return err
		}
		confirmed[i].attrs = attrs
		return nil
	})
	for i, why := range refused {
		if why != nil {
			v.missing = append(v.missing, fmt.Sprintf("filter policy of %s: %v", confirmed[i].arn, why))
		}
	}
	return err
}

func (v *topicSurvey) claimTopic(c *claims, t *topic, detail bool) {
	n := &probes.Node{ID: topicID(c.target, t.arn), Kind: probes.NodeTopic, Name: nameOfARN(t.arn), Aliases: []string{t.arn}, Health: probes.HealthOK}
	waiting := int64(0)
	for _, s := range v.subs {
		if s.topic == t.arn && s.isPending() {
			waiting++
		}
	}
	if waiting = max(waiting, t.pending); waiting > 0 {
		n.Health, n.Reason = probes.HealthWarn, fmt.Sprintf("%d subscriptions wait to be confirmed: they get nothing until then", waiting)
	}
	f := facts{}
	f.count(attrConfirmed, t.confirmed)
	if waiting > 0 {
		f.count(attrPending, waiting)
	}
	if isFIFO(n.Name) {
		f.add(attrFIFO, "true")
	}
	f.add(attrEncryption, t.encryption)
	if detail {
		f.add(attrTopicARN, t.arn)
		f.add(attrDisplay, t.displayName)
	}
	n.Attrs = f
	c.node(n, callTopic, probes.Declared)
}

func topicID(target, arn string) string {
	return probes.NodeID(probes.NodeTopic, target, nameOfARN(arn))
}

// claimSubscription makes an edge from the topic to the receiver: a queue by its
// ARN, a web address by what listens there, anything else by name.
func (v *topicSurvey) claimSubscription(c *claims, s *subscription) {
	to := receiver(c.target, s)
	c.node(to, callSubs, probes.Declared)
	f := facts{}
	f.add(attrRelation, "subscription")
	f.add(attrProtocol, s.protocol)
	class := probes.Attached
	if s.isPending() {
		class = probes.Declared
		f.add(probes.AttrStatus, "pending confirmation")
	}
	f.add(attrSubARN, s.arn)
	f.add(attrFilter, s.attrs["FilterPolicy"])
	f.add(attrFilterScope, s.attrs["FilterPolicyScope"])
	if strings.EqualFold(s.attrs["RawMessageDelivery"], "true") {
		f.add(attrRaw, "true")
	}
	c.edge(&probes.Edge{From: topicID(c.target, s.topic), To: to.ID, Kind: probes.EdgeRoutes, Protocol: s.protocol, Attrs: f}, callSubs, class)
	if dead := s.deadTo(); dead != "" {
		q := queueNode(c.target, dead)
		c.node(q, "GetSubscriptionAttributes", probes.Declared)
		c.edge(&probes.Edge{From: topicID(c.target, s.topic), To: q.ID, Kind: probes.EdgeRoutes, Protocol: "sqs", Attrs: []probes.Attr{
			{Name: attrRelation, Value: "dead-letter"}, {Name: attrSubARN, Value: s.arn}}}, "GetSubscriptionAttributes", probes.Declared)
	}
}

func queueNode(target, arn string) *probes.Node {
	return &probes.Node{ID: queueID(target, nameOfARN(arn)), Kind: probes.NodeQueue, Name: nameOfARN(arn), Aliases: []string{arn}}
}

func receiver(target string, s *subscription) *probes.Node {
	if s.protocol == "sqs" {
		return queueNode(target, s.endpoint)
	}
	n := &probes.Node{Kind: probes.NodeExternal, Name: s.endpoint, Attrs: []probes.Attr{{Name: attrProtocol, Value: s.protocol}}}
	switch s.protocol {
	case "http", "https":
		u, err := url.Parse(s.endpoint)
		if err != nil || u.Host == "" {
			break
		}
		n.Addr = u.Host
		if u.Port() == "" {
			n.Addr = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[s.protocol])
		}
		u.User, u.RawQuery = nil, "" // either may be a secret
		n.Name, n.Aliases = u.String(), []string{probes.AddrAlias(n.Addr)}
	case "lambda", "firehose", "application":
		n.Name, n.Aliases = nameOfARN(s.endpoint), []string{s.endpoint}
	}
	n.ID = probes.NodeID(n.Kind, target, n.Name)
	return n
}
