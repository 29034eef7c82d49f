package avro

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"

	"iscope/inspectors/emit"
)

const all = `{"type":"record","name":"Order","namespace":"shop","doc":"d","fields":[
 {"name":"id","type":"long"},
 {"name":"small","type":"int"},
 {"name":"ok","type":"boolean"},
 {"name":"f","type":"float"},
 {"name":"d","type":"double"},
 {"name":"note","type":["null","string"],"default":null},
 {"name":"pay","type":["null","string",{"type":"record","name":"Card","fields":[{"name":"number","type":"string"}]},"long"]},
 {"name":"status","type":{"type":"enum","name":"Status","symbols":["NEW","PAID"]}},
 {"name":"tags","type":{"type":"array","items":"string"}},
 {"name":"attrs","type":{"type":"map","values":"int"}},
 {"name":"blob","type":"bytes"},
 {"name":"hash","type":{"type":"fixed","name":"Hash","size":4}},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"atMicros","type":{"type":"long","logicalType":"timestamp-micros"}},
 {"name":"local","type":{"type":"long","logicalType":"local-timestamp-millis"}},
 {"name":"day","type":{"type":"int","logicalType":"date"}},
 {"name":"clock","type":{"type":"int","logicalType":"time-millis"}},
 {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":2}},
 {"name":"fee","type":{"type":"fixed","name":"Fee","size":8,"logicalType":"decimal","precision":10,"scale":4}},
 {"name":"uuid","type":{"type":"string","logicalType":"uuid"}},
 {"name":"uuidBytes","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},
 {"name":"ttl","type":{"type":"fixed","name":"Ttl","size":12,"logicalType":"duration"}},
 {"name":"next","type":["null","Order"]}]}`

// order is a datum for another library to encode.
func order() map[string]any {
	return map[string]any{"id": int64(math.MaxInt64), "small": int32(-7), "ok": true, "f": float32(0.1), "d": 1e-9, "note": "hi\n",
		"pay": map[string]any{"shop.Card": map[string]any{"number": "4111"}}, "status": "PAID", "tags": []string{"a", "b"},
		"attrs": map[string]any{"n": int32(1)}, "blob": []byte{0, 1, 255}, "hash": []byte("hash"), "at": time.UnixMilli(1700000000123),
		"atMicros": time.UnixMicro(-1), "local": time.UnixMilli(1700000000123), "day": time.Unix(86400*19000, 0).UTC(),
		"clock": 13*time.Hour + 5*time.Millisecond, "price": new(big.Rat).SetFrac64(-1234567890123456789, 100),
		"fee": new(big.Rat).SetFrac64(5, 10000), "uuid": "00112233-4455-6677-8899-aabbccddeeff",
		"uuidBytes": [16]byte{0: 0x10, 15: 0xff}, "ttl": avro.Duration{Months: 14, Days: 3, Milliseconds: 4005}, "next": nil}
}

func encode(t testing.TB, schema string, v any) []byte {
	t.Helper()
	s, err := avro.Parse(schema)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compile(t testing.TB, schema string, refs ...string) *Schema {
	t.Helper()
	s, err := Compile(schema, refs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryType(t *testing.T) {
	s := compile(t, all)
	if s.Name() != "shop.Order" {
		t.Errorf("name %s", s.Name())
	}
	w := emit.New(1<<20, true)
	if err := s.Decode(w, encode(t, all, order())); err != nil {
		t.Fatal(err)
	}
	text := string(w.Text())
	want := `{"id":9223372036854775807,"small":-7,"ok":true,"f":0.1,"d":1e-09,"note":"hi\n","pay":{"number":"4111"},"status":"PAID",` +
		`"tags":["a","b"],"attrs":{"n":1},"blob":"AAH/","hash":"aGFzaA==","at":1700000000123,"atMicros":-1,"local":1700000000123,"day":19000,` +
		`"clock":46800005,"price":-12345678901234567.89,"fee":0.0005,"uuid":"00112233-4455-6677-8899-aabbccddeeff",` +
		`"uuidBytes":"10000000-0000-0000-0000-0000000000ff","ttl":"P14M3DT4.005S","next":null}`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	var notes []string
	for _, n := range w.Notes() {
		notes = append(notes, n.Text)
	}
	if diff := cmp.Diff([]string{"shop.Card", "3 bytes", `4 bytes: "hash"`, "2023-11-14T22:13:20.123Z", "1969-12-31T23:59:59.999999Z",
		"2023-11-14T22:13:20.123", "2022-01-08", "13:00:00.005", "months, days, milliseconds"}, notes); diff != "" {
		t.Error(diff)
	}
}

func TestEveryPrefixIsShort(t *testing.T) {
	s := compile(t, all)
	b := encode(t, all, order())
	for i := range b {
		err := s.Decode(emit.New(1<<20, true), b[:i])
		var f *emit.Fault
		if !errors.As(err, &f) || !f.Short || f.Offset > i {
			t.Fatalf("%d bytes: %v", i, err)
		}
	}
	err := s.Decode(emit.New(1<<20, true), append(b, 1, 2))
	var f *emit.Fault
	if !errors.As(err, &f) || f.Short || f.Offset != len(b) || f.Reason != "2 bytes left over after shop.Order" {
		t.Errorf("got %v", err)
	}
}

func TestFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		schema, body, want string
		at                 int
	}{
		"branch":     {`["null","string"]`, "\x08", "branch 4 of a union of 2", 0},
		"symbol":     {`{"type":"enum","name":"E","symbols":["A"]}`, "\x02", "symbol 1 of E, which has 1", 0},
		"boolean":    {`"boolean"`, "\x02", "a boolean of value 2", 0},
		"long":       {`"long"`, strings.Repeat("\xff", 11), "a number of more than 64 bits for long", 0},
		"int":        {`"int"`, "\x80\x80\x80\x80\x20", "4294967296 is too large for an int", 0},
		"negative":   {`"bytes"`, "\x01", "length -1 for bytes", 0},
		"too long":   {`"string"`, "\x20ab", "length 16 for string, but 2 bytes left", 0},
		"in a field": {`{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"boolean"}]}`, "\x02\x07", `a boolean of value 7, field "b"`, 1},
		"nulls":      {`{"type":"array","items":"null"}`, string(binary.AppendVarint(nil, 1<<40)), "more than 65536 items without content", 6},
		"count":      {`{"type":"array","items":"null"}`, string(binary.AppendVarint(nil, math.MinInt64)) + "\x00", "impossible count of items", 11},
	} {
		err := compile(t, tc.schema).Decode(emit.New(1<<20, true), []byte(tc.body))
		var f *emit.Fault
		if !errors.As(err, &f) || f.Reason != tc.want || f.Offset != tc.at {
			t.Errorf("%s: got %#v", name, err)
		}
	}
}

func TestRecursion(t *testing.T) {
	const list = `{"type":"record","name":"Node","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","Node"]}]}`
	s := compile(t, list)
	w := emit.New(1<<20, false)
	if err := s.Decode(w, []byte("\x02\x02\x04\x02\x06\x00")); err != nil || string(w.Text()) != `{"v":1,"next":{"v":2,"next":{"v":3,"next":null}}}` {
		t.Errorf("%s, %v", w.Text(), err)
	}
	if err := s.Decode(emit.New(1<<30, false), []byte(strings.Repeat("\x02\x02", 100_000)+"\x02\x00")); err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("got %v", err)
	}
	// A record that holds itself has no finite datum, and takes no bytes.
	endless, err := Compile(`{"type":"record","name":"E","fields":[{"name":"e","type":"E"}]}`, nil)
	if err == nil {
		if err = endless.Decode(emit.New(1<<30, false), []byte{1}); err == nil {
			t.Error("no end")
		}
	}
}

