package cbor

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"iscope/inspectors/emit"
)

func decode(b []byte) (string, error) {
	w := emit.New(1<<20, true)
	err := Decode(w, b)
	return string(w.Text()), err
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 8949, appendix A, in JSON. Floats are written without an
// exponent up to 1e21.
var appendixA = []struct{ hex, want string }{
	{"00", "0"}, {"01", "1"}, {"0a", "10"}, {"17", "23"}, {"1818", "24"}, {"1819", "25"}, {"1864", "100"}, {"1903e8", "1000"},
	{"1a000f4240", "1000000"}, {"1b000000e8d4a51000", "1000000000000"}, {"1bffffffffffffffff", "18446744073709551615"},
	{"c249010000000000000000", "18446744073709551616"}, {"3bffffffffffffffff", "-18446744073709551616"},
	{"c349010000000000000000", "-18446744073709551617"}, {"20", "-1"}, {"29", "-10"}, {"3863", "-100"}, {"3903e7", "-1000"},
	{"f90000", "0"}, {"f98000", "-0"}, {"f93c00", "1"}, {"fb3ff199999999999a", "1.1"}, {"f93e00", "1.5"}, {"f97bff", "65504"},
	{"fa47c35000", "100000"}, {"fa7f7fffff", "3.4028234663852886e+38"}, {"fb7e37e43c8800759c", "1e+300"},
	{"f90001", "5.960464477539063e-08"}, {"f90400", "0.00006103515625"}, {"f9c400", "-4"}, {"fbc010666666666666", "-4.1"},
	{"f97c00", `"Infinity"`}, {"f97e00", `"NaN"`}, {"f9fc00", `"-Infinity"`}, {"fa7f800000", `"Infinity"`}, {"fa7fc00000", `"NaN"`},
	{"faff800000", `"-Infinity"`}, {"fb7ff0000000000000", `"Infinity"`}, {"fb7ff8000000000000", `"NaN"`}, {"fbfff0000000000000", `"-Infinity"`},
	{"f4", "false"}, {"f5", "true"}, {"f6", "null"}, {"f7", "null"}, {"f0", `"simple(16)"`}, {"f8ff", `"simple(255)"`},
	{"c074323031332d30332d32315432303a30343a30305a", `"2013-03-21T20:04:00Z"`}, {"c11a514b67b0", "1363896240"},
	{"c1fb41d452d9ec200000", "1363896240.5"}, {"d74401020304", `"01020304"`}, {"d818456449455446", `"IETF"`},
	{"d82076687474703a2f2f7777772e6578616d706c652e636f6d", `"http://www.example.com"`}, {"40", `""`}, {"4401020304", `"AQIDBA=="`},
	{"60", `""`}, {"6161", `"a"`}, {"6449455446", `"IETF"`}, {"62225c", `"\"\\"`}, {"62c3bc", `"ü"`}, {"63e6b0b4", `"水"`}, {"64f0908591", `"𐅑"`},
	{"80", "[]"}, {"83010203", "[1,2,3]"}, {"8301820203820405", "[1,[2,3],[4,5]]"},
	{"98190102030405060708090a0b0c0d0e0f101112131415161718181819", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"},
	{"a0", "{}"}, {"a201020304", `{"1":2,"3":4}`}, {"a26161016162820203", `{"a":1,"b":[2,3]}`}, {"826161a161626163", `["a",{"b":"c"}]`},
	{"a56161614161626142616361436164614461656145", `{"a":"A","b":"B","c":"C","d":"D","e":"E"}`},
	{"5f42010243030405ff", `"AQIDBAU="`}, {"7f657374726561646d696e67ff", `"streaming"`}, {"9fff", "[]"}, {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
	{"9f01820203820405ff", "[1,[2,3],[4,5]]"}, {"83018202039f0405ff", "[1,[2,3],[4,5]]"}, {"83019f0203ff820405", "[1,[2,3],[4,5]]"},
	{"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"},
	{"bf61610161629f0203ffff", `{"a":1,"b":[2,3]}`}, {"826161bf61626163ff", `["a",{"b":"c"}]`}, {"bf6346756ef563416d7421ff", `{"Fun":true,"Amt":-2}`},
}

func TestAppendixA(t *testing.T) {
	for _, tc := range appendixA {
		b := unhex(t, tc.hex)
		got, err := decode(b)
		if err != nil || got != tc.want || !json.Valid([]byte(got)) {
			t.Errorf("%s: %s, %v; want %s", tc.hex, got, err, tc.want)
		}
		for i := range b {
			if _, err := decode(b[:i]); err == nil {
				t.Errorf("%s cut to %d bytes: no error", tc.hex, i)
			}
		}
	}
}

func TestTags(t *testing.T) {
	for _, tc := range []struct{ hex, want, note string }{
		{"c11a514b67b0", "1363896240", "2013-03-21T20:04:00Z"},
		{"c1fb41d452d9ec200000", "1363896240.5", "2013-03-21T20:04:00.5Z"},
		{"c16161", `"a"`, "tag 1"},
		{"c48221196ab3", "273.15", "tag 4"}, // RFC 8949 §3.4.4
		{"c5822003", "1.5", "tag 5"},
		{"c4821b7fffffffffffffff01", "[9223372036854775807,1]", "tag 4"},
		{"d8255000112233445566778899aabbccddeeff", `"00112233-4455-6677-8899-aabbccddeeff"`, "UUID"},
		{"d818420001", `"AAE="`, "2 bytes; tag 24"}, // two items, which a tag of one cannot mean
		{"d8184483010203", "[1,2,3]", "embedded CBOR"},
		{"d9d9f7a0", "{}", "says it is CBOR"},
		{"d90102820102", "[1,2]", "set"},
		{"d8641903e8", "1000", "1972-09-27"},
		{"d903ec6a323032302d30312d3031", `"2020-01-01"`, "date"},
		{"f7", "null", "undefined"},
		{"da499602d200", "0", "tag 1234567890"},
	} {
		w := emit.New(1000, true)
		err := Decode(w, unhex(t, tc.hex))
		note := ""
		if notes := w.Notes(); len(notes) > 0 {
			note = notes[0].Text
		}
		if err != nil || string(w.Text()) != tc.want || note != tc.note {
			t.Errorf("%s: %s // %s, %v; want %s // %s", tc.hex, w.Text(), note, err, tc.want, tc.note)
		}
	}
}

func TestMalformed(t *testing.T) {
	deep := strings.Repeat("81", 1000) + "00"
	keys := strings.Repeat("a1", 1000) + "00"
	tags := strings.Repeat("c6", 100) + "00"
	for name, tc := range map[string]struct {
		hex string
		at  int
	}{
		"reserved length":      {"1c", 0},
		"break alone":          {"ff", 0},
		"rest":                 {"0000", 1},
		"two bytes for simple": {"f818", 0},
		"wrong piece":          {"5f6161ff", 2},
		"huge array":           {"9bffffffffffffffff00", 10},
		"huge text":            {"7bffffffffffffffff61", 9},
		"deep":                 {deep, -1},
		"keys in keys":         {keys, -1},
		"tags on tags":         {tags, -1},
		"odd map":              {"a1616100ff", 4},
	} {
		_, err := decode(unhex(t, tc.hex))
		var f *emit.Fault
		if !errors.As(err, &f) || tc.at >= 0 && f.Offset != tc.at || f.Reason == "" {
			t.Errorf("%s: %#v, want a fault at %d", name, err, tc.at)
		}
	}
}

func TestLooks(t *testing.T) {
	for _, v := range []any{map[string]any{"id": 1}, []any{map[string]any{"orderId": "A-771"}}, map[string]any{"a": map[int]string{1: "x"}}} {
		b, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !Looks(b) {
			t.Errorf("%x is not recognised", b)
		}
	}
	for _, s := range []string{"", "a0", "80", "83010203", "a201020304", "6161", "00", "f6", "a1616100ff", "d9d9f7"} {
		if Looks(unhex(t, s)) {
			t.Errorf("%s is taken for CBOR", s)
		}
	}
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, 64)
	for i := range 200_000 {
		_, _ = r.Read(b)
		if n := 3 + i%60; Looks(b[:n]) {
			t.Errorf("random bytes %x are taken for CBOR", b[:n])
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, tc := range appendixA {
		f.Add(unhex(f, tc.hex))
	}
	f.Add(unhex(f, "c4821a7fffffff01"))
	f.Add(unhex(f, "d818d818d81841a0"))
	mode, err := cbor.DecOptions{MaxNestedLevels: 256, MaxMapPairs: 1 << 20, MaxArrayElements: 1 << 20}.DecMode()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		w := emit.New(1<<20, true)
		err := Decode(w, b)
		text := w.Text()
		if err == nil && !json.Valid(text) {
			t.Fatalf("%x became %q", b, text)
		}
		small := emit.New(20, true)
		if Decode(small, b) == nil && !json.Valid(small.Text()) {
			t.Fatalf("%x became %q", b, small.Text())
		}
		Looks(b)
		// What the other library reads, this one reads too.
		if mode.Wellformed(b) == nil && err != nil && bytes.Count(b, []byte{0xc6}) < maxTags && !strings.Contains(err.Error(), "keys") && !strings.Contains(err.Error(), "tags") {
			t.Fatalf("%x is well-formed, but: %v", b, err)
		}
		if err == nil && !w.Full() && mode.Wellformed(b) != nil && !strings.Contains(mode.Wellformed(b).Error(), "exceeded") {
			t.Fatalf("%x is %v, but became %s", b, mode.Wellformed(b), text)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	doc, err := cbor.Marshal(map[string]any{"orderId": "A-771", "amount": 120.5, "at": time.Unix(1700000000, 0), "lines": []any{1, 2, map[string]int{"qty": 3}}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(emit.New(1<<20, false), doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLooks(b *testing.B) {
	doc := []byte{0x83, 1, 2, 3, 4}
	for b.Loop() {
		Looks(doc)
	}
}
