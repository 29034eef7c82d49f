package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rule forbids imports to packages below a folder. Where both allow and deny
// match, the longer prefix wins.
type rule struct {
	who   string // package path prefix
	not   []string
	but   []string // exceptions to not
	why   string
	exact bool // who is one package, not a tree
}

var rules = []rule{
	{who: "iscope/probes", exact: true, not: []string{"iscope/", "third"}, why: "the vocabulary depends on nothing, so that everything can depend on it"},
	{who: "iscope/probes/", not: []string{"iscope/"}, but: []string{"iscope/probes"}, why: "drivers know probes only: not files, not screens"},
	{who: "iscope/inspectors", not: []string{"iscope/"}, but: []string{"iscope/probes", "iscope/inspectors"}, why: "decoders work on records, whatever brought them"},
	{who: "iscope/replay", not: []string{"iscope/"}, but: []string{"iscope/probes", "iscope/replay", "iscope/config/yamltree"}, why: "captures outlive drivers and screens"},
	{who: "iscope/config", not: []string{"iscope/"}, but: []string{"iscope/probes", "iscope/config"}, why: "files become targets; nothing else is known of them"},
	{who: "iscope/tui", not: protocols, why: "screens are protocol-blind"},
	{who: "iscope/probes", not: bubbleTea, why: "a driver must work headless"},
	{who: "iscope/inspectors", not: bubbleTea, why: "headless output uses them too"},
	{who: "iscope/replay", not: bubbleTea, why: "replays run headless"},
	{who: "iscope/config", not: bubbleTea, why: "verbs read configuration too"},
	{who: "iscope/cmd/testenv", not: []string{"iscope/", "third"}, why: "the testbed must build when nothing else does"},
}

var (
	bubbleTea = []string{"charm.land/"}
	protocols = []string{"github.com/segmentio/", "github.com/rabbitmq/", "github.com/jhump/", "google.golang.org/grpc",
		"github.com/twmb/", "github.com/getkin/", "net/http", "iscope/cmd"}
)

// drivers and screens never import one another.
var siblings = []string{"iscope/probes/", "iscope/tui/screens/"}

// shared are the packages below probes that drivers' siblings may use.
var shared = []string{"iscope/probes/internal", "iscope/probes/probetest", "iscope/probes/tap", "iscope/probes/topology", "iscope/probes/jsonschema"}

type pkg struct {
	ImportPath string
	Imports    []string
	Dir        string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Dir,GoFiles", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestImportRules(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			for _, r := range rules {
				if r.applies(p.ImportPath) && r.forbids(imp) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, r.why)
				}
			}
			for _, s := range siblings {
				if between(s, p.ImportPath, imp) {
					t.Errorf("%s imports its sibling %s", p.ImportPath, imp)
				}
			}
			if strings.HasPrefix(imp, "charm.land/") && strings.HasPrefix(p.ImportPath, "iscope/cmd") {
				t.Errorf("%s imports %s: Bubble Tea stays below tui", p.ImportPath, imp)
			}
		}
	}
}

func (r *rule) applies(path string) bool {
	if r.exact {
		return path == r.who
	}
	return path == r.who || strings.HasPrefix(path, strings.TrimSuffix(r.who, "/")+"/") && path != strings.TrimSuffix(r.who, "/")
}

func (r *rule) forbids(imp string) bool {
	match := func(prefix string) bool {
		if prefix == "third" {
			first, _, _ := strings.Cut(imp, "/")
			return strings.Contains(first, ".")
		}
		return strings.HasPrefix(imp, prefix)
	}
	return slices.ContainsFunc(r.not, match) && !slices.ContainsFunc(r.but, match)
}

// between reports whether path and imp are in two different folders directly
// below root.
func between(root, path, imp string) bool {
	a, okA := strings.CutPrefix(path, root)
	b, okB := strings.CutPrefix(imp, root)
	if !okA || !okB || slices.ContainsFunc(shared, func(s string) bool { return strings.HasPrefix(imp, s) }) {
		return false
	}
	a, _, _ = strings.Cut(a, "/")
	b, _, _ = strings.Cut(b, "/")
	return a != b
}

// Limits nobody holds by good intentions.
const (
	maxFile     = 500
	maxFunction = 80
)

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if ast.IsGenerated(f) {
				continue
			}
			if n := set.File(f.Pos()).LineCount(); n > maxFile {
				t.Errorf("%s has %d lines, limit %d", path, n, maxFile)
			}
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line; n > maxFunction {
					t.Errorf("%s: %s has %d lines, limit %d", path, fn.Name.Name, n, maxFunction)
				}
				if fn.Name.Name == "init" && fn.Recv == nil {
					t.Errorf("%s has an init function: registration is explicit here", path)
				}
			}
		}
	}
}

func TestCodeLivesInTheSixFolders(t *testing.T) {
	allowed := []string{"cmd", "tui", "probes", "inspectors", "replay", "config"}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel("../..", path)
		top, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !slices.Contains(allowed, top) {
			t.Errorf("%s is outside the six folders", rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
