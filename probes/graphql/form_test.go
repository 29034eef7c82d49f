package graphql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func TestForm(t *testing.T) {
	p := withSchema(t, "127.0.0.1:1/graphql")
	form, err := p.Form(patience(t), "placeOrder")
	if err != nil {
		t.Fatal(err)
	}
	if form.Root.Kind != probes.ShapeObject || form.Root.Of != formRequest {
		t.Errorf("root %+v", form.Root)
	}
	status := probes.Shape{Kind: probes.ShapeEnum, Type: "Status", Name: "status", Default: `"OPEN"`, Nullable: true,
		Choices: []probes.Choice{{Value: `"OPEN"`}, {Value: `"SHIPPED"`, Doc: "On a lorry."}, {Value: `"LOST"`, Doc: "deprecated."}}}
	line := probes.Shape{Kind: probes.ShapeObject, Of: "Line", Type: "Line!"}
	want := map[string][]probes.Shape{
		formRequest: {
			{Name: "variables", Kind: probes.ShapeObject, Of: formVariables, Doc: "values for the variables of the query", Required: true},
			{Name: "query", Kind: probes.ShapeString, Type: "GraphQL", Doc: "the GraphQL document; left out, it is made from the schema"},
			{Name: "operationName", Kind: probes.ShapeString, Doc: "which operation of the document is meant, where it has several"},
			{Name: "depth", Kind: probes.ShapeInteger, Doc: "how deep the query goes that is made where none is given", Rule: "from 1 to 10", Default: "2"},
		},
		formVariables: {{Name: "order", Kind: probes.ShapeObject, Of: "NewOrder", Type: "NewOrder!", Required: true}},
		"NewOrder": {
			{Name: "customer", Kind: probes.ShapeString, Type: "ID!", Required: true},
			{Name: "lines", Kind: probes.ShapeList, Type: "[Line!]!", Elem: &line, Required: true},
			{Name: "note", Kind: probes.ShapeString, Type: "String", Nullable: true},
			status,
			{Name: "parent", Kind: probes.ShapeObject, Of: "NewOrder", Type: "NewOrder", Nullable: true}, // in a circle
		},
		"Line": {
			{Name: "sku", Kind: probes.ShapeString, Type: "String!", Required: true},
			{Name: "quantity", Kind: probes.ShapeInteger, Type: "Int!", Default: "1", Rule: "from -2147483648 to 2147483647"},
			{Name: "gift", Kind: probes.ShapeBool, Type: "Boolean", Nullable: true},
		},
	}
	if d := cmp.Diff(want, form.Types); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if form, err = p.Form(patience(t), "by"); err != nil || form.Types["By"][0].Group != "one of By" || form.Types["By"][1].Group != "one of By" {
		t.Errorf("%+v %v", form.Types["By"], err)
	}
	form, err = p.Form(patience(t), "query")
	if err != nil || form.Types[formRequest][1].Name != "query" || !form.Types[formRequest][1].Required || form.Types[formRequest][0].Of != "" {
		t.Errorf("%+v %v", form, err)
	}
	_, err = p.Form(patience(t), "query nope")
	wantError(t, err, probes.ErrNotFound)
}

func TestSchemaOfAMethod(t *testing.T) {
	p := withSchema(t, "127.0.0.1:1/graphql")
	s, err := p.Schema(patience(t), "Mutation.placeOrder")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"type Mutation {\n  placeOrder(order: NewOrder!): Order!\n}", "input NewOrder {", "input Line {", "enum Status {"} {
		if !strings.Contains(s.Text, want) {
			t.Errorf("%q is not in\n%s", want, s.Text)
		}
	}
	if strings.Contains(s.Text, "shared") || s.Type != "graphql" {
		t.Errorf("%s: %s", s.Type, s.Text)
	}
	if s, err = p.Schema(patience(t), "Found"); err != nil || !strings.HasPrefix(s.Text, "union Found = Customer | Order") || !strings.Contains(s.Text, "type Order implements Node {") {
		t.Errorf("%s %v", s.Text, err)
	}
	_, err = p.Schema(patience(t), "Odrer")
	wantError(t, err, probes.ErrNotFound, "did you mean Order")
}

func TestURLs(t *testing.T) {
	drivers := []probes.Driver{Driver()}
	for raw, want := range map[string][3]string{
		"graphql://h:1":                                {"h:1", "", "http://h:1"},
		"graphql://h:1/graphql":                        {"h:1/graphql", "", "http://h:1/graphql"},
		"graphqls://u:p@h/a/b":                         {"h/a/b", "", "https://h/a/b"},
		"graphql://h/graphql/query orders":             {"h/graphql", "query orders", "http://h/graphql"},
		"graphql://h/query":                            {"h/query", "", "http://h/query"},
		"graphql://h/query/query%20orders":             {"h/query", "query orders", "http://h/query"},
		"graphql://h/graphql#subscription orderPlaced": {"h/graphql", "subscription orderPlaced", "http://h/graphql"},
		"graphql://h/graphql?x=1":                      {"h/graphql?x=1", "", ""},
	} {
		tg, subject, err := probes.ParseURL(drivers, raw)
		if err != nil || tg.Address != want[0] || subject != want[1] {
			t.Errorf("%s: %q %q %v", raw, tg.Address, subject, err)
			continue
		}
		u, err := endpointOf(&tg)
		if want[2] == "" {
			if err == nil {
				t.Errorf("%s is taken", raw)
			}
		} else if err != nil || u.String() != want[2] || tg.TLS.Enabled != strings.HasPrefix(want[2], "https") {
			t.Errorf("%s: %v %v", raw, u, err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range [][3]string{
		{optDepth, "0", "from 1 to 10"}, {optDepth, "x", "from 1 to 10"}, {optSchema, "/no/such/file", "no such file"},
		{"dept", "1", "did you mean depth"}} {
		_, err := newProbe(target("h", tt[0], tt[1]))
		wantError(t, err, probes.ErrUsage, tt[2])
	}
}
