package session

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"iscope/probes"
	"iscope/replay/request"
)

// Reference matches what stands for a secret in a request: ${env:NAME} and
// ${file:PATH}, and with another dollar before it that text itself. ${cmd:…} is
// matched to be refused.
var Reference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$?\$\{(?:env|file|cmd):[^{}]*\}`) })

// maxBeside is what may stand beside a reference without being masked with it:
// "Bearer ", not half a secret.
const maxBeside = 8

// refersOnly reports whether a value is a reference and hardly anything else, so
// that nothing secret is in it.
func refersOnly(s string) bool {
	if !strings.Contains(s, "${") || !Reference().MatchString(s) {
		return false
	}
	for _, piece := range Reference().Split(s, -1) {
		if len(piece) > maxBeside {
			return false
		}
	}
	return true
}

// Variable is a name for what a reference stands for, in lower case.
func Variable(ref string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(ref, "${"), "}")
	_, name, _ := strings.Cut(inner, ":")
	name = strings.ToLower(path.Base(strings.TrimSpace(name)))
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
}

// Rewrite changes every text of a request that may hold references.
func Rewrite(r request.Request, text func(s string, inJSON bool) string) request.Request {
	attrs := func(all []probes.Attr) []probes.Attr {
		out := make([]probes.Attr, len(all))
		for i, a := range all {
			out[i] = probes.Attr{Name: a.Name, Value: text(a.Value, false)}
		}
		return out
	}
	r.Method, r.Params, r.Header = text(r.Method, false), attrs(r.Params), attrs(r.Header)
	docs := make([]string, len(r.Documents))
	for i, d := range r.Documents {
		docs[i] = text(d, true)
	}
	r.Documents = docs
	return r
}

// forShell makes a request's references what command lines have for masked
// values: variables of the shell.
func forShell(r request.Request) request.Request {
	return Rewrite(r, func(s string, _ bool) string {
		return Reference().ReplaceAllStringFunc(s, func(ref string) string {
			if strings.HasPrefix(ref, "$$") {
				return ref[1:]
			}
			return "«redacted:" + Variable(ref) + "#»"
		})
	})
}
