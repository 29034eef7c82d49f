package protobuf

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"iscope/inspectors/emit"
)

const orderProto = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/any.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/empty.proto";
import "money.proto";
enum Status { NEW = 0; PAID = 1; }
message First { string a = 1; }
message Order {
  message Line { string sku = 1; int32 qty = 2; repeated sint32 deltas = 3; }
  int64 order_id = 1;
  string note = 2;
  optional bool paid = 3;
  Status status = 4;
  repeated Line lines = 5;
  map<string, int64> stock = 6;
  map<int32, Line> by_slot = 7;
  oneof payment { string card = 8; Line voucher = 9; uint32 cash = 10; }
  bytes blob = 11;
  double d = 12; float f = 13; fixed32 f32 = 14; sfixed64 s64 = 15; uint64 big = 16; sint64 z = 17;
  google.protobuf.Timestamp at = 18;
  google.protobuf.Duration ttl = 19;
  google.protobuf.Any any = 20;
  google.protobuf.Struct extra = 21;
  google.protobuf.Int64Value maybe = 22;
  google.protobuf.FieldMask mask = 23;
  google.protobuf.Empty nothing = 24;
  repeated Status history = 25;
  repeated fixed64 sums = 26;
  repeated string tags = 27;
  shop.Money total = 28;
  map<bool, google.protobuf.Value> flags = 29;
  message Deep { message Er { string x = 1; } Er er = 1; }
  Deep deep = 30;
  google.protobuf.ListValue list = 31;
  google.protobuf.StringValue title = 32;
  google.protobuf.DoubleValue ratio = 33;
  google.protobuf.BytesValue raw = 34;
  google.protobuf.NullValue null = 35;
}
`

const moneyProto = `syntax = "proto2";
package shop;
message Money {
  required string currency = 1;
  optional int64 units = 2 [default = 7];
  repeated int32 parts = 3;
  optional group Detail = 4 { optional string why = 1; }
  extensions 100 to 200;
}
extend Money { optional string reference = 100; repeated int32 codes = 101; }
`

func schema(t testing.TB) *Schema {
	t.Helper()
	s, err := Compile(context.Background(), map[string]string{"order.proto": orderProto, "money.proto": moneyProto}, "order.proto")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const orderText = `order_id: 9223372036854775807 note: "hi\n" paid: false status: PAID
