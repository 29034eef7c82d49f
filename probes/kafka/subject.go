package kafka

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

// subject is what a tail's subject names: topics, patterns of topics, or one
// partition of one topic.
type subject struct {
	topics    []string
	globs     []string
	partition int32 // -1 all
}

// parseSubject reads "orders", "orders,payments", "orders.*" and "orders/2".
// Topic names hold no commas, slashes or characters of patterns.
func parseSubject(s string) (subject, error) {
	out := subject{partition: -1}
	usage := func(err error, hint string) (subject, error) {
		return out, &fault{kind: probes.ErrUsage, err: err, hint: hint}
	}
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		list := &out.topics
		if isGlob(name) {
			list = &out.globs
			if _, err := path.Match(name, ""); err != nil || strings.Contains(name, "/") {
				return usage(fmt.Errorf("%q is no pattern of topic names", name), "* stands for any characters, ? for one, [a-c] for one of a few")
			}
		}
		if name != "" && !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	if len(out.topics)+len(out.globs) == 0 {
		return usage(errors.New("no topic given"), "name one, as in target/topic, or several separated by commas, or a pattern such as orders.*")
	}
	for _, name := range out.topics {
		if strings.Contains(name, "/") && len(out.topics)+len(out.globs) > 1 {
			return usage(fmt.Errorf("%q is no topic", name), "a single partition is written topic/2, alone")
		}
	}
	return out.onePartition()
}

// onePartition takes apart "orders/2".
func (sub subject) onePartition() (subject, error) {
	if len(sub.topics) == 0 {
		return sub, nil
	}
	topic, number, ok := strings.Cut(sub.topics[0], "/")
	if !ok {
		return sub, nil
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 0 || topic == "" {
		return sub, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%q is no topic", sub.topics[0]), hint: "a single partition is written topic/2"}
	}
	return subject{topics: []string{topic}, partition: int32(n)}, nil
}

func isGlob(name string) bool { return strings.ContainsAny(name, "*?[") }

// matches reports whether a pattern means the topic. Those that Kafka and its
// tools keep for themselves are meant only by a pattern that begins like them.
func matches(glob string, t *metadata.ResponseTopic) bool {
	if (t.IsInternal || strings.HasPrefix(t.Name, "__")) && !strings.HasPrefix(glob, "__") {
		return false
	}
	ok, err := path.Match(glob, t.Name)
	return ok && err == nil
}

// selection says which topics a tail is about, those made later included.
type selection struct {
	Topics []string `json:"topics,omitempty"`
	Globs  []string `json:"globs,omitempty"`
}

// asks are the topics to ask metadata of: nil for all, where there are patterns.
func (s *selection) asks() []string {
	if len(s.Globs) > 0 {
		return nil
	}
	return s.Topics
}

// has reports whether the topic is meant.
func (s *selection) has(t *metadata.ResponseTopic) bool {
	return slices.Contains(s.Topics, t.Name) || slices.ContainsFunc(s.Globs, func(g string) bool { return matches(g, t) })
}

// pick finds the topics that a subject means, and insists that each name and each
// pattern means one.
func (p *probe) pick(ctx context.Context, s *selection) (*cluster, []string, error) {
	c, err := p.known(ctx, s.Topics, len(s.Globs) > 0)
	if err != nil {
		return nil, nil, err
	}
	names := slices.Clone(s.Topics)
	for _, g := range s.Globs {
		found := false
		for i := range c.topics {
			if t := &c.topics[i]; t.ErrorCode == 0 && len(t.Partitions) > 0 && matches(g, t) {
				found = true
				if !slices.Contains(names, t.Name) {
					names = append(names, t.Name)
				}
			}
		}
		if !found {
			return nil, nil, &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic matches %q", g),
				hint: probes.NearestHint(strings.Trim(g, "*?[]"), c.names())}
		}
	}
	return c, names, nil
}
