package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

// TestTailShowsNoAbortedTransaction mixes committed, aborted and plain records.
func TestTailShowsNoAbortedTransaction(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		txn := newBed(t, b.addr, kgo.TransactionalID(name(t)))
		transact := func(commit bool, from, to int) {
			t.Helper()
			if err := txn.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			txn.numbered(t, topic, 1, from, to)
			if err := txn.EndTransaction(limit(t), kgo.TransactionEndTry(commit)); err != nil {
				t.Fatal(err)
			}
		}
		b.numbered(t, topic, 1, 0, 3)
		transact(true, 3, 6)
		transact(false, 100, 120)
		b.numbered(t, topic, 1, 6, 7)
		transact(false, 120, 130)
		transact(true, 7, 10)
		b.decided(t, topic)
		p := b.open(t, nil)
		for name, q := range map[string]probes.TailQuery{
			"all":                  {Subject: topic, From: earliest, Until: latest},
			"the newest, widening": {Subject: topic, Last: 10},
		} {
			if d := cmp.Diff(numbers(0, 10), bodies(read(t, p, q))); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		// Offsets 5 on: a marker, the aborted records, their marker.
		if d := cmp.Diff(numbers(5, 10), bodies(read(t, p, probes.TailQuery{Subject: topic, From: at(5), Until: latest}))); d != "" {
			t.Error(d)
		}
	})
}

// decided waits until no transaction in partition 0 is open: a broker answers to
// its end before the markers are written.
func (b *bed) decided(t *testing.T, topic string) {
	t.Helper()
	const uncommitted, committed = 0, 1 // isolation levels
	end := func(isolation int8) int64 {
		req := kmsg.NewPtrListOffsetsRequest()
		req.IsolationLevel = isolation
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Timestamp = -1 // the end
		of := kmsg.NewListOffsetsRequestTopic()
		of.Topic, of.Partitions = topic, append(of.Partitions, part)
		req.Topics = append(req.Topics, of)
		res, err := req.RequestWith(limit(t), b.Client)
		if err != nil {
			t.Fatal(err)
		}
		return res.Topics[0].Partitions[0].Offset
	}
	for ctx := limit(t); end(committed) != end(uncommitted); {
		select {
		case <-ctx.Done():
			t.Fatal("a transaction stays open")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestTailShowsAnOpenTransactionOnceItIsCommitted, with what came after it.
func TestTailShowsAnOpenTransactionOnceItIsCommitted(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		txn := newBed(t, b.addr, kgo.TransactionalID(name(t)))
		if err := txn.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		txn.numbered(t, topic, 1, 0, 2)
		b.numbered(t, topic, 1, 2, 4)
		p := b.open(t, nil)
		if got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest}); len(got) > 0 {
			t.Fatalf("showed %q, which nobody has committed", bodies(got))
		}
		if err := txn.EndTransaction(limit(t), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(numbers(0, 4), bodies(read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: at(4)}))); d != "" {
			t.Error(d)
		}
	})
}

// TestTailSaysWhatItWaitsFor: an open transaction holds everything after it back.
func TestTailSaysWhatItWaitsFor(t *testing.T) {
	eachBed(t, testWaits)
}

func testWaits(t *testing.T, b *bed) {
	topic := b.topic(t, 1)
	txn := newBed(t, b.addr, kgo.TransactionalID(name(t)))
	b.numbered(t, topic, 1, 0, 1)
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	txn.numbered(t, topic, 1, 1, 3)
	var got []string
	for r, err := range b.open(t, nil).Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == probes.Notice {
			if !strings.Contains(r.Err, "waits at offset 1") || !strings.Contains(r.Err, "2 messages") {
				t.Errorf("notice: %s", r.Err)
			}
			if err := txn.EndTransaction(limit(t), kgo.TryCommit); err != nil {
				t.Fatal(err)
			}
		}
		if got = append(got, bodies([]probes.Record{r})...); len(got) == 4 {
			break
		}
	}
	if d := cmp.Diff([]string{"0", "notice", "1", "2"}, got); d != "" {
		t.Error(d)
	}
}