lines { sku: "A" qty: -1 deltas: [1, -2, 3] } lines { }
stock { key: "a" value: 1 } stock { key: "b" value: -9223372036854775808 }
by_slot { key: -5 value { sku: "S" } }
voucher { sku: "V" }
blob: "\000\001\377" d: 1e300 f: 0.1 f32: 4294967295 s64: -1 big: 18446744073709551615 z: -3
at { seconds: 1700000000 nanos: 120000000 } ttl { seconds: -1 nanos: -500000000 }
any { type_url: "type.googleapis.com/shop.First" value: "\n\001x" }
extra { fields { key: "k" value { list_value { values { number_value: 1.5 } values { null_value: NULL_VALUE } values { bool_value: true } } } } }
maybe { value: 5 } mask { paths: "a" paths: "b" } nothing { }
history: [PAID, NEW] sums: [1, 18446744073709551615] tags: "x" tags: ""
total { currency: "EUR" units: 12 parts: 1 parts: 2 Detail { why: "because" } [shop.reference]: "ref" [shop.codes]: 4 [shop.codes]: 5 }
flags { key: true value { string_value: "on" } }
deep { er { x: "y" } } list { values { string_value: "s" } } title { value: "T" } ratio { } raw { value: "\001" }`

// types resolves for protobuf-go what Schema resolves for us.
func types(t testing.TB, s *Schema) (*dynamicpb.Types, protoreflect.MessageDescriptor) {
	t.Helper()
	var set descriptorpb.FileDescriptorSet
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i))
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	for _, f := range s.files {
		add(f)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName("shop.Order")
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewTypes(files), d.(protoreflect.MessageDescriptor)
}

// encoded is made by protobuf-go.
func encoded(t testing.TB, s *Schema) []byte {
	t.Helper()
	ts, md := types(t, s)
	m := dynamicpb.NewMessage(md)
	if err := (prototext.UnmarshalOptions{Resolver: ts}).Unmarshal([]byte(orderText), m); err != nil {
		t.Fatal(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryKind(t *testing.T) {
	s := schema(t)
	w := emit.New(1<<20, true)
	if err := s.Decode(w, encoded(t, s), s.Message("shop.Order")); err != nil {
		t.Fatal(err)
	}
	text := string(w.Text())
	want := `{"orderId":9223372036854775807,"note":"hi\n","paid":false,"status":"PAID",` +
		`"lines":[{"sku":"A","qty":-1,"deltas":[1,-2,3]},{"sku":"","qty":0}],"stock":{"a":1,"b":-9223372036854775808},"bySlot":{"-5":{"sku":"S","qty":0}},` +
		`"voucher":{"sku":"V","qty":0},"blob":"AAH/","d":1e+300,"f":0.1,"f32":4294967295,"s64":-1,"big":18446744073709551615,"z":-3,` +
		`"at":"2023-11-14T22:13:20.120Z","ttl":"-1.500s","any":{"@type":"type.googleapis.com/shop.First","a":"x"},` +
		`"extra":{"k":[1.5,null,true]},"maybe":5,"mask":"a,b","nothing":{},"history":["PAID","NEW"],"sums":[1,18446744073709551615],"tags":["x",""],` +
		`"total":{"currency":"EUR","units":12,"parts":[1,2],"detail":{"why":"because"},"[shop.reference]":"ref","[shop.codes]":[4,5]},` +
		`"flags":{"true":"on"},"deep":{"er":{"x":"y"}},"list":["s"],"title":"T","ratio":0,"raw":"AQ==","null":null}`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	if !json.Valid([]byte(text)) {
		t.Error("not JSON")
	}
	notes := map[string]bool{}
	for _, n := range w.Notes() {
		notes[n.Text] = true
	}
	for _, want := range []string{"1", "3 bytes", "1700000000 s since 1970", "not on the wire"} {
		if !notes[want] {
			t.Errorf("no note %q in %v", want, notes)
		}
	}
}

func TestWhatTheSchemaDoesNotKnow(t *testing.T) {
	s := schema(t)
	b := encode(t, `order_id: 1 status: 9 card: "4111" any { type_url: "x/shop.Unknown" value: "\001" } at { nanos: -1 }`, s)
	b = protowire.AppendTag(b, 900, protowire.BytesType)
	b = protowire.AppendString(b, "new field")
	b = protowire.AppendTag(b, 2, protowire.VarintType) // note is a string
	b = protowire.AppendVarint(b, 3)
	w := emit.New(1<<20, true)
	if err := s.Decode(w, b, s.Message("shop.Order")); err != nil {
		t.Fatal(err)
	}
	text := string(w.Text())
	for _, want := range []string{`"status":9,`, `"card":"4111"`, `"any":{"@type":"x/shop.Unknown","value":"AQ=="}`, `"at":{"seconds":0,"nanos":-1}`, `"2":3,"900":"new field"}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	var notes []string
	for _, n := range w.Notes() {
		if n.Text != "not on the wire" && n.Text != "0; not on the wire" {
			notes = append(notes, n.Text)
		}
	}
	if diff := cmp.Diff([]string{"not in enum Status", "oneof payment", `0 bytes; not on the wire`, "this type is not in the schema", "1 byte",
		"zig-zag -2; not in the schema", "not in the schema"}, notes); diff != "" {
		t.Error(diff)
	}
}

