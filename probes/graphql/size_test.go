package graphql

import (
	"fmt"
	"strings"
	"testing"
)

// hugeSDL is of the size of GitHub's schema: 1,500 types and a megabyte.
func hugeSDL() string {
	const types = 1500
	var b strings.Builder
	b.WriteString("interface Node { id: ID! }\n\"\"\"\n" + strings.Repeat("What it is for. ", 10) + "\n\"\"\"\nenum Huge {\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "  \"One of many.\"\n  VALUE_%d\n", i)
	}
	b.WriteString("}\n")
	for i := range types {
		fmt.Fprintf(&b, "\"\"\"\n%s\n\"\"\"\ntype T%d implements Node {\n  id: ID!\n", strings.Repeat("What it is for. ", 5), i)
		for j := range 12 {
			fmt.Fprintf(&b, "  \"A field of it.\"\n  f%d(first: Int, after: String): T%d!\n  s%d: String\n", j, (i*7+j)%types, j)
		}
		b.WriteString("}\n")
	}
	b.WriteString("input In { huge: Huge! again: In }\ntype Query {\n")
	for i := range 300 {
		fmt.Fprintf(&b, "  \"Field %d.\"\n  q%d(id: ID!, in: In!): T%d\n", i, i, i)
	}
	b.WriteString("}\n")
	return b.String()
}

func TestHugeSchema(t *testing.T) {
	sdl := hugeSDL()
	c := contractFrom(t, sdl)
	if len(sdl) < 1_000_000 || len(c.warnings) > 0 || len(c.ops) != 300 {
		t.Fatalf("%d bytes, %d operations, %q", len(sdl), len(c.ops), c.warnings)
	}
	// The skeleton of one of 300 methods looks at few of 1,500 types.
	o := c.ops["query q7"]
	if allocs := testing.AllocsPerRun(10, func() { c.skeleton(o, maxDepth) }); allocs > 20*maxSelections {
		t.Errorf("%.0f allocations", allocs)
	}
	r := &request{Query: c.skeleton(o, maxDepth), Variables: c.examples(o)}
	if bad := violations(c.schema, parse(t, r.Query), r); len(bad) > 0 {
		t.Error(bad)
	}
}

func BenchmarkHugeSchema(b *testing.B) {
	sdl := hugeSDL()
	json := []byte(`{"data":` + string(introspection(b, sdl)) + "}")
	b.Run("introspection", func(b *testing.B) {
		b.SetBytes(int64(len(json)))
		for b.Loop() {
			in, err := readIntro(json)
			if err != nil {
				b.Fatal(err)
			}
			newContract(in.parts().assemble(), defaultDepth)
		}
	})
	b.Run("SDL", func(b *testing.B) {
		b.SetBytes(int64(len(sdl)))
		for b.Loop() {
			contractFrom(b, sdl)
		}
	})
	c := contractFrom(b, sdl)
	b.Run("methods", func(b *testing.B) {
		for b.Loop() {
			for _, o := range c.ops {
				c.method(o)
			}
		}
	})
	o := c.ops["query q7"]
	b.Run("skeleton", func(b *testing.B) {
		for b.Loop() {
			c.skeleton(o, defaultDepth)
		}
	})
	r := &request{Query: c.skeleton(o, defaultDepth), Variables: c.examples(o)}
	b.Run("validation", func(b *testing.B) {
		for b.Loop() {
			violations(c.schema, parse(b, r.Query), r)
		}
	})
}
