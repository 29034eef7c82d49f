package kafka

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
)

const hostile = "\x1b[2J\x00\xff\xfe\u202e\x9b31m\r\n"

// TestBytesArriveAsTheyAre: control characters, invalid UTF-8, absent and empty
// keys, values and headers, names that repeat.
func TestBytesArriveAsTheyAre(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		want := []probes.Record{
			{Key: []byte(hostile), Body: []byte(hostile), Header: []probes.Field{{Name: hostile, Value: []byte(hostile)}, {Name: "", Value: []byte{}}, {Name: "n"}, {Name: "n", Value: []byte("2")}}},
			{Key: nil, Body: nil},
			{Key: []byte{}, Body: []byte{}},
		}
		for _, r := range want {
			rec := &kgo.Record{Topic: topic, Key: r.Key, Value: r.Body}
			for _, h := range r.Header {
				rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
			}
			b.produce(t, rec)
		}
		p := b.open(t, nil)
		for _, r := range want { // and what we publish ourselves
			r.Source.Subject = topic
			if _, err := p.Publish(limit(t), r); err != nil {
				t.Fatal(err)
			}
		}
		got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest})
		if d := cmp.Diff(append(want, want...), got, cmpopts.IgnoreFields(probes.Record{}, "ID", "Kind", "Source", "Time", "Seen", "Attrs", "Native")); d != "" {
			t.Error(d)
		}
	})
}

// TestHostileNames are refused as names of nothing; none is created.
func TestHostileNames(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		p := b.open(t, nil)
		// Its bracket would make it a pattern.
		name := strings.ReplaceAll(hostile, "[", "(")
		for _, subject := range []string{name, "a\x00b", "orders\n", strings.Repeat("x", 40_000), "..", "ä", "t\x1b]0;owned\x07"} {
			if strings.TrimSpace(subject) != subject {
				subject += "x"
			}
			for _, err := range p.Tail(limit(t), probes.TailQuery{Subject: subject}) {
				wantError(t, err, probes.ErrNotFound, "no topic")
			}
			_, err := p.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: subject}, Body: []byte("x")})
			wantError(t, err, probes.ErrNotFound, "no topic")
		}
		for _, err := range p.Discover(limit(t), probes.DiscoverQuery{Subject: hostile}) {
			wantError(t, err, probes.ErrNotFound, "no topic")
		}
		b.absent(t, name+"x", "a\x00b", "orders\nx", "..", "ä")
	})
}