func encode(t testing.TB, text string, s *Schema) []byte {
	t.Helper()
	ts, md := types(t, s)
	m := dynamicpb.NewMessage(md)
	if err := (prototext.UnmarshalOptions{Resolver: ts}).Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOddWires: what the encoding allows and encoders rarely do.
func TestOddWires(t *testing.T) {
	s := schema(t)
	tag := func(b []byte, n protowire.Number, typ protowire.Type) []byte { return protowire.AppendTag(b, n, typ) }
	str := func(b []byte, n protowire.Number, v string) []byte {
		return protowire.AppendString(tag(b, n, protowire.BytesType), v)
	}
	num := func(b []byte, n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(tag(b, n, protowire.VarintType), v)
	}
	for name, tc := range map[string]struct {
		body []byte
		want string
	}{
		"the last number counts":            {num(num(nil, 1, 5), 1, 6), `"orderId":6`},
		"messages are merged":               {str(str(nil, 30, "\x0a\x00"), 30, "\x0a\x03\x0a\x01z"), `"deep":{"er":{"x":"z"}}`},
		"the last of a oneof counts":        {str(num(nil, 10, 3), 8, "c"), `"card":"c"`},
		"the last of a oneof, other order":  {num(str(nil, 8, "c"), 10, 3), `"cash":3`},
		"a oneof starts anew":               {str(num(str(nil, 9, "\x0a\x01a"), 10, 3), 9, "\x10\x01"), `"voucher":{"sku":"","qty":1}`},
		"the last of a key counts":          {str(str(nil, 6, "\x0a\x01a\x10\x01"), 6, "\x0a\x01a\x10\x02"), `"stock":{"a":2}`},
		"an empty entry":                    {str(nil, 6, ""), `"stock":{"":0}`},
		"packed and not":                    {num(str(nil, 25, "\x01\x00"), 25, 1), `"history":["PAID","NEW","PAID"]`},
		"an entry with two keys":            {str(nil, 6, "\x0a\x01a\x08\x01\x10\x02"), `"stock":{"a":2}`},
		"fields in any order":               {str(num(num(nil, 16, 1), 1, 2), 2, "x"), `"orderId":2,"note":"x"`},
		"a struct with a key twice":         {str(nil, 21, "\x0a\x07\x0a\x01k\x12\x02\x20\x01\x0a\x07\x0a\x01k\x12\x02\x20\x00"), `"extra":{"k":false}`},
		"not UTF-8":                         {str(nil, 2, "a\xff"), "\"note\":\"a\ufffd\""},
		"ten bytes for a negative number":   {num(nil, 5, 1)[:0], `"orderId":0`},
		"an enum below zero":                {num(nil, 4, 1<<64-1), `"status":-1`},
		"a time out of range is an object":  {str(nil, 18, "\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), `"at":{"seconds":72057594037927935,"nanos":0}`},
		"a duration of both signs, as well": {str(nil, 19, "\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), `"ttl":{"seconds":1,"nanos":-1}`},
	} {
		w := emit.New(1<<20, false)
		if err := s.Decode(w, tc.body, s.Message("shop.Order")); err != nil || !strings.Contains(string(w.Text()), tc.want) || !json.Valid(w.Text()) {
			t.Errorf("%s: %s, %v; want %s", name, w.Text(), err, tc.want)
		}
	}
}

func TestFaults(t *testing.T) {
	s := schema(t)
	md := s.Message("shop.Order")
	whole := encoded(t, s)
	for i := range whole {
		err := s.Decode(emit.New(1<<20, true), whole[:i], md)
		var f *emit.Fault
		if err != nil && (!errors.As(err, &f) || f.Offset > i) {
			t.Fatalf("%d bytes: %v", i, err)
		}
	}
	for body, want := range map[string]string{
		"\x0a":                     "it ends inside field 1@0",
		"\x08\x01\x2a\x03\x0a\x05": "it ends inside field 5@2",
		"\x2a\x02\x0a\x05":         "it ends inside field 1, in lines@2",
		"\x07":                     "the tag of a field: invalid field number@0",
		"\x00\x01":                 "the tag of a field: invalid field number@0",
		"\x1a\x02\xff\xff":         "",
		"\x5c":                     "field 11: mismatching end group marker@0",
	} {
		err := s.Decode(emit.New(1<<20, true), []byte(body), md)
		var f *emit.Fault
		got := ""
		if errors.As(err, &f) {
			got = f.Reason + "@" + string(rune('0'+f.Offset))
		}
		if got != want {
			t.Errorf("%x: got %s, want %s", body, got, want)
		}
	}
	deep := []byte{}
	for range 400 {
		deep = protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), protowire.AppendBytes(protowire.AppendTag(nil, 5, protowire.BytesType), deep))
		deep = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), deep)
	}
	deep = protowire.AppendBytes(protowire.AppendTag(nil, 21, protowire.BytesType), deep)
	if err := s.Decode(emit.New(1<<30, false), deep, md); err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("got %.100v", err)
	}
}

func TestIndexes(t *testing.T) {
	s := schema(t)
	for _, tc := range []struct {
		path []int
		want string
	}{{[]int{0}, "shop.First"}, {[]int{1}, "shop.Order"}, {[]int{1, 0}, "shop.Order.Line"}, {[]int{1, 1}, "shop.Order.Deep"}, {[]int{1, 1, 0}, "shop.Order.Deep.Er"}} {
		md, err := s.ByIndex(tc.path, nil)
		if err != nil || string(md.FullName()) != tc.want {
			t.Errorf("%v: %v, %v; want %s", tc.path, md, err, tc.want)
		}
	}
	for _, path := range [][]int{nil, {2}, {0, 0}, {1, 2}, {-1}} {
		if _, err := s.ByIndex(path, nil); err == nil {
			t.Errorf("%v: no error", path)
		}
	}
}

