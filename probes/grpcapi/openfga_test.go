package grpcapi

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
	"iscope/probes/probetest"
)

const fgaService = "openfga.v1.OpenFGAService"

// fgaTarget is a public project's server, whose contract is as contracts are: 20
// files, custom options everywhere, JSON names of their own, streams.
func fgaTarget(t *testing.T) probes.Target {
	t.Helper()
	return probes.Target{Name: "openfga", Driver: "grpc", Address: probetest.Need(t, "openfga").Addresses["grpc"],
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
}

func TestOpenFGAConformance(t *testing.T) {
	probetest.Run(t, probetest.Suite{
		Driver: Driver(), Target: fgaTarget(t),
		Discover: &probetest.DiscoverCase{
			Kinds: []probes.NodeKind{probes.NodeService}, Subject: fgaService, Unknown: "openfga.v1.OpenFGAServic",
		},
		Invoke: &probetest.InvokeCase{
			Method: fgaService + "/ListStores", Doc: `{"page_size":2}`,
			Unknown: fgaService + "/ListStore", Body: fgaService + "/CreateStore",
		},
	})
}

func TestOpenFGAForm(t *testing.T) {
	p := dial(t, fgaTarget(t))
	form, err := p.Form(within(t), fgaService+"/CreateStore")
	if err != nil {
		t.Fatal(err)
	}
	name := shapeOf(t, form, "openfga.v1.CreateStoreRequest", "name")
	if !name.Required || name.Example != `"my-store-name"` || !strings.HasPrefix(name.Rule, "pattern ^[a-zA-Z0-9") {
		t.Errorf("name: %+v", name)
	}
	form, err = p.Form(within(t), fgaService+"/WriteAuthorizationModel")
	if err != nil {
		t.Fatal(err)
	}
	// A rewrite of relations holds rewrites: it is written down once.
	if s := shapeOf(t, form, "openfga.v1.Userset", "union"); s.Group != "userset" || s.Of != "openfga.v1.Usersets" {
		t.Errorf("union: %+v", s)
	}
}

func TestOpenFGAContract(t *testing.T) {
	p := dial(t, fgaTarget(t))
	s, err := p.Contract(within(t))
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(s.Data, &set); err != nil {
		t.Fatal(err)
	}
	if _, err := protodesc.NewFiles(&set); err != nil {
		t.Error(err)
	}
	if !strings.Contains(s.Text, "rpc StreamedListObjects") {
		t.Errorf("text: %s", s.Text)
	}
}

// A store, a model and a tuple, as a new user of OpenFGA makes them, and then
// the stream of what they give access to.
func TestOpenFGACalls(t *testing.T) {
	p := dial(t, fgaTarget(t))
	call := func(method, doc string) []probes.Record {
		t.Helper()
		recs, err := collect(within(t), p, probes.Invocation{Method: fgaService + "/" + method, Next: docs(doc)})
		if err != nil {
			t.Fatal(err)
		}
		if end := recs[len(recs)-1]; end.Err != "" {
			t.Fatalf("%s: %s", method, end.Err)
		}
		return recs[1 : len(recs)-1]
	}
	var store struct {
		ID      string
		Created string `json:"created_at"`
	}
	if err := json.Unmarshal(call("CreateStore", `{"name":"iscope-calls"}`)[0].Body, &store); err != nil || store.ID == "" || store.Created == "" {
		t.Fatalf("store %+v, %v", store, err)
	}
	model := call("WriteAuthorizationModel", `{"store_id":"`+store.ID+`","schema_version":"1.1","type_definitions":[{"type":"user"},
		{"type":"doc","relations":{"reader":{"this":{}}},"metadata":{"relations":{"reader":{"directly_related_user_types":[{"type":"user"}]}}}}]}`)
	if len(model) != 1 {
		t.Fatalf("model: %v", model)
	}
	call("Write", `{"store_id":"`+store.ID+`","writes":{"tuple_keys":[
		{"user":"user:ann","relation":"reader","object":"doc:1"},{"user":"user:ann","relation":"reader","object":"doc:2"}]}}`)
	if got := call("StreamedListObjects", `{"store_id":"`+store.ID+`","type":"doc","relation":"reader","user":"user:ann"}`); len(got) != 2 {
		t.Errorf("stream of %d: %v", len(got), got)
	}
	check := call("Check", `{"store_id":"`+store.ID+`","tuple_key":{"user":"user:bob","relation":"reader","object":"doc:1"}}`)
	if string(check[0].Body) != `{}` && string(check[0].Body) != `{"allowed":false}` {
		t.Errorf("check: %s", check[0].Body)
	}
	recs, err := collect(within(t), p, probes.Invocation{Method: fgaService + "/GetStore", Next: docs(`{"store_id":"01HVMMBCMGZNT3SED4CT2YYYYY"}`)})
	if err != nil || !strings.HasPrefix(recs[1].Err, "CODE_5002 (5002): ") {
		t.Errorf("a code of its own: %v, %v", recs, err)
	}
}
