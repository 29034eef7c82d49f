package redact

import (
	"regexp"
	"strings"
	"sync"
)

const masked = "«redacted»"

var (
	textUser = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(://[^\s/:@"']*:)[^\s/@"']+@`) })
	textPEM  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)
	})
	textJWT = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)
	})
	textScheme = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\b(bearer|basic)\s+([A-Za-z0-9._~+/=-]{6,})`) })
	textPair   = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`([A-Za-z0-9_.-]+)("?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',;&)}\]]+)`)
	})
	textToken = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._~+=-]{6,}$`) })
)

// Text takes secrets out of a text for people: an error, a log line. It knows
// credentials in URLs, bearer and basic credentials, JSON web tokens, private
// keys, and values behind a secret's name: password=…, "token": "…". It costs
// some ten microseconds, so it is not for records.
func (p *Policy) Text(s string) string {
	if strings.Contains(s, "://") {
		s = textUser().ReplaceAllString(s, "${1}"+masked+"@")
	}
	if strings.Contains(s, "PRIVATE KEY") {
		s = textPEM().ReplaceAllString(s, masked)
	}
	if strings.Contains(s, "eyJ") {
		s = textJWT().ReplaceAllString(s, masked)
	}
	s = textScheme().ReplaceAllStringFunc(s, func(m string) string {
		parts := textScheme().FindStringSubmatch(m)
		if !looksRandom([]byte(parts[2])) {
			return m
		}
		return m[:len(m)-len(parts[2])] + masked
	})
	if !strings.ContainsAny(s, "=:") {
		return s
	}
	return maskPairs(s)
}

// maskPairs masks the values of name=value and "name": value.
func maskPairs(s string) string {
	var b strings.Builder
	at := 0
	for at < len(s) {
		m := textPair().FindStringSubmatchIndex(s[at:])
		if m == nil {
			break
		}
		name, sep, value := s[at+m[2]:at+m[3]], s[at+m[4]:at+m[5]], s[at+m[6]:at+m[7]]
		bare := strings.Trim(value, `"'`)
		if !pairIsSecret(name, sep, value, bare) {
			b.WriteString(s[at : at+m[5]]) // the value may be a pair itself
			at += m[5]
			continue
		}
		b.WriteString(s[at:at+m[5]] + strings.Replace(value, bare, masked, 1))
		at += m[7]
	}
	return b.String() + s[at:]
}

// pairIsSecret looks at the name, and at the value as well where a bare
// "name: value" is more often prose ("auth.token: not set").
func pairIsSecret(name, sep, value, bare string) bool {
	switch {
	case !secretName(name), bare == "", strings.HasPrefix(bare, "${"), strings.Contains(bare, "«redacted"):
		return false
	case strings.Contains(sep, ":") && !strings.HasPrefix(sep, `"`) && value == bare:
		return isToken(bare)
	}
	return true
}

// isToken reports letters and digits mixed, as people do not write them.
func isToken(s string) bool {
	return textToken().MatchString(s) && strings.ContainsAny(s, "0123456789") &&
		strings.ContainsAny(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz")
}
