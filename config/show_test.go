package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iscope/probes"
)

const shown = `
environments:
  shop:
    class: staging
    targets:
      k:
        url: kafka+tls://h:9092
        auth: {username: "yes", password: "${env:PW}", token: hunter2}
        tls: {ca: ca.pem}
      h: {url: "http://h:1/v1", options: {depth: 7, client_secret: hunter2, openapi: "a: #b"}, aliases: [x, "null"]}
  any: {targets: {t: {url: "${env:U}", options: {free: true}}}}
captures: {dir: caps, max_bytes: 0x10}
ui: {ascii: true, color: never}
`

func showIn(t *testing.T, c *Config, format string) string {
	t.Helper()
	var b strings.Builder
	if err := c.Show(&b, format); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), filepath.Dir(c.Location().Path), "DIR")
}

func TestShowFillsInDefaultsAndHidesSecrets(t *testing.T) {
	c := load(t, shown, env(map[string]string{"PW": "hunter2"}))
	y, j := showIn(t, c, "yaml"), showIn(t, c, "json")
	if strings.Contains(y+j, "hunter2") {
		t.Errorf("a secret is shown:\n%s%s", y, j)
	}
	golden(t, "testdata/show.yaml", y)
	golden(t, "testdata/show.json", j)
	var v any
	if err := json.Unmarshal([]byte(j), &v); err != nil {
		t.Error(err)
	}
	if err := c.Show(&strings.Builder{}, "xml"); !errors.Is(err, probes.ErrUsage) {
		t.Errorf("got %v", err)
	}
}

func TestShowIsAConfigurationThatShowsTheSame(t *testing.T) {
	for _, format := range []string{"yaml", "json"} {
		first := showIn(t, load(t, shown, noEnv), format)
		if again := showIn(t, load(t, first, noEnv), format); strings.ReplaceAll(again, "DIR/DIR", "DIR") != first {
			t.Errorf("%s: first\n%s\nthen\n%s", format, first, again)
		}
	}
}

func TestSchemaAndReferenceNameEveryKey(t *testing.T) {
	schema, page := Schema(testDrivers()), Reference(testDrivers())
	golden(t, "testdata/schema.json", string(schema))
	golden(t, "testdata/reference.md", page)
	var doc map[string]any
	if err := json.Unmarshal(schema, &doc); err != nil {
		t.Fatal(err)
	}
	// Any file the schema's keys describe must load, and any other must not:
	// the decoder and the schema come from the same structs, so it is enough
	// that both know the keys of the example.
	targets := dig(t, doc, "properties", "environments", "additionalProperties", "properties", "targets", "additionalProperties", "properties")
	for _, key := range []string{"url", "tls", "auth", "aliases", "timeout", "options"} {
		if targets[key] == nil || !strings.Contains(page, "| `"+key+"` |") {
			t.Errorf("no %s", key)
		}
	}
}

func dig(t *testing.T, v map[string]any, path ...string) map[string]any {
	t.Helper()
	for _, p := range path {
		next, ok := v[p].(map[string]any)
		if !ok {
			t.Fatalf("no %s", p)
		}
		v = next
	}
	return v
}

func TestWriteMakesAReadOnlyFileThatLoads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", FileName)
	targets := []probes.Target{
		{Name: "kafka", Driver: "kafka", Address: "127.0.0.1:9092", Aliases: []string{"bus"}},
		{Name: "api", Driver: "http", Address: "127.0.0.1:8443", TLS: probes.TLS{Enabled: true, ServerName: "x"},
			Options: map[string]string{"openapi": "/${env:HOME}", "depth": "2"}},
	}
	if err := Write(path, testDrivers(), targets); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	c, err := Load(Location{path, FromFlag}, testDrivers())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range targets {
		got, err := c.Target("", want.Name)
		if err != nil || got.Address != want.Address || got.TLS != want.TLS || got.Environment.Write || !maps.Equal(got.Options, want.Options) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	before, _ := os.ReadFile(path)
	if err := Write(path, testDrivers(), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwriting: %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the file changed")
	}
}

func TestWriteRefusesSecretsAndBadNames(t *testing.T) {
	for _, bad := range []probes.Target{
		{Name: "a", Driver: "kafka", Address: "h:1", Auth: probes.Auth{Password: probes.NewSecret("hunter2")}},
		{Name: "a/b", Driver: "kafka", Address: "h:1"},
		{Name: "a", Driver: "nope", Address: "h:1"},
		{Name: "a", Driver: "kafka", Address: "${cmd:true}"},
		{Name: "a", Driver: "http", Address: "h:1", Options: map[string]string{"nope": "1"}},
	} {
		path := filepath.Join(t.TempDir(), FileName)
		err := Write(path, testDrivers(), []probes.Target{bad})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", bad.Name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was left", bad.Name)
		}
	}
}
