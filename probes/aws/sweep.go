package aws

import (
	"context"
	"fmt"
	"strings"
	"time"

	"iscope/probes"
)

// maxSwept bounds how much one start cleans up.
const maxSwept = 50

// sweep removes taps that nobody reads any more: those of processes that were
// killed on this machine, and those whose expiry has passed. It takes queues with
// our name and our tags only. What it may not do, it leaves.
func (t *topics) sweep(ctx context.Context, l *probes.Ledger) {
	t.sweepKilled(ctx, l)
	t.sweepExpired(ctx, l)
}

func (t *topics) sweepKilled(ctx context.Context, l *probes.Ledger) {
	s, err := t.open(ctx)
	if err != nil {
		return
	}
	for _, e := range t.state.stale(t.set.endpoint+t.set.sqsEndpoint, s.region) {
		if ctx.Err() != nil || !t.clean(ctx, l, e.leftover, "left by an iscope that was killed") {
			e.release()
			continue
		}
		e.remove()
	}
}

func (t *topics) clean(ctx context.Context, l *probes.Ledger, what leftover, why string) bool {
	l.Note(probes.DeedRemoved, fmt.Sprintf("queue %s and its subscription to topic %s, %s", what.Queue, what.Topic, why), "")
	if err := t.dismantle(ctx, what); err != nil {
		l.Note(probes.DeedLeft, fmt.Sprintf("queue %s and its subscription: %v", what.Queue, err), "the next start tries again")
		return false
	}
	return true
}

func (t *topics) sweepExpired(ctx context.Context, l *probes.Ledger) {
	urls, _, err := listQueues(ctx, t.probe, tapPrefix, maxSwept)
	if err != nil {
		return
	}
	for _, url := range urls {
		tags, err := queueTags(ctx, t.probe, url)
		if err != nil || !expired(nameOfURL(url), tags, time.Now()) {
			continue
		}
		one, err := look(ctx, t.probe, url)
		if err != nil {
			continue
		}
		t.clean(ctx, l, leftover{Queue: one.name, URL: url, QueueARN: one.arn, Topic: tags[tagTopic]}, "expired, of "+tags[tagOwner])
	}
}

// expired is false for a queue that is not certainly a tap whose owner is gone.
func expired(name string, tags map[string]string, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, tags[tagExpires])
	return strings.HasPrefix(name, tapPrefix) && tags[tagOwner] != "" && tags[tagTopic] != "" && err == nil && now.After(at.Add(tapGrace))
}
