package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

// part names one partition.
type part struct {
	topic string
	id    int32
}

func (p part) String() string { return fmt.Sprintf("%s/%d", p.topic, p.id) }

// cluster is one Metadata answer.
type cluster struct {
	id         string
	controller int32
	brokers    map[int32]broker
	topics     []metadata.ResponseTopic
	ids        map[string]topicID // by name; empty where the broker is older than 2.8
	operations int32              // what we may do to the cluster; see mayList
}

type broker struct {
	id         int32
	addr, rack string
}

// leader is the address of a partition's leader; not ok while there is none.
func (c *cluster) leader(pt part) (addr string, ok bool) {
	t := c.topic(pt.topic)
	if t == nil {
		return "", false
	}
	for i := range t.Partitions {
		if t.Partitions[i].PartitionIndex == pt.id {
			b, ok := c.brokers[t.Partitions[i].LeaderID]
			return b.addr, ok
		}
	}
	return "", false
}

func (c *cluster) topic(name string) *metadata.ResponseTopic {
	i := slices.IndexFunc(c.topics, func(t metadata.ResponseTopic) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &c.topics[i]
}

// longestName is the most characters a topic's name has. A broker hangs up on
// much longer ones.
const longestName = 249

// known asks for topics by name, or for all there are, and insists that each
// named one exists.
func (p *probe) known(ctx context.Context, names []string, all bool) (*cluster, error) {
	for _, name := range names {
		if len(name) > longestName {
			return nil, &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic %q…: a name has at most %d characters, this has %d", name[:40], longestName, len(name))}
		}
	}
	asked := names
	if all {
		asked = nil
	}
	for wait := firstWait; ; wait *= 2 {
		c, err := p.cluster(ctx, asked)
		if err != nil {
			return nil, err
		}
		retry, err := p.judge(ctx, c, names)
		if err == nil {
			return c, nil
		}
		if !retry || wait > p.target.RequestTimeout()/2 {
			return nil, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// firstWait is where waiting for a leader's election starts from; it doubles.
const firstWait = 50 * time.Millisecond

// judge finds what is wrong with the named topics, and whether that may pass.
func (p *probe) judge(ctx context.Context, c *cluster, names []string) (retry bool, err error) {
	for _, name := range names {
		t := c.topic(name)
		switch {
		case t == nil || t.ErrorCode == codeUnknownTopic || t.ErrorCode == codeInvalidTopic:
			return false, p.unknownTopic(ctx, name)
		case t.ErrorCode == codeTopicDenied:
			return false, fmt.Errorf("topic %s: %w", name, brokerError(t.ErrorCode, ""))
		case t.ErrorCode != 0:
			return true, fmt.Errorf("topic %s: %w", name, brokerError(t.ErrorCode, ""))
		case len(t.Partitions) == 0:
			return true, &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("topic %s has no partitions yet", name)}
		}
	}
	return false, nil
}

// unknownTopic says what there is instead. A list of all topics leaves those out
// that we may not see, without a word; asked for by name, the broker says so.
func (p *probe) unknownTopic(ctx context.Context, name string) error {
	if named, err := p.cluster(ctx, []string{name}); err == nil {
		if t := named.topic(name); t != nil && t.ErrorCode == codeTopicDenied {
			return fmt.Errorf("topic %s: %w", name, brokerError(t.ErrorCode, ""))
		}
	}
	f := &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic %q", name)}
	if c, err := p.cluster(ctx, nil); err == nil {
		f.hint = probes.NearestHint(name, c.names())
	}
	return f
}

// names lists the topics that people made.
func (c *cluster) names() []string {
	var out []string
	for i := range c.topics {
		if !c.topics[i].IsInternal {
			out = append(out, c.topics[i].Name)
		}
	}
	slices.Sort(out)
	return out
}

// advertised adds to a failed connection where the address came from: brokers
// are reached under the name they give themselves.
func advertised(p *probe, addr string, err error) error {
	if slices.Contains(p.boot, addr) {
		return err
	}
	k := kindOf(err)
	if k != probes.ErrUnreachable && k != probes.ErrTimeout {
		return err
	}
	return &fault{kind: k, err: err,
		hint: "the cluster names this broker " + addr + "; if that cannot be reached from here, its advertised.listeners are wrong for you"}
}

// pause waits, or returns ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// joinOr joins for a sentence.
func joinOr(words []string) string {
	if len(words) == 0 {
		return "(it does not say what)"
	}
	return strings.Join(words, " or ")
}
