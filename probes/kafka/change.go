package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

// leftTopic is where a tail stood in a topic that went away. Should it have been
// a broker's error, the tail goes on there.
type leftTopic struct {
	parts []position
	ends  []int64 // what the broker was known to hold of each
}

// maxHomeWait bounds the time between two questions for a leader.
const maxHomeWait = 2 * time.Second

// rehome sets the clock for the next question, as long as there is one.
func (s *stream) rehome() {
	if s.homeWait == 0 && s.homeless() {
		s.homeWait = firstWait
		s.homing.Reset(s.homeWait)
	}
}

// homeless reports that a partition has no leader, or that all topics are gone
// and none may come by a pattern.
func (s *stream) homeless() bool {
	return s.deserted() || slices.ContainsFunc(s.cursors, (*cursor).homeless)
}

func (c *cursor) homeless() bool { return c.leader == "" && !c.retired && !c.done() }

func (s *stream) deserted() bool { return len(s.byPart) == 0 && len(s.plan.Of.Globs) == 0 }

// findHomes asks for leaders. What has none for too long ends the tail.
func (s *stream) findHomes(ctx context.Context) error {
	waited := s.homeWait
	s.homeWait = 0
	names := s.reading()
	for _, name := range s.plan.Of.Topics {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	c, err := s.p.cluster(ctx, names)
	if err != nil {
		return err
	}
	if err := s.reconcile(c, names); err != nil {
		return err
	}
	limit := s.p.target.RequestTimeout()
	for _, cur := range s.cursors {
		if !cur.homeless() {
			continue
		}
		if cur.waited += waited; cur.waited > limit {
			return cur.trouble
		}
	}
	if s.alone += waited; !s.deserted() {
		s.alone = 0
	} else if s.alone > limit {
		return &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic %q any more: it was deleted", names[0])}
	}
	if s.homeless() {
		s.homeWait = min(2*waited, maxHomeWait)
		s.homing.Reset(s.homeWait)
	}
	return nil
}

// reading are the topics with a partition that is being read.
func (s *stream) reading() []string {
	var names []string
	for pt := range s.byPart {
		if !slices.Contains(names, pt.topic) {
			names = append(names, pt.topic)
		}
	}
	return names
}

// look asks for topics and partitions made since.
func (s *stream) look(ctx context.Context) error {
	if !s.plan.Whole || !s.follows {
		return nil
	}
	// The stream waits meanwhile, so not for long: a broker that is silent must not
	// keep what the fetches have found out.
	limited, stop := context.WithTimeout(ctx, min(lookTime, s.p.target.RequestTimeout()))
	defer stop()
	c, err := s.p.cluster(limited, s.plan.Of.asks())
	if err != nil {
		if isFinal(ctx, err) {
			return err
		}
		return nil // the fetches will tell
	}
	return s.reconcile(c, s.reading())
}

// isAnother reports that a topic's id is not the one that the tail began with.
func (s *stream) isAnother(topic string, id topicID) bool {
	before := s.plan.IDs[topic]
	return before != "" && id != "" && before != id
}

// reconcile brings what is read in line with what there is: topics that are gone
// or were made anew among those asked for, new leaders, new partitions, new
// topics.
func (s *stream) reconcile(c *cluster, asked []string) error {
	for _, name := range asked {
		t := c.topic(name)
		gone := t == nil || t.ErrorCode == codeUnknownTopic || t.ErrorCode == codeInvalidTopic
		switch {
		case s.sampled && (gone || s.isAnother(name, c.ids[name])):
			s.leave(name, "")
		case gone:
			if !s.follows {
				return &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic %q any more: it was deleted", name)}
			}
			s.leave(name, fmt.Sprintf("topic %s is gone; it is read again should it come back", name))
		case t.ErrorCode == codeTopicDenied:
			return fmt.Errorf("topic %s: %w", name, brokerError(t.ErrorCode, ""))
		case s.isAnother(name, c.ids[name]) && !s.follows:
			return &fault{kind: probes.ErrNotFound, err: fmt.Errorf("topic %s is another one by now: it was deleted and made anew", name)}
		case s.isAnother(name, c.ids[name]):
			s.leave(name, "")
		default:
			s.settle(t, c)
		}
	}
	if s.follows {
		s.adopt(c)
	}
	return nil
}

// leave stops reading a topic. What was fetched of it is still handed out.
func (s *stream) leave(topic, notice string) {
	var l leftTopic
	for _, cur := range s.cursors {
		if cur.topic != topic || cur.retired {
			continue
		}
		l.parts = append(l.parts, position{Topic: topic, Partition: cur.id, Next: cur.fetchAt, Stop: -1})
		l.ends = append(l.ends, max(cur.fetchAt, cur.seen))
		cur.retired, cur.leader, cur.stop = true, "", cur.fetchAt
		if notice != "" {
			cur.say(cur.notice(notice))
			notice = ""
		}
		delete(s.byPart, cur.part)
	}
	if len(l.parts) > 0 {
		s.left[topic] = l
	}
}

// settle gives partitions without a leader the one they have by now.
func (s *stream) settle(t *metadata.ResponseTopic, c *cluster) {
	for _, cur := range s.cursors {
		if cur.topic != t.Name || !cur.homeless() {
			continue
		}
		cur.leader, _ = c.leader(cur.part)
		if cur.leader != "" {
			continue
		}
		cur.trouble = &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("partition %s has no leader", cur.part)}
		if t.ErrorCode != 0 {
			cur.trouble = fmt.Errorf("topic %s: %w", t.Name, brokerError(t.ErrorCode, ""))
		}
	}
}

