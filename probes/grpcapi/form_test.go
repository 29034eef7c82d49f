package grpcapi

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

func TestForm(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	form, err := p.Form(within(t), "probe.v1.Probe/Echo")
	if err != nil {
		t.Fatal(err)
	}
	want := probes.Shape{Kind: probes.ShapeObject, Of: "probe.v1.All", Type: "probe.v1.All", Doc: "Every kind of field there is."}
	if d := cmp.Diff(want, form.Root); d != "" {
		t.Errorf("root (-want +got)\n%s", d)
	}
	colour := []probes.Choice{{Value: `"COLOUR_UNSPECIFIED"`}, {Value: `"RED"`}, {Value: `"GREEN"`}}
	item := probes.Shape{Kind: probes.ShapeObject, Type: "probe.v1.Item", Of: "probe.v1.Item"}
	for _, want := range []probes.Shape{
		{Name: "fDouble", Kind: probes.ShapeNumber, Type: "double"},
		{Name: "fInt32", Kind: probes.ShapeInteger, Type: "int32", Rule: "from -2147483648 to 2147483647"},
		{Name: "big", Kind: probes.ShapeInteger, Type: "int64"},
		{Name: "data", Kind: probes.ShapeBytes, Type: "bytes"},
		{Name: "colour", Kind: probes.ShapeEnum, Type: "probe.v1.Colour", Choices: colour},
		{Name: "maybe", Kind: probes.ShapeString, Type: "string", Nullable: true},
		{Name: "items", Kind: probes.ShapeList, Type: "repeated probe.v1.Item", Elem: &item},
		{Name: "byName", Kind: probes.ShapeMap, Type: "map<string, probe.v1.Item>", Elem: &item},
		{Name: "byNumber", Kind: probes.ShapeMap, Keys: probes.ShapeInteger, Type: "map<int64, string>", Elem: &probes.Shape{Kind: probes.ShapeString, Type: "string"}},
		{Name: "byBool", Kind: probes.ShapeMap, Keys: probes.ShapeBool, Type: "map<bool, probe.v1.Item>", Elem: &item},
		{Name: "child", Kind: probes.ShapeObject, Type: "probe.v1.All", Of: "probe.v1.All"},
		{Name: "text", Kind: probes.ShapeString, Type: "string", Group: "choice"},
		{Name: "item", Kind: probes.ShapeObject, Type: "probe.v1.Item", Of: "probe.v1.Item", Group: "choice"},
		{Name: "at", Kind: probes.ShapeTime, Type: "google.protobuf.Timestamp", Example: `"2026-11-22T14:03:00Z"`},
		{Name: "lasting", Kind: probes.ShapeDuration, Type: "google.protobuf.Duration", Example: `"1.5s"`},
		{Name: "mask", Kind: probes.ShapeFieldMask, Type: "google.protobuf.FieldMask", Example: `"name,address.city"`},
		{Name: "nil", Kind: probes.ShapeEnum, Type: "google.protobuf.NullValue", Choices: []probes.Choice{{Value: "null"}}},
		{Name: "empty", Kind: probes.ShapeObject, Type: "google.protobuf.Empty", Of: "google.protobuf.Empty"},
		{Name: "wInt64", Kind: probes.ShapeInteger, Type: "google.protobuf.Int64Value", Nullable: true},
	} {
		if d := cmp.Diff(want, shapeOf(t, form, "probe.v1.All", want.Name)); d != "" {
			t.Errorf("%s (-want +got)\n%s", want.Name, d)
		}
	}
	if s := shapeOf(t, form, "probe.v1.All", "any"); s.Kind != probes.ShapeAny || !strings.Contains(s.Example, "@type") {
		t.Errorf("any: %+v", s)
	}
	if _, ok := form.Types["google.protobuf.Empty"]; !ok || len(form.Types) != 3 {
		t.Errorf("types: %v", form.Types)
	}
	_, err = p.Form(within(t), "probe.v1.Probe/Ech")
	wantError(t, err, probes.ErrNotFound, "no method Ech", "did you mean Echo")
}

func shapeOf(t *testing.T, f probes.Form, of, name string) probes.Shape {
	t.Helper()
	i := slices.IndexFunc(f.Types[of], func(s probes.Shape) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("%s has no %s: %v", of, name, f.Types[of])
	}
	return f.Types[of][i]
}

