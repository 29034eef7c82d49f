package protobuf

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"iscope/inspectors/emit"
)

// same compares our JSON with protojson's, which writes large numbers as
// strings and may write empty lists and maps.
func same(ours, theirs any) bool {
	switch a := ours.(type) {
	case map[string]any:
		b, ok := theirs.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range b {
			mine, has := a[k]
			if !has && !isEmpty(v) || has && !same(mine, v) {
				return false
			}
		}
		for k := range a {
			if _, has := b[k]; !has {
				return false
			}
		}
		return true
	case []any:
		b, ok := theirs.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		switch b := theirs.(type) {
		case json.Number:
			x, _ := a.Float64()
			y, _ := b.Float64()
			return a == b || x == y
		case string:
			return a.String() == b
		}
		return false
	}
	return ours == theirs
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func parse(t *testing.T, b []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}

func unmarshal(b []byte, m proto.Message, ts *dynamicpb.Types) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("panic")
		}
	}()
	return proto.UnmarshalOptions{AllowPartial: true, Resolver: ts, DiscardUnknown: true}.Unmarshal(b, m)
}

// FuzzDecode compares with protobuf-go, where that reads the bytes too.
func FuzzDecode(f *testing.F) {
	s := schema(f)
	ts, md := types(f, s)
	f.Add(encoded(f, s))
	f.Add([]byte("\x2a\x02\x0a\x05"))
	f.Add([]byte("\x32\x07\x0a\x01a\x08\x01\x10\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := emit.New(1<<20, true)
		err := s.Decode(w, b, s.Message("shop.Order"))
		if err == nil && !json.Valid(w.Text()) {
			t.Fatalf("%x became %q", b, w.Text())
		}
		raw := emit.New(1<<16, true)
		if Raw(raw, b) == nil && !json.Valid(raw.Text()) {
			t.Fatalf("%x became %q", b, raw.Text())
		}
		Looks(b)
		m := dynamicpb.NewMessage(md)
		theirs := unmarshal(b, m, ts)
		if theirs == nil && err != nil && !strings.Contains(err.Error(), "deeper") {
			t.Fatalf("%x: protobuf-go reads it, we: %v", b, err)
		}
		text, jsonErr := protojson.MarshalOptions{AllowPartial: true, Resolver: ts, EmitDefaultValues: true}.Marshal(m)
		// Their JSON shows no unknown fields and refuses what is out of range.
		if err != nil || theirs != nil || jsonErr != nil || w.Full() || strings.Contains(string(w.Text()), "\ufffd") || hasUnknown(w) {
			return
		}
		if ours := parse(t, w.Text()); !same(ours, parse(t, text)) {
			t.Fatalf("%x\nours   %s\ntheirs %s", b, w.Text(), text)
		}
	})
}

func hasUnknown(w *emit.Writer) bool {
	for _, n := range w.Notes() {
		if strings.Contains(n.Text, "not in") {
			return true
		}
	}
	return false
}
