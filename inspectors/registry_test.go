package inspectors

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"iscope/inspectors/registry"
	"iscope/probes"
	"iscope/probes/probetest"
)

// registries runs a test against a registry in this process and, where the
// testbed has one, against a real one.
func registries(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("fake", func(t *testing.T) {
		r := srfake.New()
		t.Cleanup(r.Close)
		f(t, r.URL())
	})
	t.Run("real", func(t *testing.T) {
		url := probetest.Need(t, "registry").Addresses["http"]
		if !strings.Contains(url, "://") {
			url = "http://" + url
		}
		f(t, url)
	})
}

// unique makes names that no other run uses on the same server.
func unique(name string) string {
	return fmt.Sprintf("%s-%d-%d", name, os.Getpid(), time.Now().UnixNano())
}

func register(t *testing.T, url, subject string, s sr.Schema) int {
	t.Helper()
	c, err := sr.NewClient(sr.URLs(url))
	if err != nil {
		t.Fatal(err)
	}
	ss, err := c.CreateSchema(context.Background(), subject, s)
	if err != nil {
		t.Fatalf("registering %s: %v", subject, err)
	}
	t.Cleanup(func() {
		for _, how := range []sr.DeleteHow{sr.SoftDelete, sr.HardDelete} {
			_, _ = c.DeleteSubject(context.Background(), subject, how)
		}
	})
	return ss.ID
}

func withRegistry(t testing.TB, o registry.Options) Env {
	t.Helper()
	s, err := OpenSchemas(context.Background(), Setup{Registry: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return Env{Schemas: s}
}

// framedBy frames a payload as franz-go's serializer does.
func framedBy(t *testing.T, id int, index []int, payload []byte) []byte {
	t.Helper()
	var serde sr.Serde
	opts := []sr.EncodingOpt{sr.EncodeFn(func(any) ([]byte, error) { return payload, nil })}
	if index != nil {
		opts = append(opts, sr.Index(index...))
	}
	serde.Register(id, []byte(nil), opts...)
	b, err := serde.Encode([]byte(nil))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decodesTo checks the JSON of a record and that its view is made by that kind
// of schema without a problem.
func decodesTo(t *testing.T, r *probes.Record, env Env, kind, schema, want string) View {
	t.Helper()
	text, gotKind, err := Decode(context.Background(), r, env)
	if err != nil || gotKind != kind || string(text) != want || !json.Valid(text) {
		t.Errorf("%s %s, %v\nwant %s %s", gotKind, text, err, kind, want)
	}
	v := Default().Inspect(context.Background(), r, env)
	if v.Inspector != kind || !strings.Contains(v.Schema, schema) || len(v.Problems) > 0 {
		t.Errorf("the view is %s by %q with %v", v.Inspector, v.Schema, v.Problems)
	}
	return v
}

func TestAvroThroughARegistry(t *testing.T) {
	registries(t, func(t *testing.T, url string) {
		const address = `{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"zip","type":"string"}]}`
		const order = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"to","type":"shop.Address"},
{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}}]}`
		subject := unique("address")
		register(t, url, subject, sr.Schema{Schema: address})
		id := register(t, url, unique("orders")+"-value", sr.Schema{Schema: order,
			References: []sr.SchemaReference{{Name: "shop.Address", Subject: subject, Version: 1}}})

		var cache avro.SchemaCache
		if _, err := cache.Parse(address); err != nil {
			t.Fatal(err)
		}
		encoder, err := cache.Parse(order)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := encoder.Encode(map[string]any{"id": int64(9007199254740993), "to": map[string]any{"zip": "12345"},
			"at": time.UnixMilli(1700000000123), "price": big.NewRat(-12345, 100)})
		if err != nil {
			t.Fatal(err)
		}
		r := record("", string(framedBy(t, id, nil, payload)))
		v := decodesTo(t, r, withRegistry(t, registry.Options{URL: url}), "avro", fmt.Sprintf("avro shop.Order, id %d", id),
			`{"id":9007199254740993,"to":{"zip":"12345"},"at":1700000000123,"price":-123.45}`)
		if text := shown(v); !strings.Contains(text, `"at": 1700000000123,  // 2023-11-14T22:13:20.123Z`) {
			t.Errorf("got %s", text)
		}
	})
}