func TestFormOfProto2(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	form, err := p.Form(within(t), "probe.v1.Probe/Old")
	if err != nil {
		t.Fatal(err)
	}
	var required, defaulted, extended bool
	for _, s := range form.Types["probe.legacy.Old"] {
		required = required || s.Required
		defaulted = defaulted || s.Default != ""
		extended = extended || strings.HasPrefix(s.Name, "[probe.")
	}
	if !required || !defaulted || !extended {
		t.Errorf("required %v, default %v, extension %v in %+v", required, defaulted, extended, form.Types["probe.legacy.Old"])
	}
}

func TestContractIsWhole(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	s, err := p.Contract(within(t))
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(s.Data, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set) // refuses what is out of order or missing
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"probe/v1/probe.proto", "probe/v2/probe.proto", "probe/v1/lone.proto", "probe/opts/opts.proto"} {
		if _, err := files.FindFileByPath(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := files.FindFileByPath("grpc/reflection/v1/reflection.proto"); err == nil {
		t.Error("reflection itself is in the contract")
	}
	if s.Type != "protobuf" || !strings.Contains(s.Text, "rpc Echo") || !strings.Contains(s.Text, "// probe.v2.Probe") {
		t.Errorf("type %s, text %s", s.Type, s.Text)
	}
}

func TestContractWithMissingImport(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions, without: []string{"probe/legacy/old.proto"}}).target())
	s, err := p.Contract(within(t))
	wantError(t, err, probes.ErrIncomplete, "probe.v1.Probe: ", "option proto")
	if !strings.Contains(s.Text, "service Lone") || len(s.Data) == 0 {
		t.Errorf("the rest: %s", s.Text)
	}
}

func TestMissingImportOfOptionsIsNoted(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions, without: []string{"probe/opts/opts.proto"}}).target())
	s, err := p.Schema(within(t), "probe.v1.Probe/Echo")
	if err != nil || !strings.HasPrefix(s.Text, "// Not served, and done without: probe/opts/opts.proto\n") {
		t.Errorf("%s, %v", s.Text, err)
	}
	for snap, err := range p.Discover(within(t), probes.DiscoverQuery{Detail: true, Subject: "probe.v1.Probe"}) {
		if err != nil {
			t.Fatal(err)
		}
		noted := false
		for _, c := range snap.Claims {
			v, _ := probes.FindAttr(c.Node.Attrs, attrMissing)
			noted = noted || v == "probe/opts/opts.proto"
		}
		if !noted {
			t.Errorf("not noted in %+v", snap.Claims)
		}
	}
}

func TestOneMethodIsFoundByOneQuestion(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	for _, typed := range []string{"probe.v1.Probe/Peek", "probe.v1.Probe.Peek", "/probe.v1.Probe/Peek"} {
		m, err := p.Method(within(t), typed)
		if err != nil || m.Name != "probe.v1.Probe/Peek" || m.Effect != probes.EffectRead || m.Input != "probe.v1.Item" {
			t.Errorf("%s: %+v, %v", typed, m, err)
		}
	}
	if n := f.called(callV1); n != 1 {
		t.Errorf("reflection was asked %d times", n)
	}
	_, err := p.Method(within(t), "probe.v1.Prob/Peek")
	wantError(t, err, probes.ErrNotFound, "there is no service probe.v1.Prob", "probe.v1.Probe")
}

// An enum of thousands, and messages in a circle.
func TestFormOfAwkwardSchemas(t *testing.T) {
	var text strings.Builder
	text.WriteString("syntax = \"proto3\";\npackage odd;\nenum Huge {\n")
	for i := range 5000 {
		text.WriteString("  V" + string(rune('A'+i%26)) + "_" + strings.Repeat("X", i/26+1) + " = " + strconv.Itoa(i) + ";\n")
	}
	text.WriteString("}\nmessage A { B b = 1; Huge huge = 2; }\nmessage B { repeated A as = 1; map<string, B> bs = 2; }\nservice Odd { rpc Get(A) returns (B); }\n")
	dir := files(t, map[string]string{"odd.proto": text.String()})
	target := serve(t, serverOptions{}).target()
	target.Options = map[string]string{optProto: "odd.proto", optImport: dir}
	p := dial(t, target)
	form, err := p.Form(within(t), "odd.Odd/Get")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(shapeOf(t, form, "odd.A", "huge").Choices); n != 5000 || len(form.Types) != 2 {
		t.Errorf("%d choices, types %d", n, len(form.Types))
	}
	m, err := p.Method(within(t), "odd.Odd/Get")
	if err != nil || len(m.Template) > 1000 {
		t.Errorf("template of %d bytes, %v", len(m.Template), err)
	}
	_, err = collect(within(t), p, probes.Invocation{Method: "odd.Odd/Get", Next: docs(`{"huge":"NONE"}`)})
	wantError(t, err, probes.ErrUsage, "huge (line 1:9)", "…")
}
