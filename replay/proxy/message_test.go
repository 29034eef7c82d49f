package proxy

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// pieces feeds a body to a splitter in the given pieces.
func pieces(s splitter, complete bool, parts ...[]byte) (out []message) {
	emit := func(m message) { out = append(out, m) }
	for _, p := range parts {
		s.write(p, emit)
	}
	s.close(complete, emit)
	return out
}

// However the network cuts a stream, the messages are the same.
func TestFramesDoNotDependOnThePieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 40).Draw(t, "limit")
		var stream []byte
		var want []message
		for range rapid.IntRange(0, 6).Draw(t, "messages") {
			body := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "body")
			stream = binary.BigEndian.AppendUint32(append(stream, 0), uint32(len(body)))
			stream = append(stream, body...)
			keep := min(len(body), limit)
			want = append(want, message{body: slices.Clone(body[:keep]), cut: int64(len(body) - keep)})
		}
		var parts [][]byte
		for rest := stream; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			parts, rest = append(parts, rest[:n]), rest[n:]
		}
		got := pieces(&frames{max: limit}, true, parts...)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(message{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFramesThatAreNotWhatTheySay(t *testing.T) {
	frame := func(flag byte, size uint32, body string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{flag}, size), body...)
	}
	for name, tc := range map[string]struct {
		encoding string
		in       []byte
		want     message
	}{
		"cut in its body":     {"", frame(0, 10, "abc"), message{body: []byte("abc"), cut: 7, err: "the message is not complete"}},
		"a size of 4 GB":      {"", frame(0, 1<<32-1, "abc"), message{body: []byte("abc"), cut: 1<<32 - 4, err: "the message is not complete"}},
		"cut in its head":     {"", []byte{0, 0}, message{err: "the message is not complete"}},
		"unknown compression": {"snappy", frame(1, 3, "abc"), message{body: []byte("abc"), err: `compressed with "snappy" and kept so`}},
		"not gzip":            {"gzip", frame(1, 3, "abc"), message{body: []byte("abc"), err: "not the gzip it is said to be: unexpected EOF"}},
	} {
		got := pieces(&frames{max: 100, encoding: tc.encoding}, false, tc.in)
		if diff := cmp.Diff([]message{tc.want}, got, cmp.AllowUnexported(message{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzSplitters(f *testing.F) {
	f.Add([]byte("data: 1\n\ndata: 2\r\n\r\n"), 3)
	f.Add([]byte{1, 0, 0, 0, 2, 31, 139}, 1)
	f.Fuzz(func(t *testing.T, data []byte, at int) {
		at = min(max(0, at), len(data))
		for _, s := range []splitter{&events{max: 10}, &frames{max: 10, encoding: "gzip"}, &whole{max: 10}} {
			for _, m := range pieces(s, false, data[:at], data[at:]) {
				if len(m.body) > 10 && m.err == "" {
					t.Fatalf("%T keeps %d bytes", s, len(m.body))
				}
			}
		}
		var all []byte
		for _, m := range pieces(&events{max: 1 << 20}, true, data) {
			all = append(all, m.body...)
		}
		if !bytes.Equal(bytes.Join(bytes.Fields(all), nil), bytes.Join(bytes.Fields(data), nil)) {
			t.Fatalf("events lose bytes: %q of %q", all, data)
		}
	})
}
