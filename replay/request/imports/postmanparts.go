package imports

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"iscope/probes"
	"iscope/replay/request"
)

// address is the URL with its path variables (:id) in braces, which become
// parameters.
func (q *pmRequest) address() (address string, params []probes.Attr, err error) {
	var u pmURL
	if raw := plain(q.URL); raw != string(q.URL) {
		u.Raw = raw
	} else if err := json.Unmarshal(q.URL, &u); err != nil {
		return "", nil, fmt.Errorf("the URL cannot be read: %w", err)
	}
	if u.Raw == "" {
		u.Raw = u.assembled()
	}
	if u.Raw == "" {
		return "", nil, errors.New("it names no URL")
	}
	address = u.Raw
	for _, v := range u.Query {
		if v.Disabled { // Postman leaves it in raw in some versions
			pair := v.Key + "=" + plain(v.Value)
			address = strings.Replace(strings.Replace(address, "&"+pair, "", 1), "?"+pair, "?", 1)
		}
	}
	address = strings.TrimSuffix(strings.Replace(address, "?&", "?", 1), "?")
	for _, v := range u.Variable {
		key := v.Key
		if key == "" {
			key = v.ID
		}
		next := pathVariable(address, key)
		if next == address {
			continue
		}
		address = next
		params = append(params, probes.Attr{Name: key, Value: texts(plain(v.Value))})
	}
	return address, params, nil
}

// pathVariable writes :key in the path as {key}.
func pathVariable(address, key string) string {
	path, query, has := strings.Cut(address, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == ":"+key {
			segments[i] = "{" + key + "}"
		}
	}
	if path = strings.Join(segments, "/"); has {
		path += "?" + query
	}
	return path
}

// assembled makes a URL of its parts.
func (u *pmURL) assembled() string {
	join := func(raw json.RawMessage, by string) string {
		var parts []string
		if json.Unmarshal(raw, &parts) == nil {
			return strings.Join(parts, by)
		}
		return plain(raw)
	}
	host := join(u.Host, ".")
	if host == "" {
		return ""
	}
	if u.Port != "" {
		host += ":" + u.Port
	}
	if u.Protocol != "" {
		host = u.Protocol + "://" + host
	}
	out := host + "/" + strings.TrimPrefix(join(u.Path, "/"), "/")
	var query []string
	for _, v := range u.Query {
		if !v.Disabled {
			query = append(query, v.Key+"="+plain(v.Value))
		}
	}
	if len(query) > 0 {
		out += "?" + strings.Join(query, "&")
	}
	return out
}

func headers(raw json.RawMessage, s *request.Saved) (out []probes.Attr) {
	var list []pmVar
	if json.Unmarshal(raw, &list) != nil {
		for l := range strings.Lines(plain(raw)) {
			if name, value, ok := strings.Cut(strings.TrimSpace(l), ":"); ok {
				list = append(list, pmVar{Key: name, Value: mustJSON(strings.TrimSpace(value))})
			}
		}
	}
	for _, h := range list {
		switch {
		case h.Disabled || h.Key == "":
		case unmade(h.Key):
			if !strings.EqualFold(h.Key, "Content-Length") && !strings.EqualFold(h.Key, "Accept-Encoding") && !strings.EqualFold(h.Key, "Connection") {
				s.Comment = append(s.Comment, "the header "+h.Key+" is left out: each connection and call has its own")
			}
		default:
			out = append(out, probes.Attr{Name: texts(h.Key), Value: texts(plain(h.Value))})
		}
	}
	return out
}

func mustJSON(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string cannot fail
	return b
}

// pmAuth is how Postman authenticates; the values are lists of pairs (v2.1) or
// objects (v2.0).
type pmAuth struct {
	Type string
	rest map[string]json.RawMessage
}

// UnmarshalJSON keeps the member that the type names.
func (a *pmAuth) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if err := json.Unmarshal(b, &a.rest); err != nil {
		return err
	}
	a.Type = plain(a.rest["type"])
	return nil
}

func (a *pmAuth) value(key string) string {
	raw := a.rest[a.Type]
	var list []pmVar
	if json.Unmarshal(raw, &list) == nil {
		for _, v := range list {
			if v.Key == key {
				return texts(plain(v.Value))
			}
		}
		return ""
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		return texts(plain(object[key]))
	}
	return ""
}

