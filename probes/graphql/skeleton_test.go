package graphql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSkeleton(t *testing.T) {
	c := contractFrom(t, shopSDL)
	for _, tt := range []struct {
		name  string
		depth int
		want  string
	}{
		{"query order", 1, `query order($id: ID!) {
  order(id: $id) {
    id
    status
    rank
    total
  }
}`},
		{"query order", 2, `query order($id: ID!) {
  order(id: $id) {
    id
    customer {
      id
      name
      rank
    }
    status
    rank
    total
  }
}`},
		// A default makes the variable optional, a deprecated argument is not asked.
		{"query orders", 1, `query orders($status: Status, $first: Int) {
  orders(status: $status, first: $first) {
    id
    status
    rank
    total
  }
}`},
		// Fragments leave to the interface what it has, and do not clash.
		{"query node", 1, `query node($id: ID!) {
  node(id: $id) {
    __typename
    id
    ... on Customer {
      name
      Customer_rank: rank
    }
    ... on Order {
      status
      Order_rank: rank
      total
    }
  }
}`},
		{"query page", 2, `query page($first: Int, $after: String) {
  page(first: $first, after: $after) {
    nodes {
      id
      status
      rank
      total
    }
    pageInfo {
      more
    }
  }
}`},
		{"query page", 1, "query page($first: Int, $after: String) {\n  page(first: $first, after: $after) {\n    __typename\n  }\n}"},
		{"query now", 2, "query now {\n  now\n}"},
		{"subscription countdown", 2, "subscription countdown($from: Int!) {\n  countdown(from: $from)\n}"},
	} {
		got := c.skeleton(c.ops[tt.name], tt.depth)
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s at %d (-want +got):\n%s", tt.name, tt.depth, d)
		}
	}
}

// Whatever the depth, what is made is valid.
func TestSkeletonsAreValid(t *testing.T) {
	c := contractFrom(t, shopSDL)
	for name, o := range c.ops {
		for depth := 1; depth <= maxDepth; depth++ {
			query := c.skeleton(o, depth)
			r := &request{Query: query, Variables: c.examples(o)}
			if bad := violations(c.schema, parse(t, query), r); len(bad) > 0 {
				t.Errorf("%s at %d: %q in\n%s\n%s", name, depth, bad, query, r.Variables)
			}
		}
	}
}

func TestExamples(t *testing.T) {
	c := contractFrom(t, shopSDL)
	for name, want := range map[string]string{
		"query order":         `{"id":""}`,
		"query orders":        `{}`,
		"query page":          `{"first":10}`,
		"query by":            `{"by":{"id":""}}`,
		"mutation placeOrder": `{"order":{"customer":"","lines":[{"sku":"","quantity":1}],"status":"OPEN"}}`,
	} {
		if got := string(c.examples(c.ops[name])); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A schema in which every type leads to every other ends all the same, and a
// skeleton takes no more of it than a person reads.
func TestSkeletonOfAWeb(t *testing.T) {
	const n = 200
	var b strings.Builder
	b.WriteString("type Query { t0: T0 }\n")
	for i := range n {
		fmt.Fprintf(&b, "type T%d { name: String", i)
		for j := range n {
			fmt.Fprintf(&b, " t%d: T%d", j, j)
		}
		b.WriteString(" }\n")
	}
	c := contractFrom(t, b.String())
	query := c.skeleton(c.ops["query t0"], maxDepth)
	if fields := strings.Count(query, "\n"); fields > 3*maxSelections {
		t.Errorf("%d lines", fields)
	}
	if bad := queryViolations(c.schema, parse(t, query)); len(bad) > 0 {
		t.Error(bad)
	}
}
