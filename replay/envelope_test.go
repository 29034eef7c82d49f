package replay

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"iscope/probes"
)

// anyText is text as peers send it: not always UTF-8.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }))
}

// anyBytes is absent, empty or something.
func anyBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOfN(rapid.Byte(), 0, 200))
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "sec"), rapid.Int64Range(0, 999_999_999).Draw(t, "nsec")).UTC()
	})
}

func anyRecord() *rapid.Generator[probes.Record] {
	return rapid.Custom(func(t *rapid.T) probes.Record {
		r := probes.Record{
			ID: anyText().Draw(t, "id"), Call: anyText().Draw(t, "call"), Kind: probes.Kind(rapid.IntRange(1, 7).Draw(t, "kind")),
			Source: probes.Ref{Target: rapid.SampledFrom([]string{"a", "b", "\xff"}).Draw(t, "target"), Subject: anyText().Draw(t, "subject")},
			Time:   anyTime().Draw(t, "time"), Seen: anyTime().Draw(t, "seen"), Key: anyBytes().Draw(t, "key"), Body: anyBytes().Draw(t, "body"),
			Schema: anyText().Draw(t, "schema"), Native: json.RawMessage(anyBytes().Draw(t, "native")),
			Cut: rapid.Int64().Draw(t, "cut"), Err: anyText().Draw(t, "err"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			r.Header = append(r.Header, probes.Field{Name: anyText().Draw(t, "name"), Value: anyBytes().Draw(t, "value")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "attrs") {
			r.Attrs = append(r.Attrs, probes.Attr{Name: anyText().Draw(t, "name"), Value: anyText().Draw(t, "value")})
		}
		return r
	})
}

// sameRecord compares with absent and empty bytes told apart.
func sameRecord(want, got probes.Record) string {
	return cmp.Diff(want, got, cmpopts.IgnoreTypes(time.Time{})) +
		timeDiff("Time", want.Time, got.Time) + timeDiff("Seen", want.Seen, got.Seen)
}

// identical compares by the encoding, which TestEveryFieldOfARecordSurvives
// shows to be complete; it is much faster than a diff.
func identical(want, got probes.Record) bool {
	return bytes.Equal(appendRecord(nil, &want), appendRecord(nil, &got))
}

func timeDiff(name string, want, got time.Time) string {
	if want.Equal(got) && want.IsZero() == got.IsZero() {
		return ""
	}
	return name + ": want " + want.String() + ", got " + got.String()
}

func TestEveryFieldOfARecordSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyRecord().Draw(t, "record")
		got, err := decodeRecord(appendRecord(nil, &want), interner{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameRecord(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// The descriptor in the file must describe what is written: an independent
// implementation decodes it and finds every byte known.
func TestTheDescriptorDescribesTheEnvelope(t *testing.T) {
	md := envelopeDescriptor(t)
	rapid.Check(t, func(t *rapid.T) {
		rec := anyRecord().Draw(t, "record")
		msg := dynamicpb.NewMessage(md)
		if err := proto.Unmarshal(appendRecord(nil, &rec), msg); err != nil {
			t.Fatal(err)
		}
		if len(msg.GetUnknown()) > 0 {
			t.Fatalf("unknown fields %x", msg.GetUnknown())
		}
		body := md.Fields().ByName("body")
		if msg.Has(body) != (rec.Body != nil) || string(msg.Get(body).Bytes()) != string(rec.Body) {
			t.Fatalf("body %q became %q", rec.Body, msg.Get(body).Bytes())
		}
		if got := msg.Get(md.Fields().ByName("header")).List().Len(); got != len(rec.Header) {
			t.Fatalf("%d headers, want %d", got, len(rec.Header))
		}
	})
}

func envelopeDescriptor(t *testing.T) protoreflect.MessageDescriptor {
	t.Helper()
	data, err := descriptorSet()
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName(envelope)
	if err != nil {
		t.Fatal(err)
	}
	return d.(protoreflect.MessageDescriptor)
}

func FuzzDecodeRecord(f *testing.F) {
	rec := sample(3)
	f.Add(appendRecord(nil, &rec))
	f.Add([]byte{0x42, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decodeRecord(data, interner{})
		if err != nil {
			return
		}
		again, err := decodeRecord(appendRecord(nil, &rec), interner{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameRecord(rec, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
