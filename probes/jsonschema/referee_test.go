package jsonschema

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	referee "github.com/santhosh-tekuri/jsonschema/v6"
)

// drafts are those of the referee.
func drafts() map[Draft]*referee.Draft {
	return map[Draft]*referee.Draft{Draft4: referee.Draft4, Draft6: referee.Draft6, Draft7: referee.Draft7,
		Draft2019: referee.Draft2019, Draft2020: referee.Draft2020}
}

// judge lets the referee compile a schema.
func judge(schema any, d *referee.Draft) (s *referee.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	c := referee.NewCompiler()
	c.DefaultDraft(d)
	c.AssertFormat()
	c.UseLoader(nowhere{})
	if err := c.AddResource("schema:///", schema); err != nil {
		return nil, err
	}
	return c.Compile("schema:///")
}

type nowhere struct{}

func (nowhere) Load(string) (any, error) { return nil, fmt.Errorf("not here") }

// TestAgreesWithTheReferee makes up schemas and documents, of every keyword, and
// compares the verdicts with those of the established library.
func TestAgreesWithTheReferee(t *testing.T) {
	const schemas, docs = 1000, 8
	for name, d := range drafts() {
		t.Run(fmt.Sprint(name), func(t *testing.T) {
			t.Parallel()
			verdicts := map[bool]int{}
			for seed := range uint64(schemas) {
				g := generator{Rand: rand.New(rand.NewPCG(seed, uint64(name))), draft: name}
				schema := roundTrip(t, g.document())
				theirs, err := judge(schema, d)
				if err != nil {
					t.Fatalf("seed %d: the referee refuses %s: %v", seed, text(schema), err)
				}
				ours, err := Compile(schema, Options{Draft: name, Formats: true})
				if err != nil {
					t.Fatalf("seed %d: %s: %v", seed, text(schema), err)
				}
				for range docs {
					doc := roundTrip(t, g.value(3))
					found, err := ours.Validate(doc)
					if err != nil {
						t.Fatalf("seed %d: %s with %s: %v", seed, text(doc), text(schema), err)
					}
					complaint := theirs.Validate(doc)
					fits := complaint == nil
					if verdicts[fits]++; fits != (len(found) == 0) {
						t.Fatalf("seed %d: of %s we find %v\nthe referee: %v\nschema: %s", seed, text(doc), found, complaint, text(schema))
					}
				}
			}
			if verdicts[true] < schemas || verdicts[false] < schemas {
				t.Errorf("the cases are one-sided: %v", verdicts)
			}
		})
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func roundTrip(t *testing.T, v any) any {
	t.Helper()
	out, err := Parse(text(v))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type object = map[string]any

// generator makes up schemas that are valid in a draft, and values that look like
// what they are about.
type generator struct {
	*rand.Rand
	draft Draft
	// defined counts the definitions that may be referred to: none may refer to
	// itself, which has no end.
	defined int
}

func (g *generator) document() any {
	name := "definitions"
	if g.draft >= Draft2019 {
		name = "$defs"
	}
	defs := object{}
	for _, n := range names()[:3] {
		defs[n] = g.schema(2)
		g.defined++
	}
	root := g.object(3)
	if root["$ref"] != nil {
		root = object{"allOf": []any{root}}
	}
	root[name] = defs
	return root
}

func names() []string { return []string{"a", "b", "c", "d/e~f"} }

func (g *generator) name() string { return names()[g.IntN(len(names()))] }

func (g *generator) schema(depth int) any {
	if g.draft > Draft4 && g.IntN(8) == 0 {
		return g.IntN(4) > 0
	}
	return g.object(depth)
}

func (g *generator) list(depth int) (all []any) {
	for range 1 + g.IntN(3) {
		all = append(all, g.schema(depth))
	}
	return all
}

func (g *generator) named(depth int) object {
	m := object{}
	for range 1 + g.IntN(2) {
		m[g.name()] = g.schema(depth)
	}
	return m
}

func (g *generator) object(depth int) object {
	m := object{}
	for range 1 + g.IntN(3) {
		g.keyword(m, depth-1)
	}
	if ref, ok := m["$ref"]; ok && g.draft <= Draft7 {
		// What stands beside it does not count, but the referee counts some of it.
		return object{"$ref": ref}
	}
	return m
}

func (g *generator) size() int { return g.IntN(4) }

// keyword adds one, or one with those it belongs to.
func (g *generator) keyword(m object, depth int) {
	plain := []func(){
		func() { m["type"] = g.types() },
		func() { m["enum"] = g.distinct() },
		func() { m["minimum"] = g.number() },
		func() { m["maximum"] = g.number() },
		func() { m["multipleOf"] = []any{2, 0.5, 3}[g.IntN(3)] },
		func() { m["minLength"] = g.size() },
		func() { m["maxLength"] = g.size() },
		func() { m["pattern"] = []any{"^a", "b$", "[0-9]"}[g.IntN(3)] },
		func() { m["format"] = []any{"date-time", "uuid", "ipv4", "nothing-known"}[g.IntN(4)] },
		func() { m["minItems"] = g.size() },
		func() { m["maxItems"] = g.size() },
		func() { m["uniqueItems"] = true },
		func() { m["minProperties"] = g.size() },
		func() { m["maxProperties"] = g.size() },
		func() { m["required"] = []any{g.name()} },
		func() {
			if g.defined > 0 {
				m["$ref"] = g.reference()
			}
		},
	}
	deep := []func(){
		func() { m["properties"] = g.named(depth) },
		func() { m["properties"], m["additionalProperties"] = g.named(depth), g.schema(depth) },
		func() { m["patternProperties"] = object{"^[ab]": g.schema(depth), "d": g.schema(depth)} },
		func() { m["items"] = g.schema(depth) },
		func() { g.tuple(m, depth) },
		func() { m["allOf"] = g.list(depth) },
		func() { m["anyOf"] = g.list(depth) },
		func() { m["oneOf"] = g.list(depth) },
		func() { m["not"] = g.schema(depth) },
		func() { m["if"], m["then"], m["else"] = g.schema(depth), g.schema(depth), g.schema(depth) },
	}
	plain, deep = g.later(m, depth, plain, deep)
	if depth > 0 && g.IntN(2) == 0 {
		deep[g.IntN(len(deep))]()
		return
	}
	plain[g.IntN(len(plain))]()
}

// later adds the keywords of the drafts after 4.
func (g *generator) later(m object, depth int, plain, deep []func()) (_, _ []func()) {
	if g.draft == Draft4 {
		return append(plain, func() { m["minimum"], m["exclusiveMinimum"] = g.number(), true },
			func() { m["maximum"], m["exclusiveMaximum"] = g.number(), true }), append(deep, func() { m["dependencies"] = g.dependencies(depth) })
	}
	plain = append(plain, func() { m["const"] = g.value(1) }, func() { m["exclusiveMinimum"] = g.number() },
		func() { m["exclusiveMaximum"] = g.number() }, func() { m["propertyNames"] = object{"pattern": "^[a-c]"} })
	deep = append(deep, func() { m["contains"] = g.schema(depth) })
	if g.draft < Draft2019 {
		return plain, append(deep, func() { m["dependencies"] = g.dependencies(depth) })
	}
	plain = append(plain, func() { m["dependentRequired"] = object{g.name(): []any{g.name()}} })
	return plain, append(deep,
		func() { m["contains"], m["minContains"], m["maxContains"] = g.schema(depth), g.size(), g.size() },
		func() { m["dependentSchemas"] = g.named(depth) },
		func() { m["properties"], m["unevaluatedProperties"] = g.named(depth), g.schema(depth) },
		func() { m["unevaluatedProperties"] = g.schema(depth) },
		func() { m["unevaluatedItems"] = g.schema(depth) },
		func() { g.tuple(m, depth); m["unevaluatedItems"] = g.schema(depth) })
}

func (g *generator) dependencies(depth int) object {
	return object{g.name(): g.schema(depth), "a": []any{g.name()}}
}

func (g *generator) tuple(m object, depth int) {
	if g.draft >= Draft2020 {
		m["prefixItems"], m["items"] = g.list(depth), g.schema(depth)
		return
	}
	m["items"], m["additionalItems"] = g.list(depth), g.schema(depth)
}

func (g *generator) reference() string {
	if g.draft >= Draft2019 {
		return "#/$defs/" + names()[g.IntN(g.defined)]
	}
	return "#/definitions/" + names()[g.IntN(g.defined)]
}

func (g *generator) types() any {
	all := []any{"null", "boolean", "object", "array", "number", "string", "integer"}
	if g.IntN(2) == 0 {
		return all[g.IntN(len(all))]
	}
	i := g.IntN(len(all) - 1)
	return all[i : i+2]
}

func (g *generator) number() any {
	return []any{-1, 0, 1, 1.5, 2, json.Number("1.0"), json.Number("1e2"), json.Number("123456789012345678901234567890")}[g.IntN(8)]
}

func (g *generator) distinct() (all []any) {
	seen := map[string]bool{}
	for range 1 + g.IntN(4) {
		if v := g.value(1); !seen[canonical(v)] {
			seen[canonical(v)] = true
			all = append(all, v)
		}
	}
	return all
}

// value makes up a document.
func (g *generator) value(depth int) any {
	if depth == 0 || g.IntN(3) == 0 {
		return []any{nil, true, false, "", "a", "ab", "b1", "2024-02-30T10:00:00Z", "2024-02-29T10:00:00Z", "10.0.0.1",
			"0b7c1f2e-3f44-4c57-9d3c-1e2a3b4c5d6e", g.number(), g.number(), g.number()}[g.IntN(14)]
	}
	if g.IntN(2) == 0 {
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.value(depth-1))
		}
		return list
	}
	m := object{}
	for range g.IntN(4) {
		m[g.name()] = g.value(depth - 1)
	}
	return m
}
