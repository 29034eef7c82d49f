package openapi

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestRulesAreOasdiffs: every id that this package can give is one of oasdiff's
// (oasdiff checks changelog -f json). The literals are read from the source; those
// that depend on the side are tried on all sides.
func TestRulesAreOasdiffs(t *testing.T) {
	text, err := os.ReadFile("testdata/oasdiff-1.35.0-ids.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, id := range strings.Fields(string(text)) {
		known[id] = true
	}
	sides := []side{{request: true, kind: whole}, {request: true, kind: property}, {request: true, kind: parameter}, {request: true, kind: inParam},
		{kind: whole}, {kind: property}, {kind: header}}
	for _, what := range facets() {
		for _, s := range sides {
			if oneSided(what, s.request) {
				continue
			}
			if id := s.rule(what); !known[id] {
				t.Errorf("%s is none of oasdiff's", id)
			}
		}
	}
	literal := regexp.MustCompile(`d\.add\("([a-z0-9-]+)"`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(src), -1) {
			n++
			if !known[m[1]] {
				t.Errorf("%s: %s is none of oasdiff's", f.Name(), m[1])
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d ids were found in the source", n)
	}
}

func facets() []string {
	out := []string{"type-changed", "type-generalized", "type-specialized", "became-nullable", "became-not-nullable", "became-enum", "became-not-enum", "enum-value-added", "enum-value-removed",
		"const-added", "const-removed", "const-changed", "multiple-of-set", "multiple-of-unset", "multiple-of-changed", "multiple-of-generalized", "multiple-of-specialized",
		"pattern-added", "pattern-removed", "pattern-changed", "pattern-generalized", "default-value-added", "default-value-removed", "default-value-changed", "unique-items-set", "unique-items-unset",
		"discriminator-added", "discriminator-removed", "discriminator-property-name-changed", "prefix-items-added", "prefix-items-removed", "schema-became-false", "schema-became-not-false"}
	for _, b := range allBounds() {
		for _, how := range []string{"set", "unset", "increased", "decreased"} {
			out = append(out, b.what+"-"+how)
		}
	}
	for _, c := range []string{"all-of", "any-of", "one-of"} {
		out = append(out, c+"-added", c+"-removed")
	}
	return append(out, "all-of-added-annotation-only", "all-of-removed-annotation-only")
}

// oneSided are the changes that are told for requests or for answers only.
func oneSided(what string, request bool) bool {
	switch what {
	case "type-specialized", "multiple-of-specialized":
		return request
	case "multiple-of-generalized", "pattern-generalized", "unique-items-set":
		return !request
	}
	return false
}
