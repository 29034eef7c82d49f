package main

import (
	"strings"

	"iscope/inspectors/safe"
)

// line makes text from outside fit for one line of output.
func line(s string) string { return safe.Line(s, safe.Wide).String() }

// block makes text from outside fit for several lines.
func block(s string) string {
	rows, _ := safe.Block(s, safe.Wide, 1<<20)
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = r.String()
	}
	return strings.Join(lines, "\n")
}
