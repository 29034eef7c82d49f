package kafka

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
)

func TestNamesOfDeadLetterTopics(t *testing.T) {
	for name, origin := range map[string]string{"orders.DLT": "orders", "orders-dlq": "orders", "dlq.orders": "orders", "orders_dead_letter": "orders",
		"dead-letter-queue": "", "dead-letters": "", "OrdersDLQ": "Orders", "ordersDeadLetter": "orders", "orders.dlq.eu": "orders.eu", "orders-dead-letter-topic": "orders"} {
		if !namedDead(name) || originByName(name) != origin {
			t.Errorf("%s: %v, %q", name, namedDead(name), originByName(name))
		}
	}
	for _, name := range []string{"orders", "deadline", "letters", "adlt", "dlqx", "undeadlette", "orders-dead"} {
		if namedDead(name) {
			t.Errorf("%s is taken for one", name)
		}
	}
}

// springDead is a dead letter as Spring Kafka's DeadLetterPublishingRecoverer
// writes it.
func springDead(topic, origin string, body string, offset int64) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte("k-" + body), Value: []byte(body), Headers: []kgo.RecordHeader{
		{Key: "trace", Value: []byte("t-1")},
		{Key: "kafka_dlt-original-topic", Value: []byte(origin)},
		{Key: "kafka_dlt-original-partition", Value: binary.BigEndian.AppendUint32(nil, 2)},
		{Key: "kafka_dlt-original-offset", Value: binary.BigEndian.AppendUint64(nil, uint64(offset))},
		{Key: "kafka_dlt-exception-fqcn", Value: []byte("java.lang.IllegalStateException")},
		{Key: "kafka_dlt-exception-message", Value: []byte("no such customer")},
		{Key: "kafka_dlt-exception-stacktrace", Value: []byte("at …")},
	}}
}

func connectDead(topic, origin, body string) *kgo.Record {
	return &kgo.Record{Topic: topic, Value: []byte(body), Headers: []kgo.RecordHeader{
		{Key: "__connect.errors.topic", Value: []byte(origin)}, {Key: "__connect.errors.partition", Value: []byte("0")},
		{Key: "__connect.errors.offset", Value: []byte("41")}, {Key: "__connect.errors.connector.name", Value: []byte("sink")},
		{Key: "__connect.errors.exception.class.name", Value: []byte("org.apache.kafka.connect.errors.DataException")},
		{Key: "__connect.errors.exception.message", Value: []byte("bad magic byte")},
	}}
}

func deadAttr(r probes.Record, name string) string {
	v, _ := r.Attr(name)
	return v
}

// TestDeadLettersOfTopicsThatVanish: one that is deleted under the search is not
// missed, whether it was the only one or not.
func TestDeadLettersOfTopicsThatVanish(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		stays := b.topic(t, 1)
		b.produce(t, connectDead(stays, "orders", "a"))
		for _, topics := range [][]string{{stays}, nil} {
			goes, p := b.topic(t, 1), b.quick(t)
			b.produce(t, connectDead(goes, "orders", "b"))
			topics = append(topics, goes)
			c, err := p.cluster(limit(t), topics)
			if err != nil {
				t.Fatal(err)
			}
			g := &graveyard{p: p, cluster: c, found: map[string]*deadTopic{}}
			if err := g.measure(limit(t)); err != nil {
				t.Fatal(err)
			}
			b.drop(t, goes)
			if err := g.sample(limit(t)); err != nil {
				t.Fatal(err)
			}
			if _, ok := g.found[stays]; ok != slices.Contains(topics, stays) {
				t.Errorf("of %q found: %v", topics, g.found)
			}
		}
	})
}

func TestDeadLettersAreFoundAndSayWhy(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		origin := b.topic(t, 3)
		named, unnamed, empty := origin+".DLT", b.topic(t, 2), origin+"-dlq"
		for _, topic := range []string{named, empty} {
			b.create(t, topic, 1)
			t.Cleanup(func() { b.drop(t, topic) })
		}
		b.numbered(t, origin, 3, 0, 9)
		b.produce(t, springDead(named, origin, "a", 7), springDead(named, origin, "b", 8), connectDead(unnamed, origin, "c"))
		p := b.open(t, nil)
		all, err := p.DeadLetters(limit(t))
		if err != nil {
			t.Fatal(err)
		}
		find := func(topic string) probes.DeadLetter {
			t.Helper()
			i := slices.IndexFunc(all, func(d probes.DeadLetter) bool { return d.Subject == topic })
			if i < 0 {
				t.Fatalf("%s is not among %+v", topic, all)
			}
			return all[i]
		}
		if d := find(named); d.Count != 2 || d.Oldest.IsZero() || !slices.Equal(d.Origins, []string{origin}) || !strings.Contains(d.Because, "named like one; headers of Spring Kafka") {
			t.Errorf("%+v", d)
		}
		if d := find(unnamed); d.Count != 1 || !slices.Equal(d.Origins, []string{origin}) || !strings.HasPrefix(d.Because, "headers of Kafka Connect") {
			t.Errorf("%+v", d)
		}
		if d := find(empty); d.Count != 0 || !d.Oldest.IsZero() || !slices.Equal(d.Origins, []string{origin}) || d.Because != "named like one" {
			t.Errorf("%+v", d)
		}
		if slices.ContainsFunc(all, func(d probes.DeadLetter) bool { return d.Subject == origin }) {
			t.Error("the origin is taken for one")
		}
		var ledger probes.Ledger
		var got []probes.Record
		for r, err := range p.ShowDead(limit(t), probes.PeekQuery{Subject: named, Ledger: &ledger}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if d := cmp.Diff([]string{"a", "b"}, bodies(got)); d != "" {
			t.Fatal(d)
		}
		r := got[1]
		if deadAttr(r, probes.AttrDeadOrigin) != origin || deadAttr(r, attrDeadPartition) != "2" || deadAttr(r, attrDeadOffset) != "8" ||
			deadAttr(r, probes.AttrDeadReason) != "java.lang.IllegalStateException: no such customer" || deadAttr(r, probes.AttrDeadTime) == "" {
			t.Errorf("%+v", r.Attrs)
		}
		if d := ledger.Deeds(); len(d) != 1 || d[0].Kind != probes.DeedRead {
			t.Errorf("ledger %+v", d)
		}
	})
}

