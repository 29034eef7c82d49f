package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"iscope/tui"
)

var update = flag.Bool("update", false, "write the generated parts of README.md anew")

// TestReadmeKeysAreFresh compares the table of keys in README.md with the
// bindings.
func TestReadmeKeysAreFresh(t *testing.T) {
	const path, from, to = "../../README.md", "<!-- keys: made by go test ./cmd/iscope -run TestReadme -update -->\n", "<!-- /keys -->"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatal("README.md has lost the marks around the table of keys")
	}
	want := before + from + tui.KeyTable() + to + after
	if want == string(content) {
		return
	}
	if !*update {
		t.Fatal("the table of keys in README.md is stale; run: go test ./cmd/iscope -run TestReadme -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReadmeNamesEveryVerbAndExitCode keeps the walk complete.
func TestReadmeNamesEveryVerbAndExitCode(t *testing.T) {
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range newRoot(newApp(os.Stdin, os.Stdout, os.Stderr)).Commands() {
		if verb.Name() != "help" && !strings.Contains(string(content), "**"+verb.Name()+"**") {
			t.Errorf("README.md does not show %s", verb.Name())
		}
	}
}
