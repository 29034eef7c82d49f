package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"net/url"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

var update = flag.Bool("update", false, "write the golden files")

// testDrivers look like the real ones without depending on them.
func testDrivers() []probes.Driver {
	return []probes.Driver{
		{Name: "kafka", Doc: "Kafka brokers.", Impact: "Reads only.", Schemes: []probes.Scheme{{Name: "kafka"}, {Name: "kafka+tls", TLS: true}}},
		{Name: "http", Doc: "HTTP APIs.", Schemes: []probes.Scheme{{Name: "http"}, {Name: "https", TLS: true}},
			Options: []probes.Option{
				{Name: "openapi", Type: "string", Doc: "where the document is"},
				{Name: "strict", Type: "bool", Default: "false", Doc: "check | answers"},
				{Name: "depth", Type: "int", Doc: "how deep"},
				{Name: "every", Type: "duration", Default: "30s", Doc: "how often"},
				{Name: "client_secret", Type: "string", Doc: "for the token"},
				{Name: "deep", Type: "string"},
			},
			URLSubject: func(*probes.Target, *url.URL) string { return "" }},
	}
}

func noEnv(string) string { return "" }

func env(kv map[string]string) func(string) string {
	return func(k string) string { return kv[k] }
}

// load writes a configuration and loads it as one the user named.
func load(t *testing.T, src string, getenv func(string) string) *Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parse(Location{Path: path, Origin: FromFlag}, []byte(src), testDrivers(), getenv)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestProblemsAreReportedAllAtOnceWithTheirPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parse(Location{Path: "iscope.yaml", Origin: FromFolder}, src, testDrivers(), noEnv)
			var ps *Problems
			if !errors.As(err, &ps) || !errors.Is(err, probes.ErrUsage) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "424242") {
				t.Errorf("a secret is in the error: %v", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".want", err.Error()+"\n")
		})
	}
}
