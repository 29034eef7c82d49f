package grpcapi

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

func TestSchemaAsText(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	var b strings.Builder
	for _, ref := range []string{"probe.v1.Item", "probe.v1.Colour", "probe.v1.Lone", "probe.v1.Probe/Sum", "probe.legacy.Old",
		"probe.edition.Modern", "probe.legacy.colour", "google.rpc.RetryInfo"} {
		s, err := p.Schema(within(t), ref)
		if err != nil {
			t.Fatal(err)
		}
		if s.Ref != ref || s.Type != "protobuf" {
			t.Errorf("%s: ref %q, type %q", ref, s.Ref, s.Type)
		}
		b.WriteString("// " + ref + "\n" + s.Text + "\n")
	}
	golden(t, "testdata/schemas.golden", b.String())
}

// The machine form is complete: it builds without anything else.
func TestSchemaAsDescriptors(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	s, err := p.Schema(within(t), "probe.v1.Probe/Echo")
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(s.Data, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"probe.v1.Probe.Echo", "probe.v1.All", "google.protobuf.Any"} {
		if _, err := files.FindDescriptorByName(protoreflect.FullName(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaOfNothing(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	for _, ref := range []string{"probe.v1.Itemm", "probe.v1.Probe/Ech", "nothing"} {
		_, err := p.Schema(within(t), ref)
		wantError(t, err, probes.ErrNotFound, "", "")
		if probes.HintOf(err) == "" {
			t.Errorf("%s: no hint", ref)
		}
	}
}
