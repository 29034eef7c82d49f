package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated part of README.md anew")

// TestReadmeListsTheServers compares the table in README.md with the list.
func TestReadmeListsTheServers(t *testing.T) {
	const path, from, to = "../../README.md", "TestReadme -update -->\n", "<!-- /testbed -->"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(content), "<!-- testbed: ")
	mark, rest, ok2 := strings.Cut(rest, from)
	_, tail, ok3 := strings.Cut(rest, to)
	if !ok || !ok2 || !ok3 {
		t.Fatal("README.md has lost the marks around the table of servers")
	}
	want := head + "<!-- testbed: " + mark + from + serverTable() + to + tail
	if want == string(content) {
		return
	}
	if !*update {
		t.Fatal("the table of servers in README.md is stale; run: go test ./cmd/testenv -run TestReadme -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func serverTable() string {
	var b strings.Builder
	b.WriteString("\n| profile | servers and tools | disk to install |\n|---|---|---|\n")
	for _, profile := range []string{core, peers, mesh} {
		var names []string
		disk := 0
		for _, s := range servers() {
			if s.profile == profile {
				names = append(names, strings.TrimSpace(s.name+" "+s.version))
				disk += s.disk
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %.1f GB |\n", profile, strings.Join(names, ", "), float64(disk)/1000)
	}
	return b.String() + "\n"
}
