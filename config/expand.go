package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"iscope/probes"
)

// Expand replaces the references in a text of another file of the user's: a
// saved request. Relative files are in the folder of that file. Commands are not
// run: such files come with whatever was checked out. The error names no value.
func Expand(path, text string, getenv func(string) string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("finding the folder of %s: %w", path, err)
	}
	parts, err := parseParts(text)
	if err != nil {
		return "", &probes.Error{Op: "reading a reference", Kind: probes.ErrUsage, Err: err}
	}
	r := resolver{state: &state{at: Location{Path: path, Origin: FromFolder}, dir: dir, getenv: getenv}}
	var b strings.Builder
	for _, p := range parts {
		if p.ref == nil {
			b.WriteString(p.literal)
			continue
		}
		if p.ref.scheme == refCmd {
			return "", &probes.Error{Op: "reading a reference", Kind: probes.ErrUsage,
				Err: fmt.Errorf("${cmd:…} is not run for a saved request"), Hint: "use ${env:NAME} or ${file:PATH}"}
		}
		v, err := r.lookup(*p.ref)
		if err != nil {
			return "", &probes.Error{Op: "resolving a reference", Kind: probes.ErrUsage, Err: err}
		}
		b.WriteString(v)
	}
	return b.String(), nil
}
