package schema

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"iscope/inspectors/emit"
	"iscope/probes"
)

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, s string
		want       bool
	}{
		{"orders", "orders", true}, {"orders", "orders2", false}, {"*", "", true}, {"*", "a/b", true}, {"orders.*", "orders.created", true},
		{"orders.*", "orders", false}, {"*.dlq", "a.dlq", true}, {"a*b*c", "a-b-c", true}, {"a*b*c", "acb", false}, {"a*a", "a", false}, {"a**b", "ab", true},
	} {
		if got := Matches(tc.pattern, tc.s); got != tc.want {
			t.Errorf("%q %q: %v", tc.pattern, tc.s, got)
		}
	}
}

func TestParseAssignment(t *testing.T) {
	for s, want := range map[string]Assignment{
		"orders=a.avsc":                         {Pattern: "orders", File: "a.avsc"},
		"orders.*:key=a.avsc":                   {Pattern: "orders.*", Key: true, File: "a.avsc"},
		"a:b:value=dir/x.proto#shop.v1.Order":   {Pattern: "a:b", File: "dir/x.proto", Message: "shop.v1.Order"},
		"order.avsc":                            {Pattern: "*", File: "order.avsc"},
		"x.proto#M":                             {Pattern: "*", File: "x.proto", Message: "M"},
		"orders=./a=b.avsc":                     {Pattern: "orders", File: "./a=b.avsc"},
		"amqp/exchange:key=/schemas/order.json": {Pattern: "amqp/exchange", Key: true, File: "/schemas/order.json"},
	} {
		if got, err := ParseAssignment(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "=", "orders=", "=a.avsc", ":key=a.avsc", "orders=#M"} {
		if _, err := ParseAssignment(s); !errors.Is(err, probes.ErrUsage) || probes.HintOf(err) == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

const orderProto = `syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
message Order { int64 id = 1; google.protobuf.Timestamp at = 2; }
message Other { string x = 1; }`

// folder writes files and returns where.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func set(t *testing.T) string {
	t.Helper()
	one := &descriptorpb.FileDescriptorProto{Name: proto.String("one.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"),
		Dependency: []string{"google/protobuf/timestamp.proto"},
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Single"), Field: []*descriptorpb.FieldDescriptorProto{{Name: proto.String("at"), JsonName: proto.String("at"),
			Number: proto.Int32(1), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
			TypeName: proto.String(".google.protobuf.Timestamp")}}}}}
	b, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto((&timestamppb.Timestamp{}).ProtoReflect().Descriptor().ParentFile()), one}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFiles(t *testing.T) {
	dir := folder(t, map[string]string{
		"order.avsc":      `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}`,
		"key.avsc":        `"string"`,
		"pay.json":        `{"type":"object","required":["id"]}`,
		"v1/order.proto":  orderProto,
		"v1/import.proto": `syntax = "proto3"; package shop; import "v1/order.proto"; message Parcel { Order order = 1; }`,
		"set.binpb":       set(t),
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	f, err := OpenFiles(context.Background(), []Assignment{
		{Pattern: "avro.*", File: at("order.avsc")}, {Pattern: "*", Key: true, File: at("key.avsc")}, {Pattern: "json", File: at("pay.json")},
		{Pattern: "proto", File: at("v1/order.proto"), Message: "shop.Order"}, {Pattern: "import", File: "v1/import.proto"},
		{Pattern: "set", File: at("set.binpb")}, {Pattern: "avro.b", File: at("pay.json")},
	}, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		q                      Query
		body, name, from, want string
	}{
		{Query{Subject: "avro.a"}, "\x02", "shop.Order", "order.avsc", `{"id":1}`},
		{Query{Subject: "avro.b"}, "\x02", "shop.Order", "order.avsc", `{"id":1}`}, // the first match counts
		{Query{Subject: "any", Key: true}, "\x02k", "string", "key.avsc", `"k"`},
		{Query{Subject: "json"}, `{"id":1}`, "", "pay.json", `{"id":1}`},
		{Query{Subject: "proto"}, "\x08\x05\x12\x02\x08\x01", "shop.Order", "order.proto", `{"id":5,"at":"1970-01-01T00:00:01Z"}`},
		{Query{Subject: "import"}, "\x0a\x02\x08\x05", "shop.Parcel", "import.proto", `{"order":{"id":5}}`},
		{Query{Subject: "set"}, "\x0a\x02\x08\x01", "shop.Single", "set.binpb", `{"at":"1970-01-01T00:00:01Z"}`},
		{Query{Subject: "grpc", Ref: "shop.Other"}, "\x0a\x01y", "shop.Other", "a .proto file", `{"x":"y"}`},
	} {
		found, err := f.Find(context.Background(), tc.q)
		if err != nil {
			t.Errorf("%+v: %v", tc.q, err)
			continue
		}
		w := emit.New(1000, false)
		err = found.Decode(w, []byte(tc.body), nil)
		if err != nil || string(w.Text()) != tc.want || found.MessageName(nil, nil) != tc.name || found.From != tc.from {
			t.Errorf("%+v: %s, %v, name %q from %q", tc.q, w.Text(), err, found.MessageName(nil, nil), found.From)
		}
	}
	for _, q := range []Query{{Subject: "none"}, {Subject: "avro.a", ID: 3}, {Subject: "avro.a", GUID: [16]byte{1}}, {Subject: "none", Ref: "shop.Nothing"}} {
		if _, err := f.Find(context.Background(), q); !errors.Is(err, ErrNone) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if found, err := f.Find(context.Background(), Query{Subject: "json"}); err != nil || len(found.Check([]byte(`{}`))) != 1 {
		t.Errorf("the contract is not checked: %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	dir := folder(t, map[string]string{"bad.avsc": `{"type":"recrd"}`, "bad.proto": "message {", "two.proto": orderProto, "what.txt": "x", "bad.binpb": "\x01", "bad.json": "{",
		"missing.proto": `import "gone.proto";`, "large.avsc": strings.Repeat(" ", maxText+1)})
	for name, tc := range map[string]struct {
		a    Assignment
		kind error
		says string
	}{
		"missing":       {Assignment{File: "none.avsc"}, probes.ErrUsage, "no such file"},
		"missing proto": {Assignment{File: "none.proto"}, probes.ErrUsage, "no such file"},
		"avro":          {Assignment{File: "bad.avsc"}, probes.ErrUsage, "recrd"},
		"proto":         {Assignment{File: "bad.proto"}, probes.ErrUsage, "syntax error"},
		"import":        {Assignment{File: "missing.proto"}, probes.ErrUsage, "gone.proto"},
		"set":           {Assignment{File: "bad.binpb"}, probes.ErrUsage, "FileDescriptorSet"},
		"json":          {Assignment{File: "bad.json"}, probes.ErrUsage, "not JSON"},
		"suffix":        {Assignment{File: "what.txt"}, probes.ErrUsage, "unknown suffix"},
		"large":         {Assignment{File: "large.avsc"}, probes.ErrUsage, "more than"},
		"which message": {Assignment{File: "two.proto"}, probes.ErrUsage, "2 messages"},
		"wrong message": {Assignment{File: "two.proto", Message: "shop.Ordr"}, probes.ErrNotFound, "shop.Ordr"},
		"no proto":      {Assignment{File: "what.txt", Message: "M"}, probes.ErrUsage, "unknown suffix"},
	} {
		tc.a.Pattern, tc.a.File = "*", filepath.Join(dir, tc.a.File)
		_, err := OpenFiles(context.Background(), []Assignment{tc.a}, nil)
		var e *probes.Error
		if !errors.As(err, &e) || e.Target != tc.a.File || e.Op == "" || !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCompileLimits(t *testing.T) {
	for name, src := range map[string]Source{
		"type":       {Type: "THRIFT", Text: "x"},
		"size":       {Type: Avro, Text: strings.Repeat(" ", maxText+1)},
		"references": {Type: JSON, Text: "{}", Refs: make([]Ref, maxRefs+1)},
	} {
		if _, err := Compile(context.Background(), src); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s, err := Compile(context.Background(), Source{Type: Protobuf, Text: orderProto})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Decode(emit.New(10, false), nil, nil); err == nil || !strings.Contains(err.Error(), "2 messages") {
		t.Errorf("got %v", err)
	}
	if _, err := Compile(context.Background(), Source{Type: Protobuf, Text: "syntax = \"proto3\";\nmessage {"}); err == nil || !strings.Contains(err.Error(), "line 2:9") {
		t.Errorf("got %v", err)
	}
}
