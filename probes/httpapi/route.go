package httpapi

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// route is a path template, split at its slashes.
type route struct {
	segments []segment
}

// segment is one part of a path: fixed text, a parameter, or a text with
// parameters in it.
type segment struct {
	text    string
	params  []string
	pattern func() *regexp.Regexp // nil for fixed text and for a parameter alone
}

// braces finds the parameters of a template.
func braces(path string) [][]int {
	var out [][]int
	for at := 0; ; {
		open := strings.IndexByte(path[at:], '{')
		if open < 0 {
			return out
		}
		at += open + 1
		end := strings.IndexAny(path[at:], "{}/")
		if end > 0 && path[at+end] == '}' {
			out = append(out, []int{at - 1, at + end + 1})
			at += end + 1
		}
	}
}

func parseRoute(path string) route {
	var r route
	for text := range strings.SplitSeq(path, "/") {
		s := segment{text: text}
		found := braces(text)
		for _, f := range found {
			s.params = append(s.params, text[f[0]+1:f[1]-1])
		}
		if len(found) > 0 && (len(found) > 1 || found[0][1]-found[0][0] < len(text)) {
			s.pattern = sync.OnceValue(func() *regexp.Regexp { return patternOf(text, found) })
		}
		r.segments = append(r.segments, s)
	}
	return r
}

func patternOf(text string, found [][]int) *regexp.Regexp {
	var expr strings.Builder
	at := 0
	for _, f := range found {
		expr.WriteString(regexp.QuoteMeta(text[at:f[0]]) + "(.+?)")
		at = f[1]
	}
	return regexp.MustCompile(`^` + expr.String() + regexp.QuoteMeta(text[at:]) + `$`)
}

// names lists the parameters in the path.
func (r route) names() []string {
	var out []string
	for _, s := range r.segments {
		out = append(out, s.params...)
	}
	return out
}

// match tells whether a concrete, escaped path fits, and how many of its parts
// are fixed text: the most concrete template wins (OpenAPI 3.1 §4.8.8).
func (r route) match(path string) (fixed int, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != len(r.segments) {
		return 0, false
	}
	for i, s := range r.segments {
		part := parts[i]
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		switch {
		case len(s.params) == 0 && part == s.text:
			fixed++
		case len(s.params) == 0 || part == "", s.pattern != nil && !s.pattern().MatchString(part):
			return 0, false
		}
	}
	return fixed, true
}

// expand puts values, which are escaped, in the place of parameters.
func expand(path string, value func(name string) string) string {
	var b strings.Builder
	at := 0
	for _, f := range braces(path) {
		b.WriteString(path[at:f[0]] + value(path[f[0]+1:f[1]-1]))
		at = f[1]
	}
	return b.String() + path[at:]
}
