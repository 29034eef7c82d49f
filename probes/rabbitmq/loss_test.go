package rabbitmq

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// TestLossIsCounted has a reader that is too slow for the bound of its tap: what
// it got and what was said to be lost is exactly what was published, and an
// application's queue beside it got everything.
//
// It is counted the same where the user may touch nothing but what is ours.
func TestLossIsCounted(t *testing.T) {
	b := newBed(t)
	t.Run("by the default exchange", func(t *testing.T) { testLoss(t, b, b.user(), b.password()) })
	t.Run("by an own exchange", func(t *testing.T) {
		b := newBed(t)
		user := b.newUser(t, "monitoring")
		b.allow(t, user, `^iscope\.tap\.`, `^iscope\.tap\.`, `.*`)
		testLoss(t, b, user, "secret")
	})
}

func testLoss(t *testing.T, b *bed, user, password string) {
	const n = 20_000
	b.exchange(t, "x", "topic", nil)
	b.queue(t, "app", nil)
	b.bind(t, "app", "#", "x")
	before := b.left(t)
	p := b.open(t, func(t *probes.Target) {
		t.Options[optMaxLength], t.Options[optPrefetch] = "500", "50"
		t.Auth = probes.Auth{Username: user, Password: probes.NewSecret(password)}
	})
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	got, lost, gaps := 0, int64(0), 0
	started := false
	go func() {
		b.bound(t, "x")
		b.publish(t, "x", "k", []byte("first"))
	}()
	for r, err := range p.Tail(ctx, probes.TailQuery{Subject: "exchange/x"}) {
		if err != nil {
			t.Fatal(err)
		}
		switch r.Kind {
		case probes.Gap:
			text, _ := r.Attr(probes.AttrCount)
			k, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Fatalf("a gap without a count: %+v", r)
			}
			lost, gaps = lost+k, gaps+1
		case probes.Message:
			got++
		}
		if !started {
			// The first message is here: the tail now waits for us.
			started = true
			b.publish(t, "x", "k", numbered(1, n)...)
		}
		if int64(got)+lost >= n {
			stop()
		}
	}
	if int64(got)+lost != n || lost == 0 || gaps == 0 {
		t.Errorf("%d received and %d lost in %d gaps, of %d", got, lost, gaps, n)
	}
	if d := cmp.Diff(before, b.left(t)); d != "" {
		t.Errorf("left behind (-before +after):\n%s", d)
	}
	if app, err := b.channel(t).QueuePurge("app", false); err != nil || app != n {
		t.Errorf("the application got %d of %d (%v)", app, n, err)
	}
}

// TestPolicyCannotTakeWhatATapDrops: a policy on all queues names a dead-letter
// exchange; nothing of ours may come there.
func TestPolicyCannotTakeWhatATapDrops(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "dlx", "fanout", nil)
	b.queue(t, "dead", nil)
	b.bind(t, "dead", "", "dlx")
	b.api(t, "PUT", "/api/policies/"+b.vhost+"/all", map[string]any{"pattern": ".*", "apply-to": "queues",
		"definition": map[string]any{"dead-letter-exchange": "dlx"}}, nil)
	b.exchange(t, "x", "topic", nil)
	p := b.open(t, func(t *probes.Target) { t.Options[optMaxLength], t.Options[optPrefetch] = "10", "1" })
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	go func() {
		b.bound(t, "x")
		b.publish(t, "x", "k", numbered(0, 1000)...)
	}()
	total := int64(0)
	for r, err := range p.Tail(ctx, probes.TailQuery{Subject: "exchange/x"}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == probes.Gap {
			text, _ := r.Attr(probes.AttrCount)
			k, _ := strconv.ParseInt(text, 10, 64)
			total += k
		} else {
			total++
		}
		if total >= 1000 {
			stop()
		}
	}
	if got := b.drain(t, "dead"); len(got) > 0 {
		t.Errorf("%d messages of the tap came to the application's dead letters", len(got))
	}
}

// TestWindowOfLargeMessages stalls the reader of large messages: few are under
// way. With small ones it is the prefetch.
func TestWindowOfLargeMessages(t *testing.T) {
	for _, c := range []struct {
		name, subject string
		size, n       int
		least, most   int64 // most: the first window may not be settled yet
	}{
		{"large, tap", "exchange/x", 1 << 20, 80, 21, 52},
		{"small, tap", "exchange/x", 100, 1000, 300, 320},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			b.exchange(t, "x", "fanout", nil)
			p := b.open(t, func(t *probes.Target) { t.Options[optPrefetch] = "300" })
			ctx, stop := context.WithCancel(limit(t))
			defer stop()
			read, published, stalled, done := 0, make(chan struct{}), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for r, err := range p.Tail(ctx, probes.TailQuery{Subject: c.subject}) {
					if err != nil {
						t.Error(err)
						return
					}
					if read++; read == 1 {
						select {
						case <-published: // a pause in the first window begins it anew
						case <-ctx.Done():
						}
					}
					// Twice, for a pause that the machine makes.
					if read == 2*firstWindow+5 && r.Kind == probes.Message {
						close(stalled)
						<-ctx.Done()
					}
				}
			}()
			b.bound(t, "x")
			b.publish(t, "x", "", slices.Repeat([][]byte{make([]byte, c.size)}, c.n)...)
			close(published)
			<-stalled
			// Statistics come once a second, and no earlier than all was sent.
			var unacked int64
			wait(t, "the window", func() bool {
				var list []queue
				b.api(t, "GET", "/api/queues/"+b.vhost, nil, &list)
				for _, q := range list {
					if strings.HasPrefix(q.Name, tapPrefix) && !strings.Contains(q.Name[len(tapPrefix):], ".") && q.Unacked != nil {
						unacked = *q.Unacked
					}
				}
				return unacked >= c.least
			})
			stop()
			<-done
			if unacked > c.most {
				t.Errorf("%d messages are under way", unacked)
			}
		})
	}
}

// newUser makes a user with the password "secret".
func (b *bed) newUser(t testing.TB, tags string) string {
	t.Helper()
	user := name(t)
	b.api(t, "PUT", "/api/users/"+user, map[string]any{"password": "secret", "tags": tags}, nil)
	t.Cleanup(func() { b.api(t, "DELETE", "/api/users/"+user, nil, nil) })
	return user
}
