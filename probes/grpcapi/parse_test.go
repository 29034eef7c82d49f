package grpcapi

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"iscope/probes"
)

func TestBadDocumentsAreExplained(t *testing.T) {
	r := newRegistry(t)
	for _, c := range []struct{ name, message, doc, text, hint string }{
		{"unknown field", "All", `{"nme": "x"}`,
			`nme (line 1:2): unknown field "nme"`, "did you mean name, nil?"},
		{"unknown field, deep", "All", "{\n  \"items\": [{}, {\"skuu\": 1}]\n}",
			`items[1].skuu (line 2:18): unknown field "skuu"`, "did you mean sku?"},
		{"unknown field in a map", "All", `{"byName": {"a b": {"amont": 1}}}`,
			`byName["a b"].amont (line 1:21): unknown field "amont"`, "did you mean amount?"},
		{"bad integer", "All", `{"big": "q"}`,
			`big (line 1:9): invalid value for int64 field big: "q"`, "it takes an integer of 64 bits, as a number or in a string"},
		{"out of range", "All", `{"fInt32": 2147483648}`,
			`fInt32 (line 1:12): invalid value for int32 field fInt32: 2147483648`, "it takes an integer from -2147483648 to 2147483647"},
		{"in a list", "All", `{"numbers": [1, 2, "x"]}`,
			`numbers[2] (line 1:20): invalid value for int32 field numbers: "x"`, "it takes an integer from -2147483648 to 2147483647"},
		{"in a wrapper", "All", `{"wInt32": "abc"}`,
			`wInt32 (line 1:12): invalid value for int32 field value: "abc"`, "it takes an integer from -2147483648 to 2147483647"},
		{"a list", "All", `{"list": 7}`, `list (line 1:10): unexpected token 7`, `write it as [1, "two"]`},
		{"bad enum", "All", `{"colour": "BLUE"}`,
			`colour (line 1:12): invalid value for enum field colour: "BLUE"`, "allowed: COLOUR_UNSPECIFIED, RED, GREEN"},
		{"two of a oneof", "All", `{"text": "a", "item": {}}`,
			`item (line 1:15): error parsing "item", oneof probe.v1.All.choice is already set`, "give only one of neverFirst, text, item"},
		{"bad timestamp", "All", `{"at": "yesterday"}`,
			`at (line 1:8): invalid google.protobuf.Timestamp value "yesterday"`, `write it as "2026-11-22T14:03:00Z" or "now-1h"`},
		{"bad moment", "All", `{"at": "now-soon"}`,
			`at (line 1:8): invalid google.protobuf.Timestamp value "now-soon"`, `write it as "2026-11-22T14:03:00Z" or "now-1h"`},
		{"behind a moment", "All", `{"at": "now-1h", "ats": ["now"], "nme": 1}`,
			`nme (line 1:34): unknown field "nme"`, "did you mean name, nil?"},
		{"message where an object belongs", "All", `{"child": 7}`,
			`child (line 1:11): unexpected token 7`, "it takes an object, a message probe.v1.All"},
		{"unknown Any", "All", `{"any": {"@type": "type.googleapis.com/no.Such"}}`,
			`any["@type"] (line 1:19): unable to resolve "type.googleapis.com/no.Such": "not found"`,
			"the server does not describe this type; sources may (options proto, protoset)"},
		{"missing required field", "probe.legacy.Old", `{"id": "1"}`,
			`required field probe.legacy.Old.part not set`, ""},
		{"cut off", "All", "{\"name\": \"x\",\n", `line 2:1: the document ends too early`, ""},
		{"no JSON", "All", `name=x`, `line 1:1: invalid value name`, ""},
		{"two documents", "All", `{} {}`, `line 1:4: unexpected token {`, ""},
		{"trailing comma", "All", `{"name": "x",}`, `name (line 1:14): unexpected token }`, "it takes a string"},
		{"nothing", "All", " \n", `the document is empty`, "send {} to mean an empty message"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := c.message
			if name == "All" {
				name = "probe.v1.All"
			}
			m, err := parseMessage([]byte(c.doc), r.message(t, name), r.types)
			if err == nil {
				t.Fatalf("parsed as %v", m)
			}
			if d := cmp.Diff([]string{c.text, c.hint}, []string{err.Error(), hintOf(err)}); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestMomentsRelativeToNow(t *testing.T) {
	r := newRegistry(t)
	before := time.Now()
	m, err := parseMessage([]byte(`{"name": "now", "at": "now-1h30m", "ats": ["now", "now+5m", "2026-11-22T14:03:00Z", "now-2d12h"],
		"child": {"at":"now"}, "byName": {"now": {"sku": "now"}}, "value": "now"}`), r.message(t, "probe.v1.All"), r.types)
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	var got struct {
		Name, Value string
		At          time.Time
		Ats         []time.Time
		Child       struct{ At time.Time }
		ByName      map[string]struct{ SKU string }
	}
	if err := json.Unmarshal(render(m, r.types), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "now" || got.Value != "now" || got.ByName["now"].SKU != "now" {
		t.Errorf("text was changed: %+v", got)
	}
	for i, c := range []struct {
		got time.Time
		by  time.Duration
	}{{got.At, -90 * time.Minute}, {got.Ats[0], 0}, {got.Ats[1], 5 * time.Minute}, {got.Ats[3], -60 * time.Hour}, {got.Child.At, 0}} {
		if c.got.Before(before.Add(c.by)) || c.got.After(after.Add(c.by)) {
			t.Errorf("%d: %v, now is %v", i, c.got, before)
		}
	}
	if !got.Ats[2].Equal(time.Date(2026, 11, 22, 14, 3, 0, 0, time.UTC)) {
		t.Errorf("a plain moment became %v", got.Ats[2])
	}
}

func FuzzParse(f *testing.F) {
	r := newRegistry(f)
	md := r.message(f, "probe.v1.All")
	for _, s := range []string{`{"name":"x"}`, `{"items":[{"sku":1}]}`, `{"a":`, `[[{"":[`, `{"byName":{"":{"x":[`, `{"at":"now-1h","x`, `{"ats":["now","now+1d1h"],"name":"now"}`, "{\"\xff\":1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := parseMessage(doc, md, r.types)
		if err != nil {
			_ = hintOf(err)
			return
		}
		again, err := parseMessage(render(m, r.types), md, r.types)
		if err != nil {
			t.Fatalf("%s became %s: %v", doc, render(m, r.types), err)
		}
		if got, want := string(render(again, r.types)), string(render(m, r.types)); got != want {
			t.Fatalf("%s is not stable: %s", want, got)
		}
	})
}

func TestADocumentInWireFormIsTakenAsItIs(t *testing.T) {
	md := (&durationpb.Duration{}).ProtoReflect().Descriptor()
	wire, err := proto.Marshal(&durationpb.Duration{Seconds: 3, Nanos: 5})
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseMessage(append([]byte{probes.WireDocument}, wire...), md, resolver(protoregistry.GlobalTypes))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Get(md.Fields().ByName("seconds")).Int(); got != 3 {
		t.Fatalf("seconds are %d", got)
	}
	if _, err := parseMessage([]byte{probes.WireDocument, 0xff}, md, resolver(protoregistry.GlobalTypes)); err == nil {
		t.Fatal("bytes that are no message were taken")
	}
}
