package kafka

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/segmentio/kafka-go/compress"

	"iscope/probes"
)

// reading is a cursor over orders/2, from offset next on.
func reading(next, stop int64) *cursor {
	pt := part{"orders", 2}
	return &cursor{part: pt, next: next, fetchAt: next, stop: stop, maxBytes: partBytes, mk: newMaker("test", pt, 0, false, false)}
}

// feed gives the cursor one answer and drains it: "5:body" per message,
// "5+3:reason" per gap.
func feed(c *cursor, sets ...[]byte) []string {
	return feedAborted(c, nil, sets...)
}

func feedAborted(c *cursor, voids []aborted, sets ...[]byte) []string {
	c.accept(&fetched{part: c.part, high: 1 << 40, stable: 1 << 40, records: slices.Concat(sets...), aborted: voids})
	var out []string
	for c.fill() {
		r := c.pop().rec
		if r.Kind == probes.Gap {
			n, _ := r.Attr(probes.AttrCount)
			reason, _ := r.Attr(probes.AttrReason)
			at, _ := r.Attr(probes.AttrOffset)
			out = append(out, fmt.Sprintf("%s+%s:%s", at, n, reason))
			continue
		}
		at, _ := r.Attr(probes.AttrOffset)
		out = append(out, at+":"+string(r.Body))
	}
	return out
}

func TestCursorPassesOverWhatIsNoMessage(t *testing.T) {
	ab := forged{base: 10, records: []forgedRecord{message(0, "a"), message(1, "b")}}.bytes(t)
	damaged := slices.Clone(ab)
	damaged[len(damaged)-1] ^= 1
	for name, c := range map[string]struct {
		next, stop int64
		sets       [][]byte
		aborted    []aborted
		want       []string
		end        int64 // where it goes on
	}{
		"plain":                 {10, -1, [][]byte{ab}, nil, []string{"10:a", "11:b"}, 12},
		"before what is wanted": {11, -1, [][]byte{ab}, nil, []string{"11:b"}, 12},
		"after what is wanted":  {10, 11, [][]byte{ab}, nil, []string{"10:a"}, 11},
		"compacted in the middle": {10, -1, [][]byte{forged{base: 10, last: 9, records: []forgedRecord{message(0, "a"), message(7, "h")}}.bytes(t)}, nil,
			[]string{"10:a", "17:h"}, 20},
		"compacted to nothing": {10, -1, [][]byte{forged{base: 10, last: 9}.bytes(t), forged{base: 20, records: []forgedRecord{message(0, "k")}}.bytes(t)},
			nil, []string{"20:k"}, 21},
		"only empty batches": {10, -1, [][]byte{forged{base: 10, last: 4}.bytes(t), forged{base: 15, last: 4}.bytes(t), forged{base: 20, last: 4}.bytes(t)},
			nil, nil, 25},
		"control batches": {10, -1, [][]byte{marker(t, 10, 5, true), marker(t, 11, 5, false)}, nil, nil, 12},
		"an aborted transaction": {10, -1, [][]byte{
			forged{base: 10, attrs: attrTxn, producer: 5, records: []forgedRecord{message(0, "void"), message(1, "void")}}.bytes(t),
			forged{base: 12, attrs: attrTxn, producer: 6, records: []forgedRecord{message(0, "other")}}.bytes(t),
			marker(t, 13, 5, false),
			forged{base: 14, attrs: attrTxn, producer: 5, records: []forgedRecord{message(0, "next")}}.bytes(t),
			marker(t, 15, 5, true), marker(t, 16, 6, true)},
			[]aborted{{5, 10}}, []string{"12:other", "14:next"}, 17},
		"an abort whose records came before": {13, -1, [][]byte{marker(t, 13, 5, false),
			forged{base: 14, attrs: attrTxn, producer: 5, records: []forgedRecord{message(0, "next")}}.bytes(t)},
			[]aborted{{5, 10}}, []string{"14:next"}, 15},
		"a truncated last batch": {10, -1, [][]byte{ab, ab[:30]}, nil, []string{"10:a", "11:b"}, 12},
		"a damaged batch": {10, -1, [][]byte{damaged, forged{base: 12, records: []forgedRecord{message(0, "c")}}.bytes(t)}, nil,
			[]string{"10+2:the batch at offset 10 cannot be read: checksum mismatch", "12:c"}, 13},
		"an unknown codec": {10, -1, [][]byte{forged{base: 10, attrs: 7, records: []forgedRecord{message(0, "a")}}.bytes(t)}, nil,
			[]string{"10+1:the batch at offset 10 cannot be read: unknown compression 7"}, 11},
		"garbage for snappy": {10, -1, [][]byte{forged{base: 10, attrs: 2, records: []forgedRecord{message(0, "not snappy")}}.bytes(t)}, nil,
			[]string{"10+1:the batch at offset 10 cannot be read: decompressing snappy: s2: corrupt input"}, 11},
		"fewer records than it says": {10, -1, [][]byte{forged{base: 10, last: 4, count: 5, records: []forgedRecord{message(0, "a")}}.bytes(t)}, nil,
			[]string{"10:a", "11+4:the batch at offset 10 cannot be read: malformed record"}, 15},
		"a record outside of its batch": {10, -1, [][]byte{forged{base: 10, records: []forgedRecord{message(0, "a"), message(-3, "b")}}.bytes(t)}, nil,
			[]string{"10:a", "11+:the batch at offset 10 cannot be read: malformed record"}, 11},
		"an impossible length": {10, -1, [][]byte{ab, bytes.Repeat([]byte{0xff}, 80)}, nil,
			[]string{"10:a", "11:b", "12+1:what the broker sends for offset 12 cannot be read: a batch of 11 bytes cannot be"}, 13},
	} {
		t.Run(name, func(t *testing.T) {
			cur := reading(c.next, c.stop)
			if d := cmp.Diff(c.want, feedAborted(cur, c.aborted, c.sets...)); d != "" {
				t.Error(d)
			}
			if cur.next != c.end {
				t.Errorf("goes on at %d, want %d", cur.next, c.end)
			}
			if cur.fetchAt < cur.next {
				t.Errorf("would fetch offset %d again, being at %d", cur.fetchAt, cur.next)
			}
		})
	}
}

