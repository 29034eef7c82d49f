package graphql

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"iscope/probes"
)

// shopSDL has every kind of type, in circles.
const shopSDL = `
"Where an order is on its way."
enum Status { OPEN "On a lorry." SHIPPED LOST @deprecated(reason: "found") }
scalar DateTime @specifiedBy(url: "https://example.com/time")
interface Node { id: ID! }
type Customer implements Node { id: ID! name: String! rank: Int orders(first: Int!): [Order!]! best: Order }
type Order implements Node { id: ID! customer: Customer! status: Status! rank: String! total(in: String): Float! old: Int @deprecated }
union Found = Customer | Order
type Orders { nodes: [Order!]! edges: [Edge!]! pageInfo: Page! }
type Edge { node: Order! }
type Page { more: Boolean! }
input Line { sku: String! quantity: Int! = 1 gift: Boolean }
input NewOrder { customer: ID! lines: [Line!]! note: String status: Status = OPEN parent: NewOrder }
input By @oneOf { id: ID name: String }
type Query {
  "One order.\nNull if there is none."
  order(id: ID!): Order
  orders(status: Status, first: Int! = 10, old: Int @deprecated): [Order!]!
  node(id: ID!): Node
  search(query: String!): [Found!]!
  page(first: Int, after: String): Orders!
  shared: Int @deprecated(reason: "no")
  by(by: By!): Order
  now: DateTime!
}
type Mutation { placeOrder(order: NewOrder!): Order! shared: Int }
type Subscription { orderPlaced(customer: ID): Order! countdown(from: Int!): Int! }
`

func contractFrom(t testing.TB, sdl string) *contract {
	t.Helper()
	parts, err := parseSDL(sdl)
	if err != nil {
		t.Fatal(err)
	}
	c := newContract(parts.assemble(), defaultDepth)
	c.warnings = parts.warnings
	return c
}

// patience bounds a test's calls: what needs longer hangs.
func patience(t testing.TB) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(stop)
	return ctx
}

// target is a writable target at an address.
func target(addr string, options ...string) probes.Target {
	t := probes.Target{Name: "shop", Driver: "graphql", Address: addr, Options: map[string]string{},
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
	for i := 0; i+1 < len(options); i += 2 {
		t.Options[options[i]] = options[i+1]
	}
	return t
}

func openTarget(t testing.TB, tg probes.Target) *probe {
	t.Helper()
	p, err := newProbe(tg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// serve runs a server at /graphql: answer gets what is asked, and returns "" for
// an introspection to be refused.
func serve(t testing.TB, answer func(w http.ResponseWriter, r *http.Request, q request)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var q request
		if err == nil && r.URL.Path == "/graphql" && r.Header.Get("Content-Encoding") == "" {
			err = json.Unmarshal(body, &q)
		}
		if err != nil || r.URL.Path != "/graphql" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch {
		case q.Query == "{__typename}":
			io.WriteString(w, `{"data":{"__typename":"Query"}}`)
		case strings.Contains(q.Query, "__schema"):
			io.WriteString(w, `{"errors":[{"message":"introspection is disabled"}]}`)
		default:
			answer(w, r, q)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// says answers everything in one way.
func says(body string) func(http.ResponseWriter, *http.Request, request) {
	return func(w http.ResponseWriter, _ *http.Request, _ request) { io.WriteString(w, body) }
}

// invoke makes one call; doc "" sends no document.
func invoke(t testing.TB, p *probe, method, doc string, edit ...func(*probes.Invocation)) (recs []probes.Record, err error) {
	t.Helper()
	in := probes.Invocation{Method: method, Next: docs(doc)}
	for _, e := range edit {
		e(&in)
	}
	for r, err := range p.Invoke(patience(t), in) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, r)
	}
	return recs, nil
}

func mustInvoke(t testing.TB, p *probe, method, doc string, edit ...func(*probes.Invocation)) (req, resp, end probes.Record) {
	t.Helper()
	recs, err := invoke(t, p, method, doc, edit...)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	if len(recs) != 3 || recs[0].Kind != probes.Request || recs[1].Kind != probes.Response || recs[2].Kind != probes.End {
		t.Fatalf("%s: got %d records %v, want a request, a response and an end", method, len(recs), recs)
	}
	return recs[0], recs[1], recs[2]
}

func docs(all ...string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		for len(all) > 0 {
			d := all[0]
			all = all[1:]
			if d != "" {
				return []byte(d), nil
			}
		}
		return nil, io.EOF
	}
}

func force(in *probes.Invocation) { in.Force = true }

func attr(r probes.Record, name string) string {
	v, _ := r.Attr(name)
	return v
}

// attrs are all values of one attribute.
func attrs(r probes.Record, name string) (out []string) {
	for _, a := range r.Attrs {
		if a.Name == name {
			out = append(out, a.Value)
		}
	}
	return out
}

// wantError checks kind, target and that each text is in the error or its hint.
func wantError(t testing.TB, err, kind error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := probes.KindOf(err); got != kind {
		t.Errorf("kind %v, want %v: %v", got, kind, err)
	}
	all := err.Error() + " // " + probes.HintOf(err)
	for _, s := range append(texts, "shop") {
		if !strings.Contains(all, s) {
			t.Errorf("%q is not in %s", s, all)
		}
	}
}

// parse reads a query that has to be right.
func parse(t testing.TB, query string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("%v in\n%s", err, query)
	}
	return doc
}
