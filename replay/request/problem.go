package request

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"iscope/config/yamltree"
	"iscope/probes"
)

// Pos is a place in a file, from 1.
type Pos = yamltree.Pos

// Problem is one thing wrong with a saved request, and where.
type Problem struct {
	Path    string
	At      Pos
	Message string
	Hint    string
}

// Error words it as compilers do: path:line:column: message; hint.
func (p Problem) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", p.Path, p.At.Line, p.At.Column, p.Message)
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}

// Unwrap makes errors.Is(err, probes.ErrUsage) true.
func (p Problem) Unwrap() error { return probes.ErrUsage }

// Problems is everything wrong with a file, in its order.
type Problems struct{ All []Problem }

func (ps *Problems) Error() string {
	lines := make([]string, len(ps.All))
	for i, p := range ps.All {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.Is(err, probes.ErrUsage) true.
func (ps *Problems) Unwrap() error { return probes.ErrUsage }

// report collects problems while a file is read.
type report struct {
	path  string
	found []Problem
}

func (r *report) add(at Pos, hint, format string, args ...any) {
	r.found = append(r.found, Problem{Path: r.path, At: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// err is nil if nothing was found.
func (r *report) err() error {
	if len(r.found) == 0 {
		return nil
	}
	slices.SortStableFunc(r.found, func(a, b Problem) int {
		return cmp.Or(a.At.Line-b.At.Line, a.At.Column-b.At.Column)
	})
	return &Problems{All: slices.Compact(r.found)}
}