// add puts credentials among the headers. nil and "noauth" add nothing.
func (a *pmAuth) add(s *request.Saved) {
	if a == nil || a.Type == "" || a.Type == "noauth" {
		return
	}
	header := func(name, value string) {
		if !slices.ContainsFunc(s.Header, func(h probes.Attr) bool { return strings.EqualFold(h.Name, name) }) {
			s.Header = append(s.Header, probes.Attr{Name: name, Value: value})
		}
	}
	switch a.Type {
	case "bearer":
		header("Authorization", "Bearer "+a.value("token"))
	case "basic":
		user, password := a.value("username"), a.value("password")
		if strings.Contains(user+password, "{{") {
			s.Comment = append(s.Comment, "basic authentication is left out, as its values are variables: put it into the target's auth:, or give Authorization")
			return
		}
		header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	case "apikey":
		if a.value("in") == "query" {
			s.Params = append(s.Params, probes.Attr{Name: a.value("key"), Value: a.value("value")})
			return
		}
		header(a.value("key"), a.value("value"))
	default:
		s.Comment = append(s.Comment, "authentication of type "+a.Type+" is left out")
	}
}

func (b *pmBody) add(s *request.Saved) {
	if b == nil || b.Disabled {
		return
	}
	typed := func(contentType string) {
		if !slices.ContainsFunc(s.Header, func(h probes.Attr) bool { return strings.EqualFold(h.Name, "Content-Type") }) {
			s.Header = append(s.Header, probes.Attr{Name: "Content-Type", Value: contentType})
		}
	}
	switch b.Mode {
	case "", "none":
	case "raw":
		if b.Raw == "" {
			return
		}
		s.Documents = []string{texts(b.Raw)}
		if t := map[string]string{"": "text/plain", "text": "text/plain", "json": "application/json", "xml": "application/xml",
			"html": "text/html", "javascript": "application/javascript"}[b.Options.Raw.Language]; t != "" {
			typed(t)
		}
	case "urlencoded":
		var pairs []string
		for _, v := range b.Encoded {
			if !v.Disabled {
				pairs = append(pairs, escape(v.Key)+"="+escape(plain(v.Value)))
			}
		}
		s.Documents = []string{strings.Join(pairs, "&")}
		typed(formType)
	case "formdata":
		var parts []string
		for _, v := range b.Form {
			switch {
			case v.Disabled:
			case v.Type == "file":
				s.Comment = append(s.Comment, "the part "+v.Key+" of the form is left out: it is the file "+plain(v.Src))
			default:
				parts = append(parts, "="+v.Key+"="+texts(plain(v.Value)))
			}
		}
		text, contentType, notes := multipartOf(parts)
		s.Documents, s.Comment = []string{text}, append(s.Comment, notes...)
		typed(contentType)
	case "graphql":
		if b.GraphQL != nil {
			s.Documents = []string{b.graphql()}
			typed("application/json")
		}
	default:
		s.Comment = append(s.Comment, "a body of the mode "+b.Mode+" is left out")
	}
}

func (b *pmBody) graphql() string {
	vars := strings.TrimSpace(texts(b.GraphQL.Variables))
	if vars == "" {
		vars = "{}"
	}
	return `{"query":` + string(mustJSON(texts(b.GraphQL.Query))) + `,"variables":` + vars + `}`
}

// escape escapes a value of a form, except for its variables.
func escape(s string) string {
	var out strings.Builder
	last := 0
	s = texts(s)
	for _, m := range reference().FindAllStringIndex(s, -1) {
		out.WriteString(url.QueryEscape(s[last:m[0]]) + s[m[0]:m[1]])
		last = m[1]
	}
	return out.String() + url.QueryEscape(s[last:])
}

// reference finds {{variables}}.
var reference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{([^{}]*)\}\}`) })

// texts gives variables the names they have here: dynamic ones of Postman that
// there is something for, and others with letters that names may have.
func texts(s string) string {
	return reference().ReplaceAllStringFunc(s, func(m string) string { return "{{" + variable(m[2:len(m)-2]) + "}}" })
}

func variable(name string) string {
	switch name = strings.TrimSpace(name); name {
	case "$guid", "$randomUUID":
		return "uuid"
	case "$timestamp":
		return "now.unix"
	case "$isoTimestamp":
		return "now"
	}
	if strings.HasPrefix(name, "$") {
		return name
	}
	clean := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	if clean == "" || clean[0] >= '0' && clean[0] <= '9' || clean[0] == '-' {
		clean = "_" + clean
	}
	return clean
}

func mentioned(s string) (out []string) {
	for _, m := range reference().FindAllStringSubmatch(s, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// usedIn lists the variables of a request, each once.
func usedIn(s *request.Saved) []string {
	all := []string{s.Target, s.Method}
	for _, list := range [][]probes.Attr{s.Params, s.Header} {
		for _, a := range list {
			all = append(all, a.Name, a.Value)
		}
	}
	return mentioned(strings.Join(append(all, s.Documents...), "\n"))
}