// adopt adds the partitions that are meant and not being read. They were made
// after the tail began, so they are read from their start; those that were away
// for a while from where the tail was.
func (s *stream) adopt(c *cluster) {
	for i := range c.topics {
		t := &c.topics[i]
		if t.ErrorCode != 0 || !s.plan.Of.has(t) {
			continue
		}
		away, wasAway := s.left[t.Name]
		delete(s.left, t.Name)
		back := wasAway && !s.isAnother(t.Name, c.ids[t.Name])
		var first *cursor
		for _, tp := range t.Partitions {
			pos := position{Topic: t.Name, Partition: tp.PartitionIndex, Stop: -1}
			if s.byPart[pos.part()] != nil || !s.plan.Whole && !slices.Contains(s.plan.parts(), pos.part()) {
				continue
			}
			if at := slices.IndexFunc(away.parts, func(p position) bool { return p.Partition == pos.Partition }); back && at >= 0 {
				pos.Next = away.parts[at].Next
			}
			if cur := s.add(&pos, c); first == nil {
				first = cur
			}
		}
		if first != nil && s.plan.IDs[t.Name] == "" && !wasAway {
			s.ledger.Note(probes.DeedRead, "records of "+t.Name+", made since (Fetch)", "")
		}
		if first != nil && wasAway {
			first.welcome(away, back)
		}
		if id := c.ids[t.Name]; id != "" {
			s.plan.IDs[t.Name] = id
		}
	}
}

// welcome says what happened to a topic that was away, and what is lost with the
// one that was there before.
func (c *cursor) welcome(away leftTopic, back bool) {
	if back {
		c.say(c.notice(fmt.Sprintf("topic %s is back", c.topic)))
		return
	}
	for i := range away.parts {
		if from, to := away.parts[i].Next, away.ends[i]; from < to {
			c.say(gapRecord(c.mk.source, away.parts[i].part(), from, to, fmt.Sprintf("the topic was deleted before offsets %d to %d were read", from, to-1)))
		}
	}
	c.say(c.notice(fmt.Sprintf("topic %s was deleted and made anew; the new one is read from its start", c.topic)))
}
