package config

import (
	"strings"

	"iscope/config/yamltree"
)

// parseYAML turns the file into a tree. nil means that the file is empty, or
// beyond reading and reported.
func parseYAML(src []byte, r *report) *yamltree.Node {
	root, faults := yamltree.Parse(src, yamltree.Options{Merge: true, Duplicates: true})
	for _, f := range faults {
		hint := ""
		if f.Cause == yamltree.Syntax && strings.Contains(f.Line, "${") {
			hint = `write references in quotes: "${env:NAME}"`
		}
		// What a fault quotes is left out: it may be a secret, or a control character.
		r.add(f.Pos, hint, "%s", f.Message)
	}
	return root
}