func TestProtobufThroughARegistry(t *testing.T) {
	registries(t, func(t *testing.T, url string) {
		const money = `syntax = "proto3"; package shop; message Money { string currency = 1; int64 units = 2; }`
		const order = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "shop/money.proto";
message First { string unused = 1; }
message Order {
  map<string, int32> stock = 1;
  message Line { string sku = 1; uint64 qty = 2; google.protobuf.Timestamp at = 3; google.protobuf.Duration ttl = 4; Money price = 5; }
  message Other { bool b = 1; }
}
`
		subject := unique("money")
		register(t, url, subject, sr.Schema{Schema: money, Type: sr.TypeProtobuf})
		id := register(t, url, unique("lines")+"-value", sr.Schema{Schema: order, Type: sr.TypeProtobuf,
			References: []sr.SchemaReference{{Name: "shop/money.proto", Subject: subject, Version: 1}}})
		payload := protoLine(t)
		// The second message and its first nested one, as the Java serializer
		// counts: the entry of a map is none.
		r := record("", string(framedBy(t, id, []int{1, 0}, payload)))
		const want = `{"sku":"A-1","qty":18446744073709551615,"at":"2023-11-14T22:13:20.000000005Z","ttl":"1.500s","price":{"currency":"EUR","units":9007199254740993}}`
		env := withRegistry(t, registry.Options{URL: url})
		decodesTo(t, r, env, "protobuf", fmt.Sprintf("protobuf shop.Order.Line, id %d", id), want)

		// The same in headers, as Confluent's newer serializers write it.
		inHeader := record("", string(payload))
		frame := append([]byte{0}, r.Body[1:5]...)
		inHeader.Header = []probes.Field{{Name: "__value_schema_id", Value: append(frame, 4, 2, 0)}}
		decodesTo(t, inHeader, env, "protobuf", "shop.Order.Line", want)

		first := record("", string(framedBy(t, id, []int{0}, []byte("\x0a\x01x"))))
		if first.Body[5] != 0 {
			t.Fatalf("the first message is written as % x", first.Body)
		}
		decodesTo(t, first, env, "protobuf", "shop.First", `{"unused":"x"}`)
	})
}

// protoLine is encoded by protobuf-go, by descriptors built by hand.
func protoLine(t *testing.T) []byte {
	t.Helper()
	field := func(name string, n int32, typ descriptorpb.FieldDescriptorProto_Type, of string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &n, Type: typ.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		if of != "" {
			f.TypeName = &of
		}
		return f
	}
	const str, u64, i64, msg = descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_UINT64,
		descriptorpb.FieldDescriptorProto_TYPE_INT64, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto), protodesc.ToFileDescriptorProto(durationpb.File_google_protobuf_duration_proto),
		{Name: proto.String("f.proto"), Syntax: proto.String("proto3"), Dependency: []string{"google/protobuf/timestamp.proto", "google/protobuf/duration.proto"},
			MessageType: []*descriptorpb.DescriptorProto{
				{Name: proto.String("Money"), Field: []*descriptorpb.FieldDescriptorProto{field("currency", 1, str, ""), field("units", 2, i64, "")}},
				{Name: proto.String("Line"), Field: []*descriptorpb.FieldDescriptorProto{field("sku", 1, str, ""), field("qty", 2, u64, ""),
					field("at", 3, msg, ".google.protobuf.Timestamp"), field("ttl", 4, msg, ".google.protobuf.Duration"), field("price", 5, msg, ".Money")}}}}}}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	d, err := files.FindDescriptorByName("Line")
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
	by := m.Descriptor().Fields().ByName
	m.Set(by("sku"), protoreflect.ValueOfString("A-1"))
	m.Set(by("qty"), protoreflect.ValueOfUint64(1<<64-1))
	at, ttl, price := m.Mutable(by("at")).Message(), m.Mutable(by("ttl")).Message(), m.Mutable(by("price")).Message()
	at.Set(at.Descriptor().Fields().ByNumber(1), protoreflect.ValueOfInt64(1700000000))
	at.Set(at.Descriptor().Fields().ByNumber(2), protoreflect.ValueOfInt32(5))
	ttl.Set(ttl.Descriptor().Fields().ByNumber(1), protoreflect.ValueOfInt64(1))
	ttl.Set(ttl.Descriptor().Fields().ByNumber(2), protoreflect.ValueOfInt32(500000000))
	price.Set(price.Descriptor().Fields().ByNumber(1), protoreflect.ValueOfString("EUR"))
	price.Set(price.Descriptor().Fields().ByNumber(2), protoreflect.ValueOfInt64(9007199254740993))
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestJSONSchemaThroughARegistry(t *testing.T) {
	registries(t, func(t *testing.T, url string) {
		subject := unique("zip")
		register(t, url, subject, sr.Schema{Type: sr.TypeJSON, Schema: `{"$schema":"http://json-schema.org/draft-07/schema#","type":"string","pattern":"^[0-9]{5}$"}`})
		id := register(t, url, unique("places")+"-value", sr.Schema{Type: sr.TypeJSON,
			Schema:     `{"$schema":"http://json-schema.org/draft-07/schema#","title":"Place","type":"object","properties":{"zip":{"$ref":"zip.json"},"n":{"type":"integer"}}}`,
			References: []sr.SchemaReference{{Name: "zip.json", Subject: subject, Version: 1}}})
		env := withRegistry(t, registry.Options{URL: url})
		good := record("", string(framedBy(t, id, nil, []byte(`{"zip":"12345","n":12345678901234567890}`))))
		decodesTo(t, good, env, "json", fmt.Sprintf("json Place, id %d", id), `{"zip":"12345","n":12345678901234567890}`)
		if text, _, _ := Decode(context.Background(), good, env); &text[0] != &good.Body[5] {
			t.Error("JSON behind a frame is copied")
		}
		bad := record("", string(framedBy(t, id, nil, []byte(`{"zip":"1","n":1.5}`))))
		if got := shown(Default().Inspect(context.Background(), bad, env)); !strings.Contains(got, "! violates its schema at /n: it is of type number, not integer @-1\n") ||
			!strings.Contains(got, "at /zip: it does not match") {
			t.Errorf("got %s", got)
		}
	})
}

func TestKeysAndStrategies(t *testing.T) {
	registries(t, func(t *testing.T, url string) {
		topic := unique("orders")
		keyID := register(t, url, topic+"-key", sr.Schema{Schema: `{"type":"record","name":"Key","fields":[{"name":"id","type":"int"}]}`})
		register(t, url, topic+"-value", sr.Schema{Schema: `{"type":"record","name":"Value","fields":[{"name":"name","type":"string"}]}`})
		name := "shop.Named" + hex.EncodeToString([]byte(topic[len(topic)-6:]))
		register(t, url, name, sr.Schema{Schema: `{"type":"record","name":"Named","namespace":"shop","fields":[{"name":"b","type":"boolean"}]}`})
		ctx := context.Background()
		r := &probes.Record{Kind: probes.Message, Source: probes.Ref{Target: "k", Subject: topic}, Key: framedBy(t, keyID, nil, []byte{84}), Body: []byte("\x0ahello"),
			Header: []probes.Field{{Name: "content-type", Value: []byte("application/cbor")}}}
		env := withRegistry(t, registry.Options{URL: url, Strategy: registry.TopicName})
		if text, kind, err := DecodeKey(ctx, r, env); err != nil || kind != "avro" || string(text) != `{"id":42}` {
			t.Errorf("key: %s %s, %v", kind, text, err)
		}
		if v := Default().InspectKey(ctx, r, env); v.Inspector != "avro" || !strings.Contains(v.Schema, fmt.Sprint("id ", keyID)) {
			t.Errorf("key: %s by %s", v.Inspector, v.Schema)
		}
		if text, kind, err := Decode(ctx, r, env); err != nil || kind != "avro" || string(text) != `{"name":"hello"}` {
			t.Errorf("value by topic: %s %s, %v", kind, text, err)
		}
		byRecord := withRegistry(t, registry.Options{URL: url, Strategy: registry.RecordName, Records: []registry.Record{{Pattern: "*", Name: name}}})
		flag := &probes.Record{Kind: probes.Message, Source: r.Source, Body: []byte{1}}
		if text, kind, err := Decode(ctx, flag, byRecord); err != nil || kind != "avro" || string(text) != `{"b":true}` {
			t.Errorf("value by record name: %s %s, %v", kind, text, err)
		}
	})
}

func TestMissingSchemas(t *testing.T) {
	registries(t, func(t *testing.T, url string) {
		env := withRegistry(t, registry.Options{URL: url})
		r := record("", "\x00\x00\xff\xff\x1f\x06abc")
		for range 2 {
			got := shown(Default().Inspect(context.Background(), r, env))
			if want := "hex\n00000000  00 00 ff ff 1f 06 61 62  63                       ......abc\n! not found: schema id 16776991 is not in registry " + url + " @0\n"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		if text, kind, err := Decode(context.Background(), r, env); text != nil || kind != "binary" || err == nil || !strings.Contains(err.Error(), "16776991") {
			t.Errorf("%s %s, %v", kind, text, err)
		}
		if got := Default().Brief(context.Background(), r, env, 80); !strings.HasPrefix(got, "? not found: schema id 16776991") {
			t.Errorf("got %q", got)
		}
	})
}
