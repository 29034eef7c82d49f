package schema

import (
	"fmt"
	"strings"

	"iscope/probes"
)

// Assignment gives subjects a schema file.
type Assignment struct {
	Pattern string // of subjects; "*" stands for any characters
	Key     bool   // for keys instead of values
	File    string // by its suffix .avsc, .json, .proto, .protoset, .binpb or .desc
	Message string // of Protobuf, the full name; "" where the file has only one
}

// ParseAssignment reads "PATTERN[:key]=FILE[#MESSAGE]", or FILE[#MESSAGE] alone
// for the values of every subject. Subjects may contain colons: only ":key" and
// ":value" at the end are taken for what they say.
func ParseAssignment(s string) (Assignment, error) {
	a := Assignment{Pattern: "*"}
	pattern, file, found := strings.Cut(s, "=")
	if !found {
		pattern, file = "*", s
	}
	a.Pattern, a.Key = strings.CutSuffix(pattern, ":key")
	if !a.Key {
		a.Pattern = strings.TrimSuffix(a.Pattern, ":value")
	}
	a.File, a.Message, _ = strings.Cut(file, "#")
	if a.Pattern == "" || a.File == "" {
		return Assignment{}, &probes.Error{Op: "reading the schema assignment", Kind: probes.ErrUsage,
			Err: fmt.Errorf("%q", s), Hint: "write it as TOPIC=FILE, TOPIC:key=FILE or TOPIC=FILE.proto#package.Message"}
	}
	return a, nil
}

// Matches reports whether a pattern, in which "*" stands for any characters,
// describes all of s.
func Matches(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, p)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
