package grpcapi

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/dynamicpb"

	"iscope/probes"
)

const everything = `{"fDouble":1.5,"fFloat":"NaN","fInt32":-1,"big":"9223372036854775807","fUint64":"18446744073709551615","fBool":true,` +
	`"name":"é\n","data":"AP8=","colour":"GREEN","maybe":"","numbers":[1,2],"items":[{"sku":"a"},{}],"byName":{"a":{"amount":"1"}},` +
	`"byNumber":{"-5":"x"},"byBool":{"true":{}},"child":{"child":{}},"item":{"colour":"RED"},"at":"2026-11-22T14:03:00.000000001Z",` +
	`"lasting":"-1.500s","mask":"fInt32,child.name","any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"},` +
	`"struct":{"a":[null,1,{"b":"c"}]},"value":null,"list":[1],"empty":{},"wBool":false,"wBytes":"/w==","wInt64":"7"}`

func TestCanonicalJSONRoundTrips(t *testing.T) {
	r := newRegistry(t)
	m, err := parseMessage([]byte(everything), r.message(t, "probe.v1.All"), r.types)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(everything, string(render(m, r.types))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	// protojson agrees about everything but its spaces.
	theirs, err := protojson.MarshalOptions{Resolver: r.types}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, theirs); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(everything, compact.String()); d != "" {
		t.Errorf("protojson (-want +got)\n%s", d)
	}
}

// Values that protojson refuses are marked where they are.
func TestWhatHasNoJSONIsMarked(t *testing.T) {
	r := newRegistry(t)
	seconds := protowire.AppendVarint([]byte{0x08}, 1<<60)
	for _, c := range []struct{ name, message, wire, want string }{
		{"timestamp out of range", "probe.v1.All", string(field(30, seconds)) + string(field(14, []byte("x"))),
			`{"name":"x","at":{"@type":"google.protobuf.Timestamp","@value":"CICAgICAgICAEA==","@error":"google.protobuf.Timestamp: seconds out of range 1152921504606846976"}}`},
		{"NaN in a Value", "probe.v1.All", string(field(35, protowire.AppendFixed64([]byte{0x11}, 0x7ff8000000000001))),
			`{"value":{"@type":"google.protobuf.Value","@value":"EQEAAAAAAPh/","@error":"google.protobuf.Value.number_value: invalid NaN value"}}`},
		{"a Value in a Struct", "probe.v1.All",
			string(field(34, field(1, append(field(1, []byte("k")), field(2, nil)...)))),
			`{"struct":{"k":{"@type":"google.protobuf.Value","@value":"","@error":"google.protobuf.Value: none of the oneof fields is set"}}}`},
		{"text that is no text", "probe.legacy.Old", "\x0a\x01\xff\x10\x07",
			`{"id":{"@type":"string","@value":"/w==","@error":"the text is not UTF-8"},"retries":7}`},
		{"mask", "probe.v1.All", string(field(32, field(1, []byte("a_B")))),
			`{"mask":{"@type":"google.protobuf.FieldMask","@value":"CgNhX0I=","@error":"google.protobuf.FieldMask.paths contains irreversible value \"a_B\""}}`},
		{"enum value of a newer schema", "probe.v1.All", "\x80\x01\x63", `{"colour":99}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := decodeMessage([]byte(c.wire), r.message(t, c.message), r.types)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, string(render(m.Interface(), r.types))); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// An Any in an Any in an Any: a few kilobytes could otherwise cost hours.
func TestNestedAnysEnd(t *testing.T) {
	r := newRegistry(t)
	var chain []byte
	for range 2 * anyDepth {
		chain = append(field(1, []byte("type.googleapis.com/google.protobuf.Any")), field(2, chain)...)
	}
	m, err := decodeMessage(field(33, chain), r.message(t, "probe.v1.All"), r.types)
	if err != nil {
		t.Fatal(err)
	}
	out := render(m.Interface(), r.types)
	if n := bytes.Count(out, []byte(`"@type"`)); n != anyDepth+1 || !json.Valid(out) {
		t.Errorf("%d levels in %s", n, out)
	}
	if !bytes.Contains(out, []byte("too deep")) {
		t.Errorf("nothing marks the end of %s", out)
	}
}

// field is a length-delimited field.
func field(number protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), b)
}

// Whatever a server sends: no panic, and JSON comes out.
func FuzzDecode(f *testing.F) {
	r := newRegistry(f)
	messages := []string{"probe.v1.All", "probe.legacy.Old", "probe.edition.Modern"}
	for i := range messages {
		m := dynamicpb.NewMessage(r.message(f, messages[i]))
		if err := (protojson.UnmarshalOptions{AllowPartial: true}).Unmarshal(template(m.Descriptor()), m); err != nil {
			f.Fatal(err)
		}
		f.Add(wireOf(m))
	}
	f.Add(field(33, field(1, []byte("type.googleapis.com/probe.v1.All"))))
	f.Add([]byte("\x0a\x01\xff"))
	// protobuf-go panics: a map key twice, with two wire types; plain and in an Any.
	twice := field(20, []byte("\x0a\x01k\x08\x01"))
	f.Add(twice)
	f.Add(field(33, append(field(1, []byte("type.googleapis.com/probe.v1.All")), field(2, twice)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range messages {
			m, err := decodeMessage(b, r.message(t, name), r.types)
			if err != nil {
				continue
			}
			unknownBytes(m)
			if out := render(m.Interface(), r.types); !json.Valid(out) {
				t.Fatalf("%x as %s: %s", b, name, out)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	r := newRegistry(b)
	m, err := parseMessage([]byte(everything), r.message(b, "probe.v1.All"), r.types)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(everything)))
	for b.Loop() {
		render(m, r.types)
	}
}

func BenchmarkUnary(b *testing.B) {
	benchmarkCall(b, "probe.v1.Probe/Peek", `{"sku":"a"}`)
}

func BenchmarkServerStreamOf1000(b *testing.B) {
	benchmarkCall(b, "probe.v1.Probe/ListNumbers", `{"value":1000}`)
}

func benchmarkCall(b *testing.B, method, doc string) {
	p := dial(b, serve(b, serverOptions{reflection: bothVersions}).target())
	records := 0
	for b.Loop() {
		for _, err := range p.Invoke(b.Context(), probes.Invocation{Method: method, Next: docs(doc)}) {
			if err != nil {
				b.Fatal(err)
			}
			records++
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
