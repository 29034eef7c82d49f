package graphql

import (
	"slices"
	"strings"
	"testing"
)

// What is broken is told with its place; the rest is of use.
func TestBrokenSDL(t *testing.T) {
	c := contractFrom(t, `type Query {
  a: A
  b: B
  gone: Gone
  a: Int
  in(x: In, y: A): Int
}

"""
type NotOne { in: a description }
"""
type A {
  name: String!
}

type B {
  name: String!!
}

enum Kind { ONE TWO ONE }

union AB = A | Kind | Nothing
input In { a: A kind: Kind }

extend type A { more: Kind }
directive @d(x: In) on FIELD
`)
	want := []string{
		"line 17:16: Expected Name, found !",
		`line 3:3: Query.b has the type "B", which is not defined`,
		`line 4:3: Query.gone has the type "Gone", which is not defined`,
		"line 5:3: Query.a is defined twice",
		"line 6:13: Query.in(y:) has the type A, which cannot stand there",
		`line 20:21: "ONE" is no value of Kind, or is defined twice`,
		`line 22:7: AB names "Kind", which is no such type`,
		`line 22:7: AB names "Nothing", which is no such type`,
		"line 23:12: In.a has the type A, which cannot stand there",
	}
	for _, w := range want {
		if !slices.Contains(c.warnings, w) {
			t.Errorf("%q is not among\n%s", w, strings.Join(c.warnings, "\n"))
		}
	}
	if len(c.warnings) != len(want) {
		t.Errorf("%d warnings, want %d:\n%s", len(c.warnings), len(want), strings.Join(c.warnings, "\n"))
	}
	if got := sortedKeys(c.ops); !slices.Equal(got, []string{"query a", "query in"}) {
		t.Errorf("operations %q", got)
	}
	if query := c.skeleton(c.ops["query a"], 1); !strings.Contains(query, "name\n    more\n") {
		t.Error(query)
	}
}

func TestNothingLeftOfSDL(t *testing.T) {
	if _, err := parseSDL("type {"); err == nil || !strings.HasPrefix(err.Error(), "line 1:6: ") {
		t.Error(err)
	}
}

// The whole as SDL gives the same schema again.
func TestContractReadsBack(t *testing.T) {
	c := contractFrom(t, shopSDL)
	again := contractFrom(t, string(c.print()))
	if len(again.warnings) > 0 || string(again.print()) != string(c.print()) || again.sum() != c.sum() {
		t.Errorf("%q\n%s", again.warnings, again.print())
	}
	if text := string(c.print()); !strings.Contains(text, "input By @oneOf") || strings.Contains(text, "scalar Int\n") || strings.Contains(text, "__Schema") {
		t.Error(text)
	}
}