func TestReferences(t *testing.T) {
	const address = `{"type":"record","name":"Address","namespace":"shop.v1","fields":[{"name":"zip","type":"string"}]}`
	const customer = `{"type":"record","name":"Customer","namespace":"shop.v1","fields":[{"name":"home","type":"Address"}]}`
	s := compile(t, `{"type":"record","name":"Order","fields":[{"name":"by","type":"shop.v1.Customer"},{"name":"to","type":"shop.v1.Address"}]}`, address, customer)
	w := emit.New(1000, false)
	if err := s.Decode(w, []byte("\x0a12345\x0a54321")); err != nil || string(w.Text()) != `{"by":{"home":{"zip":"12345"}},"to":{"zip":"54321"}}` {
		t.Errorf("%s, %v", w.Text(), err)
	}
	if _, err := Compile(`{"type":"record","name":"Order","fields":[{"name":"by","type":"shop.v1.Customer"}]}`, nil); err == nil {
		t.Error("a missing reference is no error")
	}
}

func TestSchemasThatRulesForbidButProducersUse(t *testing.T) {
	for _, text := range []string{
		`{"type":"record","name":"my-record","fields":[{"name":"a-b","type":"int"}]}`,
		`{"type":"record","name":"R","fields":[{"name":"a-b","type":"int","default":"none"}]}`,
	} {
		w := emit.New(1000, false)
		if err := compile(t, text).Decode(w, []byte{2}); err != nil || string(w.Text()) != `{"a-b":1}` {
			t.Errorf("%s: %s, %v", text, w.Text(), err)
		}
	}
}

func TestLimits(t *testing.T) {
	s := compile(t, all)
	b := encode(t, all, order())
	for max := range 400 {
		w := emit.New(max, true)
		if err := s.Decode(w, b); err != nil || !json.Valid(w.Text()) {
			t.Fatalf("max %d: %v, %s", max, err, w.Text())
		}
	}
}

func FuzzDecode(f *testing.F) {
	s := compile(f, all)
	other, err := avro.Parse(all)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encode(f, all, order()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		w := emit.New(1<<20, true)
		err := s.Decode(w, b)
		text := w.Text()
		if err == nil && !json.Valid(text) {
			t.Fatalf("%x became %q", b, text)
		}
		var v any
		rest, otherErr := other.Decode(b, &v)
		if err == nil && !w.Full() && (otherErr != nil || len(rest) > 0) {
			t.Fatalf("%x: another library says %v with %d left, but it became %s", b, otherErr, len(rest), text)
		}
	})
}

func FuzzCompile(f *testing.F) {
	f.Add(all, []byte{2, 0})
	f.Add(`{"type":"array","items":["null",{"type":"map","values":"bytes"}]}`, []byte{2, 2, 0, 0})
	f.Add(`{"type":"record","name":"E","fields":[{"name":"e","type":"E"}]}`, []byte{1})
	f.Fuzz(func(t *testing.T, schema string, b []byte) {
		s, err := Compile(schema, nil)
		if err != nil {
			return
		}
		w := emit.New(1<<16, true)
		if err := s.Decode(w, b); err == nil && !json.Valid(w.Text()) {
			t.Fatalf("%q became %q", b, w.Text())
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := compile(b, all)
	body := encode(b, all, order())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Decode(emit.New(1<<20, false), body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(all, nil); err != nil {
			b.Fatal(err)
		}
	}
}
