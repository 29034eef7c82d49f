package protobuf

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/inspectors/emit"
)

func TestRaw(t *testing.T) {
	s := schema(t)
	b := encode(t, `order_id: 150 note: "hello" lines { sku: "ABC" qty: 2 } lines { sku: "DEF" } f32: 1069547520 d: 1.5 blob: "\000\377\001"`, s)
	w := emit.New(1<<20, true)
	if err := Raw(w, b); err != nil {
		t.Fatal(err)
	}
	if got, want := string(w.Text()), `{"1":150,"2":"hello","5":[{"1":"ABC","2":2},{"1":"DEF"}],"11":"AP8B","12":4609434218613702656,"14":1069547520}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var notes []string
	for _, n := range w.Notes() {
		notes = append(notes, n.Text)
	}
	if diff := cmp.Diff([]string{"3 bytes", "64 bits; as double 1.5", "32 bits; as float 1.5"}, notes); diff != "" {
		t.Error(diff)
	}
	if err := Raw(emit.New(100, false), []byte("\x0a\x09x")); err == nil {
		t.Error("no error")
	}
}

func TestLooks(t *testing.T) {
	s := schema(t)
	for _, text := range []string{`order_id: 150 note: "hello"`, `note: "hello world" lines { sku: "ABCD" qty: 2 }`,
		`order_id: 150 note: "hello" card: "4111 1111" title { value: "title" } tags: "one" tags: "two"`} {
		if b := encode(t, text, s); !Looks(b) {
			t.Errorf("%s (%x) is not recognised", text, b)
		}
	}
	for _, b := range []string{"", "\x08\x01", "\x08\x01\x10\x02", "plain text", "\x00\x00\x00\x00\x05", "\x0a\x03abc", "\x08\x81\x00\x12\x05hello"} {
		if Looks([]byte(b)) {
			t.Errorf("%x is taken for Protobuf", b)
		}
	}
	r := rand.NewChaCha8([32]byte{3})
	b := make([]byte, 64)
	for i := range 500_000 {
		_, _ = r.Read(b)
		if n := 4 + i%60; Looks(b[:n]) {
			t.Errorf("random bytes %x are taken for Protobuf", b[:n])
		}
	}
}

func BenchmarkRaw(b *testing.B) {
	body := encoded(b, schema(b))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Raw(emit.New(1<<20, false), body); err != nil {
			b.Fatal(err)
		}
	}
}
