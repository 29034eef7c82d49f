package grpcapi

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; -update rewrites it)\n%s", file, d)
	}
}

func TestTemplateLooksLikeThis(t *testing.T) {
	r := newRegistry(t)
	var b strings.Builder
	for _, name := range []string{"probe.v1.All", "probe.legacy.Old", "probe.edition.Modern", "google.protobuf.Timestamp"} {
		b.WriteString("// " + name + "\n" + string(template(r.message(t, name))) + "\n")
	}
	golden(t, "testdata/templates.golden", b.String())
}

// checkTemplate is the property: what a template says can be sent as it is.
func checkTemplate(md protoreflect.MessageDescriptor, types resolver) error {
	doc := template(md)
	if !json.Valid(doc) {
		return fmt.Errorf("%s: no JSON: %s", md.FullName(), doc)
	}
	if len(doc) > 8*templateBytes {
		return fmt.Errorf("%s: template of %d bytes", md.FullName(), len(doc))
	}
	m, err := parseMessage(doc, md, types)
	if err != nil {
		return fmt.Errorf("%s: %w in\n%s", md.FullName(), err, doc)
	}
	if _, err := encodeMessage(m); err != nil {
		return fmt.Errorf("%s: %w", md.FullName(), err)
	}
	return nil
}

// rangeMessages visits messages and those declared in them.
func rangeMessages(mds protoreflect.MessageDescriptors, visit func(protoreflect.MessageDescriptor)) {
	for i := range mds.Len() {
		if md := mds.Get(i); !md.IsMapEntry() {
			visit(md)
			rangeMessages(md.Messages(), visit)
		}
	}
}

// Beside the fixture's messages these are all that are linked into the test:
// descriptor.proto, google.rpc, health, reflection and more.
func TestEveryTemplateCanBeSent(t *testing.T) {
	r := newRegistry(t)
	n := 0
	for _, files := range []*protoregistry.Files{r.Files, protoregistry.GlobalFiles} {
		files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
			rangeMessages(fd.Messages(), func(md protoreflect.MessageDescriptor) {
				n++
				if err := checkTemplate(md, r.types); err != nil {
					t.Error(err)
				}
			})
			return true
		})
	}
	if n < 100 {
		t.Errorf("only %d messages", n)
	}
}

// Random schemas find what nobody thought of: required fields in cycles,
// oneofs without a possible member, wide graphs.
func TestTemplateOfRandomSchemas(t *testing.T) {
	r := newRegistry(t)
	rapid.Check(t, func(rt *rapid.T) {
		fd, err := protodesc.NewFile(randomFile(rt), r)
		if err != nil {
			rt.Skip(err.Error())
		}
		rangeMessages(fd.Messages(), func(md protoreflect.MessageDescriptor) {
			if impossible(md, nil) {
				return // it requires itself: no finite message exists
			}
			if err := checkTemplate(md, dynamicpb.NewTypes(r.Files)); err != nil {
				rt.Error(err)
			}
		})
	})
}

// impossible reports whether a message requires itself.
func impossible(md protoreflect.MessageDescriptor, path []protoreflect.FullName) bool {
	for _, n := range path {
		if n == md.FullName() {
			return true
		}
	}
	path = append(path, md.FullName())
	nums := md.RequiredNumbers()
	for i := range nums.Len() {
		if sub := md.Fields().ByNumber(nums.Get(i)).Message(); sub != nil && impossible(sub, path) {
			return true
		}
	}
	return false
}

func randomFile(rt *rapid.T) *descriptorpb.FileDescriptorProto {
	const messages = 6
	p := func(s string) *string { return &s }
	fd := &descriptorpb.FileDescriptorProto{Name: p("random.proto"), Package: p("random"), Syntax: p("proto2"),
		Dependency: []string{"google/protobuf/timestamp.proto", "google/protobuf/any.proto", "google/protobuf/struct.proto"}}
	types := []string{".google.protobuf.Timestamp", ".google.protobuf.Any", ".google.protobuf.Value"}
	for i := range messages {
		types = append(types, fmt.Sprintf(".random.M%d", i))
	}
	for i := range messages {
		md := &descriptorpb.DescriptorProto{Name: p(fmt.Sprintf("M%d", i))}
		if rapid.Bool().Draw(rt, "oneof") {
			md.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: p("choice")}}
		}
		inOneof := 0
		for j := range rapid.IntRange(0, 12).Draw(rt, "fields") {
			number := int32(j + 1)
			f := &descriptorpb.FieldDescriptorProto{Name: p(fmt.Sprintf("f_%d", j)), Number: &number}
			kind := descriptorpb.FieldDescriptorProto_Type(rapid.SampledFrom([]int32{1, 3, 4, 5, 8, 9, 11, 11, 11, 12, 13}).Draw(rt, "type"))
			f.Type = &kind
			if kind == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
				f.TypeName = p(rapid.SampledFrom(types).Draw(rt, "message"))
			}
			label := descriptorpb.FieldDescriptorProto_Label(rapid.IntRange(1, 3).Draw(rt, "label"))
			f.Label = &label
			if md.OneofDecl != nil && rapid.Bool().Draw(rt, "member") {
				label, zero := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, int32(0)
				f.Label, f.OneofIndex = &label, &zero
				inOneof++
			}
			md.Field = append(md.Field, f)
		}
		if inOneof == 0 {
			md.OneofDecl = nil
		}
		fd.MessageType = append(fd.MessageType, md)
	}
	return fd
}
