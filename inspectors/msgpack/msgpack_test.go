package msgpack

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"

	"iscope/inspectors/emit"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The formats of the specification, one by one.
var formats = []struct{ hex, want, note string }{
	{"00", "0", ""}, {"7f", "127", ""}, {"ff", "-1", ""}, {"e0", "-32", ""}, {"c0", "null", ""}, {"c2", "false", ""}, {"c3", "true", ""},
	{"ccff", "255", ""}, {"cdffff", "65535", ""}, {"ceffffffff", "4294967295", ""}, {"cfffffffffffffffff", "18446744073709551615", ""},
	{"d080", "-128", ""}, {"d18000", "-32768", ""}, {"d280000000", "-2147483648", ""}, {"d38000000000000000", "-9223372036854775808", ""},
	{"ca3f800000", "1", ""}, {"ca3dcccccd", "0.10000000149011612", ""}, {"cb3fb999999999999a", "0.1", ""}, {"cb7ff8000000000000", `"NaN"`, ""},
	{"a0", `""`, ""}, {"a3616263", `"abc"`, ""}, {"d903616263", `"abc"`, ""}, {"da0003616263", `"abc"`, ""}, {"db00000003616263", `"abc"`, ""},
	{"c403010203", `"AQID"`, "3 bytes"}, {"c50003010203", `"AQID"`, "3 bytes"}, {"c600000003010203", `"AQID"`, "3 bytes"},
	{"90", "[]", ""}, {"9301a162c0", `[1,"b",null]`, ""}, {"dc000101", "[1]", ""}, {"dd0000000101", "[1]", ""},
	{"80", "{}", ""}, {"82a16101a16202", `{"a":1,"b":2}`, ""}, {"de0001a16101", `{"a":1}`, ""}, {"df00000001a16101", `{"a":1}`, ""},
	{"82a16101a16102", `{"a":1,"a":2}`, ""}, {"820102c0c3", `{"1":2,"null":true}`, ""}, {"81920102a178", `{"[1,2]":"x"}`, ""},
	{"d40501", `"AQ=="`, "1 byte; extension type 5"}, {"c7020500ff", `"AP8="`, "2 bytes; extension type 5"},
	{"d6ff65500000", `"2023-11-11T22:28:16Z"`, "timestamp"}, {"d7ff0000000465500000", `"2023-11-11T22:28:16.000000001Z"`, "timestamp"},
	{"c70cff00000001ffffffffffffffff", `"1969-12-31T23:59:59.000000001Z"`, "timestamp"},
	{"d7ffffffffff65500000", `"/////2VQAAA="`, "8 bytes; extension type -1"}, // nanoseconds out of range
}

func TestFormats(t *testing.T) {
	for _, tc := range formats {
		b := unhex(t, tc.hex)
		w := emit.New(1<<20, true)
		err := Decode(w, b)
		note := ""
		if n := w.Notes(); len(n) > 0 {
			note = n[0].Text
		}
		if err != nil || string(w.Text()) != tc.want || note != tc.note || !json.Valid(w.Text()) {
			t.Errorf("%s: %s // %s, %v; want %s // %s", tc.hex, w.Text(), note, err, tc.want, tc.note)
		}
		for i := range b {
			if Decode(emit.New(1<<20, true), b[:i]) == nil {
				t.Errorf("%s cut to %d bytes: no error", tc.hex, i)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	for name, tc := range map[string]struct {
		hex string
		at  int
	}{
		"never used":   {"c1", 0},
		"rest":         {"0000", 1},
		"huge array":   {"ddffffffff00", 5},
		"huge text":    {"dbffffffff61", 5},
		"odd map":      {"82a16101", 4},
		"deep":         {strings.Repeat("91", 1000) + "00", -1},
		"keys in keys": {strings.Repeat("81", 1000) + "00", -1},
	} {
		err := Decode(emit.New(1<<20, true), unhex(t, tc.hex))
		var f *emit.Fault
		if !errors.As(err, &f) || tc.at >= 0 && f.Offset != tc.at || f.Reason == "" {
			t.Errorf("%s: %#v, want a fault at %d", name, err, tc.at)
		}
	}
}

// sample is encoded by another library.
func sample(t testing.TB) []byte {
	t.Helper()
	b := msgp.AppendMapHeader(nil, 5)
	b = msgp.AppendString(b, "orderId")
	b = msgp.AppendString(b, "A-771")
	b = msgp.AppendString(b, "amount")
	b = msgp.AppendFloat64(b, 120.5)
	b = msgp.AppendString(b, "big")
	b = msgp.AppendUint64(b, math.MaxUint64)
	b = msgp.AppendString(b, "blob")
	b = msgp.AppendBytes(b, bytes.Repeat([]byte{7}, 300))
	b = msgp.AppendString(b, "at")
	return msgp.AppendTimeExt(b, time.Unix(1700000000, 5).UTC())
}

func TestAnotherEncoder(t *testing.T) {
	w := emit.New(1<<20, false)
	if err := Decode(w, sample(t)); err != nil {
		t.Fatal(err)
	}
	if got := string(w.Text()); !strings.HasPrefix(got, `{"orderId":"A-771","amount":120.5,"big":18446744073709551615,"blob":"BwcH`) ||
		!strings.HasSuffix(got, `","at":"2023-11-14T22:13:20.000000005Z"}`) {
		t.Errorf("got %s", got)
	}
}

func TestLooks(t *testing.T) {
	for _, s := range []string{hex.EncodeToString(sample(t)), "9181a2696401", "81a2696401"} {
		if !Looks(unhex(t, s)) {
			t.Errorf("%s is not recognised", s)
		}
	}
	for _, s := range []string{"", "80", "90", "93010203", "810102", "a3616263", "81a16101ff", "81a10001"} {
		if Looks(unhex(t, s)) {
			t.Errorf("%s is taken for MessagePack", s)
		}
	}
	r := rand.NewChaCha8([32]byte{2})
	b := make([]byte, 64)
	for i := range 200_000 {
		_, _ = r.Read(b)
		if n := 3 + i%60; Looks(b[:n]) {
			t.Errorf("random bytes %x are taken for MessagePack", b[:n])
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, tc := range formats {
		f.Add(unhex(f, tc.hex))
	}
	f.Add(sample(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := emit.New(1<<20, true)
		err := Decode(w, b)
		if text := w.Text(); err == nil && !json.Valid(text) {
			t.Fatalf("%x became %q", b, text)
		}
		small := emit.New(20, true)
		if Decode(small, b) == nil && !json.Valid(small.Text()) {
			t.Fatalf("%x became %q", b, small.Text())
		}
		Looks(b)
		rest, skipErr := msgp.Skip(b)
		whole := skipErr == nil && len(rest) == 0
		if whole && err != nil && !strings.Contains(err.Error(), "key") && !strings.Contains(err.Error(), "deeper") {
			t.Fatalf("%x is one value, but: %v", b, err)
		}
		if err == nil && !w.Full() && !whole {
			t.Fatalf("%x: %v, %d left, but became %s", b, skipErr, len(rest), w.Text())
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	doc := sample(b)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(emit.New(1<<20, false), doc); err != nil {
			b.Fatal(err)
		}
	}
}
