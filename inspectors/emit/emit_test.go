package emit

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	w := New(1<<20, true)
	w.Open('{')
	w.Key("s\"\x00é\n")
	w.String("a\xffb\u2028")
	w.Key("b")
	w.Bytes([]byte("hi!"))
	w.Key("n")
	w.Open('[')
	w.Note("numbers")
	w.Int(math.MinInt64)
	w.Uint(math.MaxUint64)
	for _, f := range []float64{0, math.Copysign(0, -1), 0.1, 1e21, 1e-7, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1)} {
		w.Float(f, 64)
	}
	w.Float(float64(float32(0.1)), 32)
	w.Close()
	w.Key("o")
	w.Open('{')
	w.Close()
	w.Key("w")
	w.Bool(true)
	w.Note("one")
	w.Note("two")
	w.Key("z")
	w.Null()
	w.Close()
	want := `{"s\"\u0000é\n":"a` + "\ufffd" + `b` + "\u2028" + `","b":"aGkh","n":[-9223372036854775808,18446744073709551615,0,-0,0.1,1e+21,1e-07,5e-324,` +
		`"NaN","Infinity","-Infinity",0.1],"o":{},"w":true,"z":null}`
	text := string(w.Text())
	if text != want || !json.Valid([]byte(text)) {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	var notes []string
	for _, n := range w.Notes() {
		notes = append(notes, fmt.Sprintf("%s|%s", lastOf(text[:n.At]), n.Text))
	}
	if diff := cmp.Diff([]string{"b\u2028\"|not UTF-8: 61ff62e280a8", `aGkh"|3 bytes: "hi!"`, `"n":[|numbers`, `:true|one; two`}, notes); diff != "" {
		t.Error(diff)
	}
}

func lastOf(s string) string {
	r := []rune(s)
	n := 5
	if s[len(s)-1] == '"' && strings.HasSuffix(s, "\u2028\"") {
		n = 3
	}
	return string(r[len(r)-n:])
}

func TestDecimals(t *testing.T) {
	for _, tc := range []struct {
		unscaled string
		scale    int
		want     string
	}{
		{"12345", 2, "123.45"}, {"-12345", 2, "-123.45"}, {"5", 3, "0.005"}, {"-5", 1, "-0.5"}, {"0", 2, "0.00"}, {"7", 0, "7"},
		{"7", -3, "7e3"}, {"0", -3, "0"}, {"1", 41, "0.00000000000000000000000000000000000000001"}, {"1", 1000, "1e-1000"},
		{"123456789012345678901234567890", 10, "12345678901234567890.1234567890"},
	} {
		v, _ := new(big.Int).SetString(tc.unscaled, 10)
		w := New(1000, false)
		if !w.Decimal(v, tc.scale) || string(w.Text()) != tc.want || !json.Valid(w.Text()) {
			t.Errorf("%s/10^%d = %s, want %s", tc.unscaled, tc.scale, w.Text(), tc.want)
		}
	}
	w := New(1000, false)
	if !w.Big([]byte{0xff, 0x7f}, 1) || string(w.Text()) != "-12.9" {
		t.Errorf("got %s", w.Text())
	}
	if New(1000, false).Big(make([]byte, maxUnscaled+1), 0) {
		t.Error("a number of any length is written")
	}
}

func TestAFullWriterHoldsTheBeginning(t *testing.T) {
	for max := range 120 {
		w := New(max, true)
		w.Open('{')
		for i := 0; !w.Full() && i < 100; i++ {
			w.Key(fmt.Sprint("key", i))
			w.Open('[')
			w.String(strings.Repeat("é", i))
			w.Int(int64(i))
			w.Note("n")
			w.Close()
		}
		w.Close()
		text := w.Text()
		if !w.Full() || !json.Valid(text) || len(text) > max+30 {
			t.Fatalf("max %d: full=%v, %q", max, w.Full(), text)
		}
		for _, n := range w.Notes() {
			if n.At > len(text) {
				t.Fatalf("max %d: a note at %d of %q", max, n.At, text)
			}
		}
	}
	w := New(4, false)
	w.String("a long text")
	if string(w.Text()) != `"a lo"` || !w.Full() {
		t.Errorf("got %s", w.Text())
	}
}

func TestDepth(t *testing.T) {
	for _, w := range []*Writer{New(1<<20, false), Dry()} {
		for range MaxDepth {
			if !w.Open('[') {
				t.Fatal("refused too early")
			}
		}
		if w.Open('[') {
			t.Fatal("no limit")
		}
		w.Close()
		if !w.Open('{') {
			t.Fatal("closing gives no room")
		}
	}
	if w := Dry(); len(w.Text()) != 0 || w.Full() {
		t.Error("a dry writer keeps something")
	}
}

func FuzzString(f *testing.F) {
	f.Add("text", "key", 100)
	f.Add("\xff\u2028\x00", "\"\\", 3)
	f.Fuzz(func(t *testing.T, s, key string, max int) {
		w := New(max%1000, true)
		w.Open('{')
		w.Key(key)
		w.String(s)
		w.Close()
		if text := w.Text(); !json.Valid(text) {
			t.Fatalf("%q is not JSON", text)
		}
		var back map[string]string
		whole := New(1<<30, true)
		whole.Open('{')
		whole.Key(key)
		whole.String(s)
		whole.Close()
		if err := json.Unmarshal(whole.Text(), &back); err != nil {
			t.Fatal(err)
		}
		if got := back[strings.ToValidUTF8(key, "\ufffd")]; len([]rune(s)) != len([]rune(got)) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w := New(1<<20, false)
		w.Open('{')
		for range 100 {
			w.Key("orderId")
			w.String("A-771")
			w.Key("amount")
			w.Int(918273)
		}
		w.Close()
		b.SetBytes(int64(len(w.Text())))
	}
}
