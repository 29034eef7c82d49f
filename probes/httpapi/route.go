package httpapi

import (
	"net/url"
	"regexp"
	"strings"
)

// route is a path template, split at its slashes.
type route struct {
	segments []segment
}

// segment is one part of a path: fixed text, or a pattern with parameters.
type segment struct {
	text    string
	params  []string
	pattern *regexp.Regexp // nil for fixed text
}

var braces = regexp.MustCompile(`\{([^{}/]+)\}`)

func parseRoute(path string) route {
	var r route
	for part := range strings.SplitSeq(path, "/") {
		s := segment{text: part}
		if found := braces.FindAllStringSubmatchIndex(part, -1); len(found) > 0 {
			var expr strings.Builder
			at := 0
			for _, f := range found {
				expr.WriteString(regexp.QuoteMeta(part[at:f[0]]) + "(.+?)")
				s.params = append(s.params, part[f[2]:f[3]])
				at = f[1]
			}
			expr.WriteString(regexp.QuoteMeta(part[at:]))
			s.pattern = regexp.MustCompile(`^` + expr.String() + `$`)
		}
		r.segments = append(r.segments, s)
	}
	return r
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
		case s.pattern == nil && part == s.text:
			fixed++
		case s.pattern == nil || !s.pattern.MatchString(part):
			return 0, false
		}
	}
	return fixed, true
}

// expand puts escaped values in the place of parameters.
func expand(path string, value func(name string) string) string {
	return braces.ReplaceAllStringFunc(path, func(m string) string {
		return url.PathEscape(value(m[1 : len(m)-1]))
	})
}