func TestRedriveSendsCopiesHome(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		origin, dlq, other := b.topic(t, 3), b.topic(t, 1), b.topic(t, 1)
		lost := connectDead(dlq, origin+"-gone", "d")
		b.produce(t, springDead(dlq, origin, "a", 7), springDead(dlq, origin, "b", 8), &kgo.Record{Topic: dlq, Value: []byte("c")}, lost,
			springDead(dlq, dlq, "e", 9))
		p := b.open(t, nil)
		redrive := func(q probes.RedriveQuery) (sent, failed []probes.Record, notice string) {
			t.Helper()
			q.Subject = dlq
			for r, err := range p.Redrive(limit(t), q) {
				switch {
				case err != nil:
					t.Fatal(err)
				case r.Kind == probes.Notice:
					notice = r.Err
				case r.Err != "":
					failed = append(failed, r)
				default:
					sent = append(sent, r)
				}
			}
			return sent, failed, notice
		}
		var ledger probes.Ledger
		sent, failed, notice := redrive(probes.RedriveQuery{Ledger: &ledger, Select: func(r *probes.Record) bool { return string(r.Body) != "a" }})
		if d := cmp.Diff([]string{"b"}, bodies(sent)); d != "" {
			t.Error(d)
		}
		if !strings.Contains(notice, "1 copies were sent") || !strings.Contains(notice, "stay in "+dlq) {
			t.Errorf("notice %q", notice)
		}
		var why []string
		for _, r := range failed {
			why = append(why, string(r.Body)+": "+r.Err)
		}
		if all := strings.Join(why, "\n"); len(failed) != 3 || !strings.Contains(all, "c: its headers do not say") || !strings.Contains(all, "d: ") ||
			!strings.Contains(all, "no topic") || !strings.Contains(all, "e: it came from this very topic") {
			t.Errorf("%s", all)
		}
		b.absent(t, origin+"-gone")
		kinds := map[probes.DeedKind]int{}
		for _, d := range ledger.Deeds() {
			kinds[d.Kind]++
		}
		if kinds[probes.DeedRead] != 1 || kinds[probes.DeedCreated] != 2 {
			t.Errorf("ledger %+v", ledger.Deeds())
		}
		back := read(t, p, probes.TailQuery{Subject: origin, From: earliest, Until: latest})
		if len(back) != 1 || string(back[0].Key) != "k-b" || string(back[0].Body) != "b" || back[0].ID != sent[0].ID {
			t.Fatalf("%+v", back)
		}
		want := []probes.Field{{Name: "trace", Value: []byte("t-1")}, {Name: probes.HeaderRedriven, Value: []byte("1 from " + dlq)}}
		if d := cmp.Diff(want, back[0].Header); d != "" {
			t.Error(d)
		}
		// Elsewhere, a few, and those that were redriven before.
		sent, failed, _ = redrive(probes.RedriveQuery{To: other, Limit: 3})
		if d := cmp.Diff([]string{"a", "b", "c"}, bodies(sent)); d != "" || len(failed) > 0 {
			t.Errorf("%s %+v", d, failed)
		}
		again := springDead(dlq, origin, "f", 1)
		again.Headers = append(again.Headers, kgo.RecordHeader{Key: probes.HeaderRedriven, Value: []byte("1 from " + dlq)})
		b.produce(t, again)
		sent, _, _ = redrive(probes.RedriveQuery{To: other, Select: func(r *probes.Record) bool { return string(r.Body) == "f" }})
		if v, _ := sent[0].HeaderValue(probes.HeaderRedriven); string(v) != "2 from "+dlq {
			t.Errorf("marked %q", v)
		}
	})
}

// TestRedriveEndsWhereItBegan: what dies again while it runs is left alone.
func TestRedriveEndsWhereItBegan(t *testing.T) {
	b := realBed(t)
	dlq, origin := b.topic(t, 1), b.topic(t, 1)
	b.produce(t, springDead(dlq, origin, "a", 1), springDead(dlq, origin, "b", 2))
	n := 0
	for r, err := range b.open(t, nil).Redrive(limit(t), probes.RedriveQuery{Subject: dlq}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == probes.Message {
			n++
			b.produce(t, springDead(dlq, origin, "again", int64(n)))
		}
	}
	if n != 2 {
		t.Errorf("sent %d of 2", n)
	}
}
