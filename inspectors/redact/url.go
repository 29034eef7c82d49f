package redact

import (
	"bytes"
	"net/url"
	"strings"
)

// url masks what a URL, or a text with a query such as "GET /path?token=x",
// gives away: a password in front of the host, query and fragment values under
// the name of a secret, JSON web tokens among the segments of the path.
func (p *Policy) url(s string, hits *[]string) string {
	if !strings.ContainsAny(s, "?@#") && !strings.Contains(s, "/eyJ") {
		return s
	}
	out := p.urlBytes([]byte(s), hits)
	if string(out) == s {
		return s
	}
	return string(out)
}

func (p *Policy) urlBytes(b []byte, hits *[]string) []byte {
	before := len(*hits)
	head, fragment, hasFragment := bytes.Cut(b, []byte("#"))
	head, query, hasQuery := bytes.Cut(head, []byte("?"))
	out := p.segments(p.userInfo(head, hits), hits)
	query = p.pairs(query, "?", hits)
	fragment = p.pairs(fragment, "#", hits)
	if len(*hits) == before {
		return b
	}
	out = bytes.Clone(out)
	if hasQuery {
		out = append(append(out, '?'), query...)
	}
	if hasFragment {
		out = append(append(out, '#'), fragment...)
	}
	return out
}

// userInfo masks the password in scheme://user:password@host.
func (p *Policy) userInfo(b []byte, hits *[]string) []byte {
	start := bytes.Index(b, []byte("://"))
	if start < 0 {
		return b
	}
	start += 3
	end := len(b)
	if i := bytes.IndexByte(b[start:], '/'); i >= 0 {
		end = start + i
	}
	at := bytes.LastIndexByte(b[start:end], '@')
	colon := bytes.IndexByte(b[start:end], ':')
	if at < 0 || colon < 0 || colon > at || colon+1 == at || isWhole(b[start+colon+1:start+at]) {
		return b
	}
	*hits = append(*hits, "userinfo")
	ph := p.placeholderURL("password", b[start+colon+1:start+at])
	return concat(b[:start+colon+1], []byte(ph), b[start+at:])
}

// segments masks path segments that are tokens.
func (p *Policy) segments(b []byte, hits *[]string) []byte {
	i := bytes.Index(b, []byte("/eyJ"))
	if i < 0 {
		return b
	}
	end := i + 1
	for end < len(b) && b[end] != '/' && b[end] != ' ' {
		end++
	}
	if !isJWT(b[i+1 : end]) {
		return b
	}
	*hits = append(*hits, "path")
	return concat(b[:i+1], []byte(p.placeholderURL("path", b[i+1:end])), p.segments(b[end:], hits))
}

// form masks the values of a form-urlencoded body.
func (p *Policy) form(b []byte, hits *[]string) []byte { return p.pairs(b, "", hits) }

// pairs masks values in name=value&name=value; mark goes before the names in
// hits. Without a secret, the slice itself comes back.
func (p *Policy) pairs(b []byte, mark string, hits *[]string) []byte {
	var out []byte
	copied := 0
	for i := 0; i < len(b); {
		end := len(b)
		if n := bytes.IndexAny(b[i:], "&;"); n >= 0 {
			end = i + n
		}
		if eq := bytes.IndexByte(b[i:end], '='); eq >= 0 {
			name, value := b[i:i+eq], b[i+eq+1:end]
			if p.secretPair(name, value) {
				*hits = append(*hits, mark+string(cleanPath(formText(name))))
				out = append(append(out, b[copied:i+eq+1]...), p.placeholderURL(string(formText(name)), value)...)
				copied = end
			}
		}
		i = end + 1
	}
	if out == nil {
		return b
	}
	return append(out, b[copied:]...)
}

func (p *Policy) secretPair(name, value []byte) bool {
	if len(value) == 0 || isWhole(value) {
		return false
	}
	return secretName(formText(name)) || isCredential(value)
}

// formText undoes the escapes of a name.
func formText(b []byte) []byte {
	if bytes.IndexByte(b, '%') < 0 {
		return b // a plus is no letter, so secretName does not care
	}
	s, err := url.QueryUnescape(string(b))
	if err != nil {
		return b
	}
	return []byte(s)
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
