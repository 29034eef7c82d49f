package aws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

const (
	// receivers ask at the same time: one takes no more than ten messages in each
	// round trip. A FIFO queue has one, so that order is kept.
	receivers = 4
	longPoll  = 10 * time.Second
	// tapHides is how long a message is hidden that was lost on the way to us, when
	// the connection broke. It is deleted as soon as it arrives.
	tapHides = 10 * time.Second
	// guardEvery is how often it is asked whether topic and subscription are still
	// there: a queue alone would stay silent for ever.
	guardEvery = 5 * time.Second
	// behind is how old a message may be before it is said that older ones may be
	// gone, behindEvery how often it is said.
	behind, behindEvery = tapKeeps - 5*time.Minute, 5 * time.Minute
	// throttled is the pause after AWS has asked for one.
	throttled = 2 * time.Second
)

// read shows what comes by the tap, until the context ends, the caller has had
// enough or something fails. Received messages that could not be shown are kept
// with the tap.
func (t *tail) read(ctx context.Context, b *tap) error {
	if !t.show(b, b.take()) {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	out := make(chan []types.Message)
	failed := make(chan error, receivers+1) // as many as can fail
	var workers sync.WaitGroup
	n := receivers
	if isFIFO(b.name) {
		n = 1
	}
	for range n {
		workers.Go(func() { b.receive(ctx, out, failed) })
	}
	workers.Go(func() { b.guard(ctx, failed) })
	err := t.follow(ctx, b, out, failed)
	stop()
	workers.Wait()
	if err != nil {
		t.show(b, b.take())
	}
	return err
}

func (t *tail) follow(ctx context.Context, b *tap, out <-chan []types.Message, failed <-chan error) error {
	for {
		select {
		case batch := <-out:
			if !t.show(b, batch) {
				return nil
			}
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// show yields messages; false when the caller has had enough.
func (t *tail) show(b *tap, batch []types.Message) bool {
	for i := range batch {
		m := &batch[i]
		sent := system(m.Attributes).time(types.MessageSystemAttributeNameSentTimestamp)
		if now := time.Now(); !sent.IsZero() && now.Sub(sent) > behind && b.mayTell(now) &&
			!t.emit(gap(t.source, fmt.Sprintf("this tail is %s behind, and its queue keeps messages for %s: older ones may be gone", now.Sub(sent).Round(time.Second), tapKeeps))) {
			return false
		}
		if !t.emit(notification(m, t.source, t.query.MaxBody)) {
			return false
		}
	}
	return true
}

// receive takes messages from the queue until the context ends. A message is
// deleted when it has arrived here, not when it has been shown: nobody else wants
// it, and so a slow reader does not get it again.
func (b *tap) receive(ctx context.Context, out chan<- []types.Message, failed chan<- error) {
	p := b.owner.probe
	for ctx.Err() == nil {
		asked := time.Now()
		batch, err := receive(ctx, p, b.URL, perCall, tapHides, longPoll)
		switch {
		case ctx.Err() != nil && err != nil:
			return
		case errors.Is(err, probes.ErrLimit):
			pause(ctx, throttled)
			continue
		case b.young(err):
			pause(ctx, settling)
			continue
		case errors.Is(err, probes.ErrNotFound):
			failed <- errTapGone
			return
		case err != nil:
			failed <- err
			return
		}
		var receipts []string
		for i := range batch {
			receipts = append(receipts, sdk.ToString(batch[i].ReceiptHandle))
		}
		if len(receipts) > 0 {
			// What is not deleted comes again, and is known then.
			_ = remove(ctx, p, b.URL, receipts)
		}
		if batch = b.fresh(batch); len(batch) == 0 {
			if time.Since(asked) < settling { // a stand-in for SQS that does not wait
				pause(ctx, settling)
			}
			continue
		}
		select {
		case out <- batch:
		case <-ctx.Done():
			b.keep(batch)
		}
	}
}

// guard watches topic and subscription, and puts the expiry off.
func (b *tap) guard(ctx context.Context, failed chan<- error) {
	renewed, missed := time.Now(), 0
	for pause(ctx, guardEvery) {
		err := b.there(ctx)
		if missed++; err == nil {
			missed = 0
		}
		// Once may be a replica of SNS that is behind.
		if missed > 1 {
			failed <- err
			return
		}
		if time.Since(renewed) > tapRenews && b.renew(ctx) == nil {
			renewed = time.Now()
		}
	}
}

// there reports what was taken away. Not being able to ask is no answer.
func (b *tap) there(ctx context.Context) error {
	p := b.owner.probe
	if _, err := lookTopic(ctx, p, b.Topic); errors.Is(err, probes.ErrNotFound) {
		return &fault{kind: probes.ErrNotFound, err: errors.New("the topic was deleted while it was tailed")}
	}
	if _, err := subscriptionAttributes(ctx, p, b.Subscription); errors.Is(err, probes.ErrNotFound) {
		return errTapGone
	}
	return nil
}

// fresh drops what has come before, and notes that the queue answers.
func (b *tap) fresh(batch []types.Message) []types.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = true
	out := batch[:0]
	for _, m := range batch {
		if b.recent.add(sdk.ToString(m.MessageId)) {
			out = append(out, m)
		}
	}
	return out
}

func (b *tap) keep(batch []types.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backlog = append(b.backlog, batch...)
}

// take returns what was kept.
func (b *tap) take() []types.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.backlog
	b.backlog = nil
	return out
}

// mayTell limits how often a tail says that it is behind.
func (b *tap) mayTell(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.told) < behindEvery {
		return false
	}
	b.told = now
	return true
}

// recent knows the ids of the last messages.
type recent struct {
	known map[string]bool
	order []string
	next  int
}

// recentIDs is more than SQS can have given us within tapHides at a good rate.
const recentIDs = 1 << 15

// add is false if the id is known.
func (r *recent) add(id string) bool {
	if r.known[id] {
		return false
	}
	if r.known == nil {
		r.known = map[string]bool{}
	}
	if len(r.order) < recentIDs {
		r.order = append(r.order, id)
	} else {
		delete(r.known, r.order[r.next])
		r.order[r.next] = id
		r.next = (r.next + 1) % recentIDs
	}
	r.known[id] = true
	return true
}