func TestIndexesThatCountMaps(t *testing.T) {
	s, err := Compile(context.Background(), map[string]string{"f.proto": `syntax = "proto3";
message M { map<string, int32> m = 1; message A { string a = 1; } message B { int32 b = 2; } }`}, "f.proto")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		path       []int
		body, want string
	}{
		{[]int{0, 0}, "\x0a\x01x", "M.A"}, // only Java's reading is a message
		{[]int{0, 1}, "\x10\x01", "M.B"},
		{[]int{0, 1}, "\x0a\x01x", "M.A"}, // as the serializer for Go counts
		{[]int{0, 2}, "\x10\x01", "M.B"},
		{[]int{0, 1}, "", "M.B"},
	} {
		md, err := s.ByIndex(tc.path, []byte(tc.body))
		if err != nil || string(md.FullName()) != tc.want {
			t.Errorf("%v %x: %v, %v; want %s", tc.path, tc.body, md, err, tc.want)
		}
	}
}

func TestSources(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for name, text := range map[string]string{"shop/order.proto": strings.ReplaceAll(orderProto, `"money.proto"`, `"common/money.proto"`), "lib/common/money.proto": moneyProto} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := CompileFiles(ctx, []string{dir, filepath.Join(dir, "lib")}, "shop/order.proto")
	if err != nil || s.Message("shop.Money") == nil {
		t.Fatalf("%v", err)
	}
	if _, err := CompileFiles(ctx, []string{dir}, "shop/order.proto"); err == nil || !strings.Contains(err.Error(), "common/money.proto") {
		t.Errorf("a missing import: %v", err)
	}
	var set descriptorpb.FileDescriptorSet
	for _, f := range s.files {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f.Imports().Get(f.Imports().Len()-1).FileDescriptor))
	}
	b, err := proto.Marshal(&set) // without the well-known types
	if err != nil {
		t.Fatal(err)
	}
	fromSet, err := FromSet(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	w := emit.New(1<<20, false)
	if err := fromSet.Decode(w, encoded(t, s), fromSet.Message("shop.Order")); err != nil || !strings.Contains(string(w.Text()), `"at":"2023-11-14`) {
		t.Errorf("%s, %v", w.Text(), err)
	}
	for _, bad := range []string{"", "text", "\x0a\x02"} {
		if _, err := FromSet(ctx, []byte(bad)); err == nil {
			t.Errorf("%q is taken for a FileDescriptorSet", bad)
		}
	}
	withMeta := `syntax = "proto3"; import "confluent/meta.proto"; import "confluent/type/decimal.proto";
message P { option (confluent.message_meta) = { doc: "d" }; confluent.type.Decimal price = 1 [(confluent.field_meta) = { params: [{ key: "precision", value: "9" }] }]; }`
	c, err := Compile(ctx, map[string]string{"p.proto": withMeta}, "p.proto")
	if err != nil {
		t.Fatal(err)
	}
	w = emit.New(1000, false)
	if err := c.Decode(w, []byte("\x0a\x08\x0a\x02\xfb\x2e\x10\x09\x18\x02"), c.Message("P")); err != nil || string(w.Text()) != `{"price":-12.34}` {
		t.Errorf("%s, %v", w.Text(), err)
	}
}

func TestLimits(t *testing.T) {
	s := schema(t)
	b := encoded(t, s)
	for max := range 1200 {
		w := emit.New(max, true)
		if err := s.Decode(w, b, s.Message("shop.Order")); err != nil || !json.Valid(w.Text()) {
			t.Fatalf("max %d: %v, %s", max, err, w.Text())
		}
		raw := emit.New(max, true)
		if err := Raw(raw, b); err != nil || !json.Valid(raw.Text()) {
			t.Fatalf("max %d: %v, %s", max, err, raw.Text())
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(moneyProto, []byte("\x0a\x03EUR"))
	f.Add(`edition = "2023"; message M { int32 a = 1; M m = 2 [features.message_encoding = DELIMITED]; }`, []byte("\x08\x01\x13\x08\x02\x14"))
	f.Fuzz(func(t *testing.T, source string, b []byte) {
		s, err := Compile(context.Background(), map[string]string{"f.proto": source}, "f.proto")
		if err != nil {
			return
		}
		for _, md := range s.Messages() {
			w := emit.New(1<<16, true)
			if err := s.Decode(w, b, md); err == nil && !json.Valid(w.Text()) {
				t.Fatalf("%q became %q", b, w.Text())
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := schema(b)
	body := encoded(b, s)
	md := s.Message("shop.Order")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Decode(emit.New(1<<20, false), body, md); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		schema(b)
	}
}
