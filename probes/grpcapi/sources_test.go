package grpcapi

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"iscope/probes"
)

// files writes sources below a folder of the test.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProtoFilesStandIn(t *testing.T) {
	f := serve(t, serverOptions{})
	for name, options := range map[string]map[string]string{
		"a path from here":           {optProto: "testdata/proto/probe/v1/probe.proto", optImport: "testdata/proto"},
		"a path from the imports":    {optProto: "probe/v1/probe.proto", optImport: "testdata/proto"},
		"a pattern":                  {optProto: "testdata/proto/probe/v1/p*.proto", optImport: "testdata/proto"},
		"a pattern from the imports": {optProto: "probe/v1/*.proto,probe/v2/*.proto", optImport: "testdata/proto, testdata/proto/probe"},
	} {
		t.Run(name, func(t *testing.T) {
			target := f.target()
			target.Options = options
			p := dial(t, target)
			ms, err := p.Methods(within(t))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(ms, func(m probes.Method) bool { return m.Name == "probe.v1.Probe/Echo" })
			if i < 0 || ms[i].Doc != "Echo answers with what it got." {
				t.Errorf("methods: %v", ms)
			}
			recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Peek", Next: docs(`{"sku":"a"}`)})
			if err != nil || shape(recs) != `request {"sku":"a"} | response {"sku":"a"} | end OK` {
				t.Errorf("%s, %v", shape(recs), err)
			}
			for snap, err := range p.Discover(within(t), probes.DiscoverQuery{}) {
				if err != nil || snap.Complete || !strings.Contains(strings.Join(snap.Missing, "\n"), "those of "+strings.ReplaceAll(options[optProto], ",", ", ")) {
					t.Errorf("missing %q, %v", snap.Missing, err)
				}
			}
		})
	}
}

// What reflection does not serve comes from the sources, comments too.
func TestSourcesAndReflectionAreMerged(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions, without: []string{"probe/legacy/old.proto"}})
	target := f.target()
	target.Options = map[string]string{optProto: "testdata/proto/probe/v1/types.proto,testdata/proto/probe/legacy/old.proto", optImport: "testdata/proto"}
	p := dial(t, target)
	recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Peek", Next: docs(`{"sku":"a"}`)})
	if err != nil || !strings.HasSuffix(shape(recs), "end OK") {
		t.Fatalf("%s, %v", shape(recs), err)
	}
	form, err := p.Form(within(t), "probe.v1.Probe/Echo")
	if err != nil || form.Root.Doc != "Every kind of field there is." {
		t.Errorf("doc %q, %v", form.Root.Doc, err)
	}
}

func TestSourcesWithErrors(t *testing.T) {
	dir := files(t, map[string]string{
		"good.proto":      "syntax = \"proto3\";\npackage shop;\nmessage M {}\nservice Good { rpc Get(M) returns (M); }\n",
		"bad.proto":       "syntax = \"proto3\";\nmessage N {\n  strin name = 1;\n  Missing m = 2;\n}\n",
		"unparsed.proto":  "syntax = \"proto3\";\nmessage {\n",
		"importing.proto": "syntax = \"proto3\";\nimport \"no/such.proto\";\n",
		"circle/a.proto":  "syntax = \"proto3\";\nimport \"circle/b.proto\";\n",
		"circle/b.proto":  "syntax = \"proto3\";\nimport \"circle/a.proto\";\n",
		"new.proto":       "edition = \"2024\";\npackage shop;\nmessage M {}\n",
	})
	for _, c := range []struct{ name, proto, text, hint string }{
		{"unknown type", "bad.proto", "bad.proto:3:3: ", ""},
		{"syntax", "unparsed.proto", "unparsed.proto:2:9: syntax error", ""},
		{"import", "importing.proto", "importing.proto:2:8: ", "option import"},
		{"circular import", "circle/a.proto", "cycle", ""},
		{"edition", "new.proto", `new.proto:1:11: edition value "2024" not recognized`, "up to edition 2023"},
		{"no such file", "none.proto", "there is no file none.proto", "option import"},
		{"pattern", "[", `pattern "["`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := probes.Target{Name: "fixture", Driver: "grpc", Address: "127.0.0.1:1", Options: map[string]string{optProto: c.proto, optImport: dir}}
			_, err := Driver().Open(within(t), target)
			wantError(t, err, probes.ErrUsage, c.text, c.hint)
		})
	}
	t.Run("the good ones are of use", func(t *testing.T) {
		target := serve(t, serverOptions{}).target()
		target.Options = map[string]string{optProto: "*.proto", optImport: dir}
		p := dial(t, target)
		ms, err := p.Methods(within(t))
		if err != nil || !slices.Equal(names(ms), []string{"shop.Good/Get"}) {
			t.Errorf("%v, %v", names(ms), err)
		}
		for snap, err := range p.Discover(within(t), probes.DiscoverQuery{}) {
			if missing := strings.Join(snap.Missing, "\n"); err != nil || !strings.Contains(missing, "bad.proto:3:3") || !strings.Contains(missing, "unparsed.proto:2:9") {
				t.Errorf("missing %s, %v", missing, err)
			}
		}
	})
}
