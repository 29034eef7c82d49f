package request

import (
	"strings"

	"iscope/config/yamltree"
)

// quoteHint knows the mistake of a variable without quotes: {{x}} is a map in a
// map to YAML.
const quoteHint = `write variables in quotes: "{{name}}"`

// parseYAML turns a file into a tree. nil means that the file is empty, or
// beyond reading and reported.
func parseYAML(src []byte, r *report) *yamltree.Node {
	root, faults := yamltree.Parse(src, yamltree.Options{})
	for _, f := range faults {
		switch {
		case f.Cause == yamltree.Documents:
			r.add(f.Pos, "write several steps under steps:", "the file holds more than one YAML document")
		case f.Cause == yamltree.Key, f.Cause == yamltree.Syntax && (strings.Contains(f.Line, "{{") || strings.Contains(f.Line, "${")):
			r.add(f.Pos, quoteHint, "%s", f.Message+f.Quoted)
		default:
			r.add(f.Pos, "", "%s", f.Message+f.Quoted)
		}
	}
	return root
}

// place is where a value stands: a map is where its first key is.
func place(n *yamltree.Node) Pos {
	if n.FirstKey != (Pos{}) {
		return n.FirstKey
	}
	return n.Pos
}

// word names a kind of value. Any number will do for a saved request.
func word(k yamltree.Kind) string {
	if k == yamltree.Float {
		k = yamltree.Int
	}
	return k.String()
}
