package request

import (
	"strings"
	"testing"
)

// TestMistakesOfYAML: what the tree finds is told in the words of a saved request.
func TestMistakesOfYAML(t *testing.T) {
	call := "target: t\nmethod: m\n"
	for src, want := range map[string]string{
		call + "document: \"\\q{{x}}\"\n":               "x.yaml:3:13: invalid YAML: found unknown escape character 'q'; write variables in quotes: \"{{name}}\"",
		call + "---\n" + call:                           "x.yaml:4:7: the file holds more than one YAML document; write several steps under steps:",
		call + "header:\n  <<: {a: b}\n":                "x.yaml:4:3: a key must be plain text; write variables in quotes: \"{{name}}\"",
		call + "name: a\nname: b\n":                     `x.yaml:4:1: key "name" is given twice; the first is on line 3`,
		call + "header: *x\n":                           `x.yaml:3:9: unknown anchor "x"`,
		call + "expect: 1.5\nforce: 1.5\n":              "x.yaml:3:9: expected a list, found a number\nx.yaml:4:8: expected true or false, found a number",
		call + "expect:\n  a: 1\n  b: 2\nforce: {a: 1}": "x.yaml:4:3: expected a list, found a map\nx.yaml:6:9: expected true or false, found a map",
		call + "document:\n  - &a [" + strings.Repeat("0,", 999) + "0]\n  - [" + strings.Repeat("*a,", 99) + "\n     *a]\n": "x.yaml:6:6: aliases make the file too large",
	} {
		_, err := Parse("x.yaml", []byte(src))
		if err == nil || err.Error() != want {
			t.Errorf("%.60q:\n%v\nwant\n%s", src, err, want)
		}
	}
}
