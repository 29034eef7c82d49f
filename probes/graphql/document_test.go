package graphql

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vektah/gqlparser/v2/ast"
)

func TestReadDocument(t *testing.T) {
	for _, tt := range []struct {
		text string
		args []string
		want request
		bad  string
	}{
		{text: "", want: request{}},
		{text: `{"id": "A-7"}`, args: []string{"id"}, want: request{Variables: json.RawMessage(`{"id": "A-7"}`)}},
		{text: `{"query": "{ a }", "variables": {"id": 12345678901234567890}, "operationName": "x", "extensions": {"y": 1}}`,
			want: request{Query: "{ a }", Variables: json.RawMessage(`{"id": 12345678901234567890}`), OperationName: "x", Extensions: json.RawMessage(`{"y": 1}`)}},
		// An argument called query: its value decides.
		{text: `{"query": "tea"}`, args: []string{"query"}, want: request{Variables: json.RawMessage(`{"query": "tea"}`)}},
		{text: `{"query": "{ search(query: \"tea\") { __typename } }"}`, args: []string{"query"}, want: request{Query: `{ search(query: "tea") { __typename } }`}},
		{text: `{"variables": {"query": "tea"}}`, args: []string{"query"}, want: request{Variables: json.RawMessage(`{"query": "tea"}`)}},
		{text: `{"variables": null}`, want: request{Variables: json.RawMessage("null")}},
		{text: `{"variables": [1]}`, want: request{Variables: json.RawMessage(`{"variables": [1]}`)}},
		{text: `{"depth": 3, "variables": {}}`, want: request{depth: 3, Variables: json.RawMessage("{}")}},
		{text: `{"depth": 3}`, want: request{depth: 3}},
		{text: `{"depth": 3}`, args: []string{"depth"}, want: request{Variables: json.RawMessage(`{"depth": 3}`)}},
		{text: `{}`, want: request{Variables: json.RawMessage("{}")}},
		{text: "\n query { a }", want: request{Query: "\n query { a }"}},
		{text: "\x00{\"query\": \"{a}\"}", want: request{Query: "{a}"}},
		{text: `{"depth": 99}`, bad: "depth: use a number from 1 to 10"},
		{text: `{"depth": "x"}`, bad: "depth: expected int, got a string"},
		{text: `{"depth": 2, "query": "{a}"}`, bad: "leave query out, or depth"},
		{text: `{"query": "{a}", "varables": {}}`, bad: "varables: a request has no such field; did you mean variables?"},
		{text: `{"query": 5}`, bad: "query: expected string, got a number"},
		{text: "{\"a\":\n  x}", bad: "no JSON: line 2:3: "},
		{text: `{"a":`, bad: "no JSON: line 1:6: "},
		{text: `[1]`, bad: "the document is a array, not a JSON object"},
	} {
		got, err := readDocument([]byte(tt.text), tt.args)
		if tt.bad != "" {
			if err == nil || !strings.Contains(err.Error(), tt.bad) {
				t.Errorf("%s: %v, want %s", tt.text, err, tt.bad)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
		} else if d := cmp.Diff(tt.want, *got, cmp.AllowUnexported(request{}), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, d)
		}
	}
}

func TestKindOfText(t *testing.T) {
	for _, tt := range []struct {
		text, name string
		want       ast.Operation
	}{
		{"{a}", "", ast.Query},
		{"mutation { a }", "", ast.Mutation},
		{"query a { a } mutation b { b }", "a", ast.Query},
		{"query a { a } mutation b { b }", "b", ast.Mutation},
		{"query a { a } mutation b { b }", "", ast.Mutation}, // what might be run counts
		{"query a { a } mutation b { b }", "c", ast.Mutation},
		{"subscription { a }", "", ast.Subscription},
	} {
		if got, err := kindOfText(tt.text, tt.name); err != nil || got != tt.want {
			t.Errorf("%s, %q: %v %v", tt.text, tt.name, got, err)
		}
	}
	if _, err := kindOfText("{\n a(", ""); err == nil || !strings.HasPrefix(err.Error(), "query 2:4: ") {
		t.Error(err)
	}
}

func TestVariables(t *testing.T) {
	c := contractFrom(t, shopSDL)
	const place = `mutation($order: NewOrder!, $n: Int = 5, $more: [ID!]) { placeOrder(order: $order) { id } shared }`
	for _, tt := range []struct {
		vars string
		want []string
	}{
		{`{"order": {"customer": 5, "lines": {"sku": "x"}, "status": null}, "n": 3.0, "more": "one"}`, nil},
		{``, []string{"variables.order: missing; expected NewOrder!"}},
		{`{"order": null, "n": null}`, []string{"variables.order: expected NewOrder!, got null"}},
		{`{"order": {"customer": true, "lines": [{"sku": 5, "quantity": "two"}, {"skew": "x"}], "status": "SHIPED", "parent": 7}, "n": 3000000000, "more": ["a", null, 1.5], "odrer": 1}`, []string{
			"variables.order.customer: expected ID! (a string or a whole number), got a boolean",
			"variables.order.lines[0].sku: expected String!, got a number",
			"variables.order.lines[0].quantity: expected Int! (a whole number of 32 bits), got a string",
			"variables.order.lines[1].sku: missing; expected String!",
			"variables.order.lines[1].skew: Line has no such field; did you mean sku?",
			"variables.order.status: no value of Status; did you mean SHIPPED?",
			"variables.order.parent: expected an object (NewOrder), got a number",
			"variables.n: expected Int (a whole number of 32 bits), got a number",
			"variables.more[1]: expected ID!, got null",
			"variables.more[2]: expected ID! (a string or a whole number), got a number",
			"variables.odrer: the operation has no such variable; did you mean order?",
		}},
		{`[1]`, []string{"variables: expected an object"}},
	} {
		j := &judge{schema: c.schema}
		j.variables(parse(t, place).Operations[0], json.RawMessage(tt.vars))
		if d := cmp.Diff(tt.want, j.found); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.vars, d)
		}
	}
	j := &judge{schema: c.schema}
	j.variables(parse(t, "query($by: By!) { by(by: $by) { id } }").Operations[0], json.RawMessage(`{"by": {"id": "x", "name": "y"}}`))
	if d := cmp.Diff([]string{"variables.by: exactly one field of By has to be set: id, name"}, j.found); d != "" {
		t.Error(d)
	}
}
