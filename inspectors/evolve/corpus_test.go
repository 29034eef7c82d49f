package evolve_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"iscope/inspectors/evolve"
)

// pair is two contracts and what the reference tool says of them, by the name of
// the question (testdata/README.md).
type pair struct {
	name     string
	old, now string // files
	want     map[string][]string
}

// corpus reads testdata/KIND.txtar: NAME/old.*, NAME/new.* and an answer for each
// question.
func corpus(t *testing.T, kind string) []*pair {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", kind+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var all []*pair
	by := map[string]*pair{}
	for _, f := range archive.Files {
		name, what, _ := strings.Cut(f.Name, "/")
		p := by[name]
		if p == nil {
			p = &pair{name: name, want: map[string][]string{}}
			by[name] = p
			all = append(all, p)
		}
		side, ext, isFile := strings.Cut(what, ".")
		if !isFile {
			p.want[what] = append([]string{}, strings.Fields(string(f.Data))...)
			continue
		}
		path := filepath.Join(dir, name, side, "contract."+ext)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		if side == "old" {
			p.old = path
		} else {
			p.now = path
		}
	}
	if len(all) < 30 {
		t.Fatalf("only %d pairs", len(all))
	}
	return all
}

func (p *pair) compare(t *testing.T, o evolve.Options) evolve.Report {
	t.Helper()
	a, err := evolve.FromFile(t.Context(), p.old, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evolve.FromFile(t.Context(), p.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := evolve.Compare(context.Background(), a, b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Changes {
		if c.Rule == "" || c.Path == "" || c.Text == "" || c.Severity == 0 {
			t.Errorf("an incomplete change: %+v", c)
		}
	}
	return r
}

// rules are the distinct rules of the changes of a severity.
func rules(r evolve.Report, s evolve.Severity) []string {
	set := map[string]bool{}
	for _, c := range r.Changes {
		if c.Severity == s {
			set[c.Rule] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func same(t *testing.T, question string, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("%s:\n got %s\nwant %s", question, strings.Join(got, " "), strings.Join(want, " "))
	}
}

// TestProtobufAsBuf: the rules that break at each level are those that buf names.
func TestProtobufAsBuf(t *testing.T) {
	for _, p := range corpus(t, "protobuf") {
		t.Run(p.name, func(t *testing.T) {
			for _, level := range []string{"file", "package", "wire-json", "wire"} {
				same(t, level, rules(p.compare(t, evolve.Options{Level: level}), evolve.Breaking), p.want[level])
			}
		})
	}
}

// TestGraphQLAsGraphQLJS: breaking and dangerous changes are those that graphql-js
// names.
func TestGraphQLAsGraphQLJS(t *testing.T) {
	for _, p := range corpus(t, "graphql") {
		t.Run(p.name, func(t *testing.T) {
			r := p.compare(t, evolve.Options{})
			// That is graphql-inspector's; graphql-js does not compare roots.
			r.Changes = slices.DeleteFunc(r.Changes, func(c evolve.Change) bool { return c.Rule == "SCHEMA_QUERY_TYPE_CHANGED" })
			same(t, "breaking", rules(r, evolve.Breaking), p.want["breaking"])
			same(t, "dangerous", rules(r, evolve.Dangerous), p.want["dangerous"])
		})
	}
}

// TestAvroAsAvro: what readers cannot read is what Avro's own SchemaCompatibility
// says.
func TestAvroAsAvro(t *testing.T) {
	for _, p := range corpus(t, "avro") {
		t.Run(p.name, func(t *testing.T) {
			for _, mode := range []string{"backward", "forward"} {
				same(t, mode, rules(p.compare(t, evolve.Options{Compatibility: mode}), evolve.Breaking), p.want[mode])
			}
		})
	}
}

// TestOpenAPIAsOasdiff: every change has the rule and the severity that oasdiff
// gives it.
func TestOpenAPIAsOasdiff(t *testing.T) {
	for _, p := range corpus(t, "openapi") {
		t.Run(p.name, func(t *testing.T) {
			r := p.compare(t, evolve.Options{})
			for _, s := range []evolve.Severity{evolve.Breaking, evolve.Dangerous, evolve.Compatible} {
				same(t, s.String(), rules(r, s), p.want[s.String()])
			}
		})
	}
}

// TestJSONSchemaAsConfluent: what breaks in each direction, and all that changed,
// has the names of Confluent's registry.
func TestJSONSchemaAsConfluent(t *testing.T) {
	for _, p := range corpus(t, "jsonschema") {
		t.Run(p.name, func(t *testing.T) {
			var r evolve.Report
			for _, mode := range []string{"backward", "forward"} {
				r = p.compare(t, evolve.Options{Compatibility: mode})
				same(t, mode, rules(r, evolve.Breaking), p.want[mode])
			}
			all := append(rules(r, evolve.Breaking), append(rules(r, evolve.Dangerous), rules(r, evolve.Compatible)...)...)
			slices.Sort(all)
			same(t, "all", slices.Compact(all), p.want["all"])
		})
	}
}
