package graphql

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/graph-gophers/graphql-go"

	"iscope/probes"
)

// greeter answers a small schema with a library that is not ours, so that
// introspections of every form are answered as servers do.
type greeter struct{}

func (*greeter) Greet(struct {
	Name string
	Tone tone
	In   *struct{ Loud bool }
}) *greeting {
	return nil
}
func (*greeter) Any() *greeting { return nil }

type tone string

type greeting struct{ Text string }

const greeterSDL = `
enum Tone { WARM COLD @deprecated(reason: "rude") }
input In { loud: Boolean! = true }
"What is said."
type Greeting { text: String! }
type Query { "Says it." greet(name: String!, tone: Tone! = WARM, in: In): Greeting any: Greeting @deprecated(reason: "vague") }
type Mutation { greet(name: String!, tone: Tone! = COLD, in: In): Greeting }
`

func answerGreeter(t testing.TB, query string) []byte {
	t.Helper()
	s, err := graphql.ParseSchema(greeterSDL, &greeter{}, graphql.UseFieldResolvers(), graphql.UseStringDescriptions())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s.Exec(t.Context(), query, "", nil))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// introspection is what the library says of a schema by itself.
func introspection(t testing.TB, sdl string) []byte {
	t.Helper()
	s, err := graphql.ParseSchema(sdl, nil, graphql.UseStringDescriptions())
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// plainSDL is shopSDL without what graph-gophers does not know.
var plainSDL = strings.NewReplacer(" @oneOf", "", ` "On a lorry."`, "").Replace(shopSDL)

// What comes by introspection is what was written.
func TestIntrospectionEqualsSDL(t *testing.T) {
	in, err := readIntro(introspection(t, plainSDL))
	if err != nil {
		t.Fatal(err)
	}
	parts := in.parts()
	got := newContract(parts.assemble(), defaultDepth)
	want := contractFrom(t, plainSDL)
	// The oldest query does not ask for these.
	lines := func(c *contract) string {
		text := strings.NewReplacer(` @specifiedBy(url: "https://example.com/time")`, "", `, old: Int @deprecated(reason: "No longer supported")`, "", ", old: Int @deprecated", "", " @deprecated\n", " @deprecated(reason: \"No longer supported\")\n").
			Replace(string(c.print()))
		return text
	}
	if g, w := lines(got), lines(want); g != w || len(parts.warnings) > 0 {
		t.Errorf("warnings %q, got\n%s\nwant\n%s", parts.warnings, g, w)
	}
}

// An introspection that ends in the middle keeps what came before.
func TestCutIntrospection(t *testing.T) {
	whole := introspection(t, plainSDL)
	in, err := readIntro(whole[:len(whole)*3/4])
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Types) == 0 || len(in.warnings) != 1 || !strings.HasSuffix(in.warnings[0], ": it ends in the middle; what comes after it is missing") {
		t.Errorf("%d types, warnings %q", len(in.Types), in.warnings)
	}
	newContract(in.parts().assemble(), 2) // of half a schema
	for text, want := range map[string]string{
		`{"data": {"__schema": {"types": [`: "it ends in the middle",
		"{\n  \"data\": {,":                 "line 2:12: ",
		`{"data": null}`:                    "no __schema",
		`[]`:                                "expected an object",
	} {
		if _, err := readIntro([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	in, err = readIntro([]byte(`{"__schema":{"queryType":{"name":"Query"},"types":[{"name":5,"kind":"OBJECT"},{"name":"Query","kind":"OBJECT","fields":[
		{"name":"a\u001b[2J","type":{"kind":"SCALAR","name":"Int"}},{"name":"b","args":[{"name":"x","type":{"kind":"SCALAR","name":"Int"},"defaultValue":"1) { y }"}],
		"type":{"kind":"NON_NULL","ofType":{"kind":"LIST"}}},{"name":"c","type":{"kind":"SCALAR","name":"Int"}}]}]}}`))
	if err != nil || len(in.warnings) != 1 {
		t.Fatal(err, in)
	}
	p := in.parts()
	c := newContract(p.assemble(), 2)
	if got := sortedKeys(c.ops); !slices.Equal(got, []string{"query c"}) || len(p.warnings) < 4 {
		t.Errorf("operations %q, warnings %q", got, p.warnings)
	}
	for _, w := range p.warnings {
		if strings.ContainsRune(w, 0x1b) {
			t.Errorf("%q has an escape sequence", w)
		}
	}
}

// picky answers introspections of a real library after a look at the query.
func picky(t *testing.T, refuse func(query string) string) (*probe, *[]string) {
	asked := &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		*asked = append(*asked, q.Query)
		if why := refuse(q.Query); why != "" {
			fmt.Fprintf(w, `{"errors":[{"message":%q}]}`, why)
			return
		}
		w.Write(answerGreeter(t, q.Query))
	}))
	t.Cleanup(s.Close)
	return openTarget(t, target(s.URL+"/graphql")), asked
}