func TestCursorReadsAllCodecs(t *testing.T) {
	for _, codec := range []compress.Compression{compress.None, compress.Gzip, compress.Snappy, compress.Lz4, compress.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			var recs []forgedRecord
			var want []string
			for i := range 3000 {
				body := strings.Repeat(fmt.Sprint(i), 20)
				recs = append(recs, message(int64(i), body))
				want = append(want, fmt.Sprintf("%d:%s", 100+i, body))
			}
			got := feed(reading(0, -1), forged{base: 100, codec: codec, records: recs}.bytes(t))
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRecordsAreWhatWasStored(t *testing.T) {
	set := slices.Concat(
		forged{base: 5, codec: compress.Zstd, producer: 77, attrs: attrTxn, records: []forgedRecord{{time: 3, key: []byte{}, value: nil, headers: []rawHeader{
			{[]byte("a"), []byte("1")}, {[]byte("a"), nil}, {[]byte("b"), []byte{}}}}}}.bytes(t),
		forged{base: 6, attrs: attrAppend, newest: 9000, records: []forgedRecord{{time: 3, key: nil, value: []byte{}}}}.bytes(t))
	c := reading(0, -1)
	c.accept(&fetched{high: 7, stable: 7, records: set})
	var got []probes.Record
	for c.fill() {
		got = append(got, c.pop().rec)
	}
	source := probes.Ref{Target: "test", Subject: "orders"}
	want := []probes.Record{
		{ID: "2/5", Kind: probes.Message, Source: source, Time: clockMillis(1003), Key: []byte{},
			Header: []probes.Field{{Name: "a", Value: []byte("1")}, {Name: "a"}, {Name: "b", Value: []byte{}}},
			Attrs:  []probes.Attr{{Name: probes.AttrPartition, Value: "2"}, {Name: probes.AttrOffset, Value: "5"}, {Name: probes.AttrTombstone, Value: "true"}},
			Native: []byte(`{"partition":2,"timestamp_type":"CreateTime","compression":"zstd","leader_epoch":7,"producer_id":77,"producer_epoch":3,"base_sequence":40,"transactional":true}`)},
		{ID: "2/6", Kind: probes.Message, Source: source, Time: clockMillis(9000), Body: []byte{},
			Attrs:  []probes.Attr{{Name: probes.AttrPartition, Value: "2"}, {Name: probes.AttrOffset, Value: "6"}},
			Native: []byte(`{"partition":2,"timestamp_type":"LogAppendTime","leader_epoch":7}`)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBodiesAreCutWhereAsked(t *testing.T) {
	c := reading(0, -1)
	c.mk = newMaker("test", c.part, 3, false, false)
	c.accept(&fetched{high: 2, stable: 2, records: forged{records: []forgedRecord{message(0, "abc"), message(1, "abcdef")}}.bytes(t)})
	var got []probes.Record
	for c.fill() {
		got = append(got, c.pop().rec)
	}
	if d := cmp.Diff([]probes.Record{{Body: []byte("abc")}, {Body: []byte("abc"), Cut: 3}}, got,
		cmpopts.IgnoreFields(probes.Record{}, "ID", "Kind", "Source", "Time", "Attrs", "Native")); d != "" {
		t.Error(d)
	}
}

// TestOneRecordKeepsLittleAlive: a record kept for long must not keep its
// batch's memory.
func TestOneRecordKeepsLittleAlive(t *testing.T) {
	var recs []forgedRecord
	for i := range 5000 {
		recs = append(recs, message(int64(i), strings.Repeat("x", 150)))
	}
	c := reading(0, -1)
	c.accept(&fetched{high: 5000, stable: 5000, records: forged{records: recs}.bytes(t)})
	if !c.fill() {
		t.Fatal("nothing")
	}
	if n := cap(c.mk.bytes); n > slabBytes {
		t.Errorf("bodies share %d bytes", n)
	}
	if n := cap(c.mk.attrs); n > 3*slabCount {
		t.Errorf("%d attributes share memory", n)
	}
}

func TestCursorAsksForMoreWhenABatchDoesNotFit(t *testing.T) {
	big := forged{base: 3, records: []forgedRecord{message(0, strings.Repeat("x", 3<<20))}}.bytes(t)
	c := reading(3, -1)
	if got := feed(c, big[:partBytes]); got != nil {
		t.Fatalf("read %d of a truncated batch", len(got))
	}
	if c.fetchAt != 3 || int(c.maxBytes) != len(big) {
		t.Fatalf("would ask for %d bytes from offset %d, want %d from 3", c.maxBytes, c.fetchAt, len(big))
	}
	if got := feed(c, big); len(got) != 1 {
		t.Fatalf("read %d records", len(got))
	}
}

func TestCursorGivesUpOnARangeTheBrokerNeverSends(t *testing.T) {
	c := reading(10, 30)
	for range maxHollow {
		if c.fill() {
			t.Fatal("gave up early")
		}
		c.accept(&fetched{high: 30, stable: 30, wasFirst: true})
	}
	if got := feed(c); len(got) != 1 || got[0] != "10+20:the broker sends nothing of offsets 10 to 29" {
		t.Fatalf("%q", got)
	}
	if !c.done() {
		t.Error("not done at the end")
	}
}

func TestCursorReadsOldFormats(t *testing.T) {
	inner := slices.Concat(legacyEntry(1, 0, 0, 500, nil, []byte("x")), legacyEntry(1, 0, 1, 501, []byte("k"), nil))
	set := slices.Concat(legacyEntry(0, 0, 7, 0, []byte("k"), []byte("old")), legacyEntry(1, 0, 8, 1234, nil, []byte("newer")),
		legacyEntry(1, byte(compress.Gzip), 10, 501, nil, deflate(t, compress.Gzip, inner)))
	c := reading(7, -1)
	if d := cmp.Diff([]string{"7:old", "8:newer", "9:x", "10:"}, feed(c, set)); d != "" {
		t.Error(d)
	}
	set[len(set)-1] ^= 1
	c = reading(9, -1)
	if got := feed(c, set); len(got) != 1 || !strings.Contains(got[0], "checksum mismatch") {
		t.Errorf("%q", got)
	}
}

// FuzzCursor feeds arbitrary record sets, with and without their checksum made
// right, and wants progress without a panic, in order and bounded.
func FuzzCursor(f *testing.F) {
	ab := forged{base: 10, last: 5, records: []forgedRecord{message(0, "a"), {delta: 1, key: []byte("k"), headers: []rawHeader{{[]byte("h"), nil}}}}}
	f.Add(ab.bytes(f), true)
	for _, codec := range []compress.Compression{compress.Gzip, compress.Snappy, compress.Lz4, compress.Zstd} {
		ab.codec = codec
		f.Add(ab.bytes(f), true)
	}
	f.Add(slices.Concat(marker(f, 3, 1, false), marker(f, 4, 1, true)), false)
	f.Add(legacyEntry(1, 1, 4, 4, nil, deflate(f, compress.Gzip, legacyEntry(1, 0, 0, 1, nil, []byte("x")))), false)
	f.Add(ab.bytes(f)[:40], false)
	// A snappy chunk that claims 808 MB.
	f.Add(seal([]byte("00000000\x00\x00\x00Z0000\x0210000B00000000000000000000000000000000000000\x82SNAPPY\x0000000\x00\x00010\x0002H0000000000000000000")), true)
	f.Fuzz(func(t *testing.T, set []byte, sealed bool) {
		if sealed && len(set) > batchHead && set[magicAt] == 2 {
			set = seal(slices.Clone(set))
		}
		c := reading(5, -1)
		c.accept(&fetched{high: 1 << 40, stable: 1 << 40, records: set, aborted: []aborted{{1, 2}}})
		last := int64(-1)
		for n := 0; c.fill(); n++ {
			it := c.pop()
			if it.rec.Kind == probes.Message && it.first < 5 {
				t.Fatalf("record %s is before what was wanted", it.rec.ID)
			}
			if c.next < last {
				t.Fatalf("went back from %d to %d", last, c.next)
			}
			last = c.next
			if n > len(set)*64+100_000 {
				t.Fatal("more records than bytes could hold")
			}
		}
	})
}

// FuzzDecodeFetch: an answer of any bytes is an error or something, never a
// panic or a huge allocation.
func FuzzDecodeFetch(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x00"), int16(11))
	f.Fuzz(func(t *testing.T, b []byte, version int16) {
		out, err := decodeFetch(b, 4+version&7)
		if err == nil && len(out) > len(b) {
			t.Fatalf("%d partitions in %d bytes", len(out), len(b))
		}
	})
}

// BenchmarkDecodeBatch decodes 1,000 records of 223 bytes, with a key and a
// header. An operation is one batch.
func BenchmarkDecodeBatch(b *testing.B) {
	var recs []forgedRecord
	for i := range 1000 {
		body := fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, strings.Repeat("lorem ipsum ", 16))
		recs = append(recs, forgedRecord{delta: int64(i), time: int64(i), key: fmt.Appendf(nil, "k%05d", i), value: []byte(body),
			headers: []rawHeader{{[]byte("trace"), []byte("0123456789abcdef")}}})
	}
	for _, codec := range []compress.Compression{compress.None, compress.Gzip, compress.Snappy, compress.Lz4, compress.Zstd} {
		b.Run(codec.String(), func(b *testing.B) {
			set := forged{codec: codec, records: recs}.bytes(b)
			c := reading(0, -1)
			b.ReportAllocs()
			for b.Loop() {
				c.next, c.fetchAt = 0, 0
				c.accept(&fetched{high: 1000, stable: 1000, records: set})
				n := 0
				for c.fill() {
					c.pop()
					n++
				}
				if n != len(recs) {
					b.Fatalf("%d records", n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(recs)), "ns/record")
		})
	}
}
