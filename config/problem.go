package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"iscope/config/yamltree"
	"iscope/probes"
)

// Problem is one thing wrong with the file, and where.
type Problem struct {
	Path         string
	Line, Column int // from 1; 0 unknown
	Message      string
	Hint         string // what to do; may be empty
}

// Error words the problem as compilers do: path:line:column: message; hint.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Path)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": " + p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems is everything wrong with the file, in its order. As an error it is a
// pointer (errors are compared, slices cannot be), and an ErrUsage.
type Problems []Problem

func (ps *Problems) Error() string {
	lines := make([]string, len(*ps))
	for i, p := range *ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, probes.ErrUsage) true.
func (ps *Problems) Unwrap() error { return probes.ErrUsage }

// report collects problems while a file is read.
type report struct {
	path  string
	found Problems
}

func (r *report) add(at yamltree.Pos, hint, format string, args ...any) {
	r.found = append(r.found, Problem{Path: r.path, Line: at.Line, Column: at.Column,
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

// sorted returns the problems in the order of the file, each once: an anchor
// used twice reports its problems twice.
func (r *report) sorted() Problems {
	slices.SortStableFunc(r.found, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	return slices.Compact(r.found)
}