func TestIntrospectionFallsBack(t *testing.T) {
	has := strings.Contains
	for name, tt := range map[string]struct {
		refuse func(string) string
		asked  int
	}{
		"features one by one": {func(q string) string {
			for _, f := range []string{"isOneOf", "specifiedByURL", "isRepeatable"} {
				if has(q, f) {
					return `Cannot query field "` + f + `" on type "__Type".`
				}
			}
			if has(q, "args(includeDeprecated: true)") {
				return `Unknown argument "includeDeprecated" on field "__Field.args".`
			}
			return ""
		}, 5},
		"no word of what is wrong": {func(q string) string {
			if has(q, "isOneOf") {
				return "Bad request"
			}
			return ""
		}, 2},
		"a limit of depth": {func(q string) string {
			if has(q, "ofType { kind name ofType { kind name ofType { kind name ofType") || has(q, "types { ...FullType }") {
				return "The query is too deep"
			}
			return ""
		}, 3},
		"a limit of cost": {func(q string) string {
			if has(q, "types { ...FullType }") || strings.Count(q, "__type(") > 1 {
				return "The query costs too much"
			}
			return ""
		}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			p, asked := picky(t, tt.refuse)
			methods, err := p.Methods(patience(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(methods) != 5 || len(*asked) < tt.asked {
				t.Errorf("%d methods after %d questions", len(methods), len(*asked))
			}
			schema, err := p.Schema(patience(t), "Query.greet")
			want := "type Query {\n  \"\"\"\n  Says it.\n  \"\"\"\n  greet(name: String!, tone: Tone! = WARM, in: In): Greeting\n}\n\nenum Tone {\n  WARM\n  COLD @deprecated(reason: \"rude\")\n}\n\ninput In {\n  loud: Boolean! = true\n}\n"
			if err != nil || schema.Text != want {
				t.Errorf("%s %v", schema.Text, err)
			}
		})
	}
}

func TestClosedIntrospection(t *testing.T) {
	s := serve(t, says(`{"data":{"orders":[]}}`))
	p := openTarget(t, target(s.URL+"/graphql"))
	methods, err := p.Methods(patience(t))
	if err != nil || len(methods) != 3 || methods[1].Name != "query" || methods[1].Template == nil {
		t.Errorf("%v %v", methods, err)
	}
	for snap, err := range p.Discover(patience(t), probes.DiscoverQuery{}) {
		if err != nil || snap.Complete || len(snap.Missing) != 1 || !strings.Contains(snap.Missing[0], "introspection is disabled") {
			t.Errorf("%+v %v", snap, err)
		}
	}
	_, err = p.Contract(patience(t))
	wantError(t, err, probes.ErrNotFound, "introspection is refused", "option schema")
	_, err = invoke(t, p, "query orders", `{"first": 5}`)
	wantError(t, err, probes.ErrUsage, "none can be made", "introspection is refused")
	_, err = invoke(t, p, "orders", "")
	wantError(t, err, probes.ErrNotFound, "the schema is not known", "option schema")
	_, resp, _ := mustInvoke(t, p, "query orders", `{"query": "{ orders { id } }"}`)
	if string(resp.Body) != `{"data":{"orders":[]}}` {
		t.Errorf("%s", resp.Body)
	}
}
