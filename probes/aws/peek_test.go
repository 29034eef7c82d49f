package aws

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"iscope/probes"
)

// twoServers runs a test on both real servers.
func twoServers(t *testing.T, test func(t *testing.T, b *bed)) {
	for _, name := range []string{"aws", "elasticmq"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBed(t, name))
		})
	}
}

func peekAt(t *testing.T, conn *probes.Conn, q probes.PeekQuery) ([]probes.Record, error) {
	t.Helper()
	p, err := conn.Peeker()
	must(t, 0, err)
	return drained(t, p.Peek(within(t), q))
}

// TestPeek: each message is seen once, costs one receive, and is there for its
// consumer at once.
func TestPeek(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, _, url, deadURL := b.pair(t, "", 5)
		want := (&counter{}).bodies(12)
		b.send(t, url, want...)
		led := &probes.Ledger{}
		received := 0
		led.OnDeed = func(d probes.Deed) { received = len(b.receive(t, url, 1, 0)) } // nothing is hidden yet
		recs, err := peekAt(t, b.open(t, "sqs", nil), probes.PeekQuery{Subject: name, Limit: 20, Ledger: led})
		must(t, 0, err)
		got, ids := bodiesOf(recs), map[string]bool{}
		for _, r := range recs {
			if r.Kind == probes.Message && ids[r.ID] {
				t.Errorf("%s was seen twice", r.ID)
			}
			ids[r.ID] = true
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("saw %v", got)
		}
		if d := led.Deeds(); len(d) != 1 || d[0].Kind != probes.DeedChanged || !strings.Contains(d[0].What, "after 5 receives, so a new one has 4 left") || received != 1 {
			t.Errorf("%d could be received when the ledger said %+v", received, d)
		}
		if n, dead := b.visible(t, url), b.visible(t, deadURL); n != len(want) || dead != 0 {
			t.Errorf("%d messages can be received, %d are dead", n, dead)
		}
		for _, m := range b.receive(t, url, 10, time.Minute) {
			if n := atoi(t, m.Attributes["ApproximateReceiveCount"]); n > 3 {
				t.Errorf("received %d times: by this test twice at most, and once by the look", n)
			}
		}
	})
}

func TestPeekRefuses(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		conn := b.open(t, "sqs", nil)
		name, dead, url, deadURL := b.pair(t, "", 2)
		b.send(t, url, "one")
		led := &probes.Ledger{}
		_, err := peekAt(t, conn, probes.PeekQuery{Subject: name, Ledger: led})
		if !errors.Is(err, probes.ErrRefused) || !strings.Contains(err.Error(), dead) || len(led.Deeds()) > 0 {
			t.Fatalf("%v, ledger %v", err, led.Deeds())
		}
		recs, err := peekAt(t, conn, probes.PeekQuery{Subject: name, Force: true, Ledger: led})
		if err != nil || len(bodiesOf(recs)) != 1 || len(led.Deeds()) != 1 {
			t.Errorf("forced: %v %v, ledger %v", recs, err, led.Deeds())
		}
		if n := b.visible(t, deadURL); n != 0 {
			t.Errorf("%d dead letters", n)
		}
	})
}

// TestPeekStops at a message that has failed before.
func TestPeekStops(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, _, url, _ := b.pair(t, "", 3)
		b.send(t, url, (&counter{}).bodies(4)...)
		for range 1 { // each has been received once
			for left := 4; left > 0; {
				batch := b.receive(t, url, 10, time.Second)
				left -= len(batch)
			}
		}
		for ctx := within(t); b.visible(t, url) < 4; {
			if ctx.Err() != nil {
				t.Fatal("they do not come back")
			}
		}
		recs, err := peekAt(t, b.open(t, "sqs", nil), probes.PeekQuery{Subject: name})
		must(t, 0, err)
		text := ""
		for _, r := range recs {
			if r.Kind == probes.Notice {
				text += r.Err + "; "
			}
		}
		if n := len(bodiesOf(recs)); n != 1 || !strings.Contains(text, "received 2 times, with 3 it goes to") || !strings.Contains(text, "a sample") {
			t.Errorf("%d messages, %s", n, text)
		}
	})
}

// TestPeekOfFIFO hides nothing: the group can be received the moment after.
func TestPeekOfFIFO(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, _, url, _ := b.pair(t, fifoSuffix, 10)
		want := (&counter{}).bodies(12)
		b.send(t, url, want...)
		conn := b.open(t, "sqs", nil)
		led := &probes.Ledger{}
		recs, err := peekAt(t, conn, probes.PeekQuery{Subject: name, Limit: 20, Ledger: led})
		must(t, 0, err)
		if got := bodiesOf(recs); len(got) > 10 || len(got) == 0 || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("saw %v", got)
		}
		if string(recs[0].Key) != "g" || recs[len(recs)-1].Kind != probes.Notice || !strings.Contains(led.Deeds()[0].Until, "not hidden") {
			t.Errorf("key %q, last %+v, ledger %+v", recs[0].Key, recs[len(recs)-1], led.Deeds())
		}
		if first := b.receive(t, url, 1, time.Second); len(first) != 1 || *first[0].Body != want[0] {
			t.Errorf("its consumer receives %v", first)
		}
	})
}

func TestPeekReleasesWhenLeft(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name := unique(t, "")
		url := b.queue(t, name, nil)
		b.send(t, url, (&counter{}).bodies(20)...)
		p, err := b.open(t, "sqs", nil).Peeker()
		must(t, 0, err)
		for r, err := range p.Peek(within(t), probes.PeekQuery{Subject: name, Limit: 20}) {
			must(t, r, err)
			break
		}
		if n := b.visible(t, url); n != 20 {
			t.Errorf("%d of 20 can be received", n)
		}
	})
}

func TestQueueCannotBeTailed(t *testing.T) {
	b := newBed(t, "aws")
	name := unique(t, "")
	arn := b.topic(t, unique(t, ""))
	url := b.queue(t, name, nil)
	policy, err := tapPolicy(arn)
	must(t, 0, err)
	b.set(t, url, "Policy", policy)
	b.send(t, url, "one")
	tailer, err := b.open(t, "sqs", nil).Tailer()
	must(t, 0, err)
	recs, err := drained(t, tailer.Tail(within(t), probes.TailQuery{Subject: name}))
	if !errors.Is(err, probes.ErrUnsupported) || len(recs) > 0 || !strings.Contains(probes.HintOf(err), "peek") || !strings.Contains(probes.HintOf(err), arn) {
		t.Errorf("%v; hint %q", err, probes.HintOf(err))
	}
	if m := b.receive(t, url, 1, 0); atoi(t, m[0].Attributes["ApproximateReceiveCount"]) != 1 {
		t.Error("it was received")
	}
}
