package request

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// placeholder is what a masked value was replaced with (inspectors/redact writes
// it, in URLs escaped).
var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`«redacted:([a-z0-9_.-]*)#[0-9a-f]*»|%C2%ABredacted:([a-z0-9_.-]*)%23[0-9a-f]*%C2%BB|«redacted»`)
})

// masked splits a text at its placeholders: it calls text for what stands
// between them and secret for the name of each.
func masked(s string, text, secret func(string)) {
	last := 0
	for _, m := range placeholder().FindAllStringSubmatchIndex(s, -1) {
		if m[0] > last {
			text(s[last:m[0]])
		}
		name := ""
		for _, at := range [][2]int{{m[2], m[3]}, {m[4], m[5]}} {
			if at[0] >= 0 {
				name = s[at[0]:at[1]]
			}
		}
		secret(name)
		last = m[1]
	}
	if last < len(s) {
		text(s[last:])
	}
}

// variableName is a name for a secret, in the way of environment variables.
func variableName(name string) string {
	up := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
	if up = strings.Trim(up, "_"); up == "" {
		return "SECRET"
	}
	if up[0] >= '0' && up[0] <= '9' {
		return "_" + up
	}
	return up
}

// Missing lists where a request holds placeholders instead of values: "header
// authorization", "document 1 (password)". Such a request cannot be sent before
// those were supplied.
func (r *Request) Missing() []string {
	var out []string
	look := func(where, s string, detail bool) {
		masked(s, func(string) {}, func(name string) {
			if detail && name != "" {
				out = append(out, where+" ("+name+")")
				return
			}
			out = append(out, where)
		})
	}
	for _, p := range r.Params {
		look("parameter "+p.Name, p.Value, false)
	}
	for _, h := range r.Header {
		look("header "+h.Name, h.Value, false)
	}
	for _, o := range r.Options {
		look("option "+o.Name, o.Value, false)
	}
	look("the target", r.Target, true)
	look("the method", r.Method, true)
	for i, d := range r.Documents {
		look("document "+strconv.Itoa(i+1), d, true)
	}
	return slices.Compact(out)
}
