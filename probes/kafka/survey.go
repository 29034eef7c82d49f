package kafka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/protocol/describeconfigs"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

// survey is what one round of questions brought.
type survey struct {
	at      time.Time
	cluster *cluster
	topics  []*metadata.ResponseTopic // those to report
	groups  []*group                  // those to report
	brokers []broker                  // those to report
	down    map[int32]string          // brokers that did not answer
	starts  map[part]int64            // only with detail
	ends    map[part]int64            // high watermarks
	configs map[string][]describeconfigs.ResponseConfigEntry
	sizes   map[replica]int64 // bytes; only with detail
	stamps  map[unread]stamp  // of what groups have not read
	missing []string
}

// take asks the cluster. subject "" is everything but internal topics.
func (p *probe) take(ctx context.Context, subject string, detail bool) (*survey, error) {
	c, err := p.cluster(ctx, nil)
	if err != nil {
		return nil, err
	}
	s := &survey{at: time.Now(), cluster: c, down: map[int32]string{}}
	s.pickTopics(subject)
	s.pickBrokers(subject)
	if len(s.brokers) == 1 && subject != "" {
		return s, nil
	}
	others := s.findGroups(ctx, p, subject)
	if subject != "" && len(s.topics) == 0 && len(s.groups) == 0 {
		return nil, p.unknownSubject(ctx, c, subject, others)
	}
	slices.SortFunc(s.groups, func(a, b *group) int { return cmp.Compare(a.id, b.id) })
	if err := s.measure(ctx, p, detail); err != nil {
		return nil, err
	}
	if why := c.mayHide(); why != "" && subject == "" {
		s.missing = append(s.missing, why)
	}
	return s, nil
}

// Bits of authorized operations (KIP-430): 1 << AclOperation's code.
const (
	mayAlter       = 1 << 7
	operationsNone = math.MinInt32 // not asked for, or not said
)

// mayHide tells whether the broker may have left topics or groups out without a
// word, as it does with those one may not describe. Whoever may alter the
// cluster is taken for one who sees everything; so is everyone on a cluster
// without an authorizer.
func (c *cluster) mayHide() string {
	if c.operations == operationsNone || c.operations&mayAlter != 0 {
		return ""
	}
	return "topics and groups that this user may not describe: the broker leaves them out without a word"
}

func (s *survey) pickTopics(subject string) {
	for i := range s.cluster.topics {
		t := &s.cluster.topics[i]
		if t.Name == subject || subject == "" && !t.IsInternal {
			s.topics = append(s.topics, t)
		}
	}
	slices.SortFunc(s.topics, func(a, b *metadata.ResponseTopic) int { return cmp.Compare(a.Name, b.Name) })
}

func (s *survey) pickBrokers(subject string) {
	for _, id := range slices.Sorted(maps.Keys(s.cluster.brokers)) {
		if b := s.cluster.brokers[id]; subject == "" || subject == b.addr {
			s.brokers = append(s.brokers, b)
		}
	}
}

// findGroups asks every broker for its groups and keeps those that the subject
// is or that read it. It returns the names of all it saw.
func (s *survey) findGroups(ctx context.Context, p *probe, subject string) (seen []string) {
	whole := subject == "" || len(s.topics) > 0
	for _, id := range slices.Sorted(maps.Keys(s.cluster.brokers)) {
		b := s.cluster.brokers[id]
		groups, err := p.coordinated(ctx, b.addr, func(id string) bool {
			seen = append(seen, id)
			return whole || id == subject
		})
		if err != nil {
			s.down[b.id] = err.Error()
			s.missing = append(s.missing, fmt.Sprintf("groups of broker %d: %v", b.id, err))
			continue
		}
		for _, g := range groups {
			if subject == "" || g.id == subject || slices.Contains(g.topics(), subject) {
				s.groups = append(s.groups, g)
			}
			if g.hidden != "" {
				s.missing = append(s.missing, fmt.Sprintf("group %s: %s", g.id, g.hidden))
			}
		}
	}
	return seen
}

// unknownSubject tells a hidden topic from one that is not there.
func (p *probe) unknownSubject(ctx context.Context, c *cluster, subject string, groups []string) error {
	if named, err := p.cluster(ctx, []string{subject}); err == nil {
		if t := named.topic(subject); t != nil && t.ErrorCode == codeTopicDenied {
			return fmt.Errorf("topic %s: %w", subject, brokerError(t.ErrorCode, ""))
		}
	}
	return &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic, group or broker %q", subject),
		hint: probes.NearestHint(subject, append(c.names(), groups...))}
}

// measure asks for the offsets behind lags and rates, and for configuration.
func (s *survey) measure(ctx context.Context, p *probe, detail bool) error {
	var parts []part
	own := map[part]bool{}
	for _, t := range s.topics {
		for i := range t.Partitions {
			pt := part{t.Name, t.Partitions[i].PartitionIndex}
			parts, own[pt] = append(parts, pt), true
		}
	}
	measured := slices.Clone(parts)
	for _, g := range s.groups {
		for pt := range g.committed {
			if !own[pt] {
				measured, own[pt] = append(measured, pt), true
			}
		}
	}
	// After the commits, so that no lag is negative.
	var failed map[part]error
	s.ends, failed = p.offsets(ctx, s.cluster, offsetsQuery{measured, atEnd, uncommitted})
	s.note(failed)
	s.stamps = p.stamps(ctx, s.cluster, s.behind())
	if !detail {
		return ctx.Err()
	}
	s.starts, failed = p.offsets(ctx, s.cluster, offsetsQuery{parts, atStart, uncommitted})
	s.note(failed)
	s.configure(ctx, p)
	s.weigh(ctx, p)
	return ctx.Err()
}

func (s *survey) note(failed map[part]error) {
	for _, pt := range slices.SortedFunc(maps.Keys(failed), func(a, b part) int {
		if a.less(b) {
			return -1
		}
		return 1
	}) {
		s.missing = append(s.missing, fmt.Sprintf("offsets of %s: %v", pt, failed[pt]))
	}
}

// resourceTopic is a topic among config resources (KIP-133).
const resourceTopic = 2

func (s *survey) configure(ctx context.Context, p *probe) {
	req := &describeconfigs.Request{}
	for _, t := range s.topics {
		req.Resources = append(req.Resources, describeconfigs.RequestResource{ResourceType: resourceTopic, ResourceName: t.Name})
	}
	if len(req.Resources) == 0 {
		return
	}
	res, err := askAny[*describeconfigs.Response](ctx, p, req)
	if err != nil {
		s.missing = append(s.missing, fmt.Sprintf("configuration: %v", err))
		return
	}
	s.configs = map[string][]describeconfigs.ResponseConfigEntry{}
	for _, r := range res.Resources {
		if r.ErrorCode != 0 {
			s.missing = append(s.missing, fmt.Sprintf("configuration of %s: %v", r.ResourceName, brokerError(r.ErrorCode, r.ErrorMessage)))
			continue
		}
		s.configs[r.ResourceName] = r.ConfigEntries
	}
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
