package request

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"iscope/probes"
)

// curlLine writes an HTTP call for curl.
func curlLine(r *Request, m *probes.Method, t *probes.Target) (Line, error) {
	if t.Driver == "graphql" {
		return graphqlLine(r, m, t)
	}
	verb, _, isHTTP := strings.Cut(r.Method, " ")
	if !isHTTP {
		return Line{}, cannot(Curl, r.Method+" is no HTTP operation", "use grpcurl for gRPC")
	}
	var l line
	l.add("curl")
	verb = strings.ToUpper(verb)
	switch {
	case verb == "HEAD":
		l.add("--head")
	case verb != "GET" && (verb != "POST" || len(r.Documents) == 0), verb == "GET" && len(r.Documents) > 0:
		l.add("-X", verb)
	}
	address, header, cookies := placed(r, m, t)
	l.add(address)
	typed := r.has("Content-Type")
	for _, h := range header {
		l.add("-H", h.Name+": "+h.Value)
	}
	if len(cookies) > 0 {
		l.add("-b", strings.Join(cookies, "; "))
	}
	if len(r.Documents) > 0 {
		doc := r.Documents[0]
		if !typed && json.Valid([]byte(doc)) {
			l.add("-H", "Content-Type: application/json")
		}
		l.add("--data-raw", doc)
		if len(r.Documents) > 1 {
			l.note("curl sends one body: %d documents are left out", len(r.Documents)-1)
		}
	}
	curlConnection(&l, r, t)
	return l.done(), nil
}

// curlConnection adds what is not the request itself: credentials, TLS, limits.
func curlConnection(l *line, r *Request, t *probes.Target) {
	if name, value, basic := secretHeader(r, &t.Auth); basic {
		l.add("-u", t.Auth.Username+":"+secretPassword)
	} else if name != "" {
		l.add("-H", name+": "+value)
	}
	l.flag("--cacert", t.TLS.CAFile)
	l.flag("--cert", t.TLS.CertFile)
	l.flag("--key", t.TLS.KeyFile)
	if t.TLS.InsecureSkipVerify {
		l.add("--insecure")
	}
	if t.TLS.ServerName != "" {
		l.note("curl takes the name of the certificate from the URL; iscope asked for %s (see curl's --connect-to)", t.TLS.ServerName)
	}
	if t.Options["http2"] == "h2c" {
		l.add("--http2-prior-knowledge")
	}
	if r.Redirects > 0 {
		l.add("-L", "--max-redirs", strconv.Itoa(r.Redirects))
	}
	if r.Deadline > 0 {
		l.add("--max-time", seconds(r.Deadline))
	}
	if r.Compression != "" {
		l.note("curl does not compress what it sends (%s was asked for)", r.Compression)
	}
}

// placed puts the parameters where the method wants them: into the URL, or among
// the headers and cookies.
func placed(r *Request, m *probes.Method, t *probes.Target) (address string, header []probes.Attr, cookies []string) {
	_, path, _ := strings.Cut(r.Method, " ")
	header = r.Header
	var query []string
	for _, p := range r.Params {
		name, in := parameter(m, p.Name, path)
		switch in {
		case "path":
			path = strings.ReplaceAll(path, "{"+name+"}", escapeURL(p.Value, url.PathEscape))
		case "header":
			header = append(header[:len(header):len(header)], probes.Attr{Name: name, Value: p.Value})
		case "cookie":
			cookies = append(cookies, name+"="+p.Value)
		default:
			query = append(query, url.QueryEscape(name)+"="+escapeURL(p.Value, url.QueryEscape))
		}
	}
	address = base(t) + path
	if len(query) > 0 {
		mark := "?"
		if strings.Contains(address, "?") {
			mark = "&"
		}
		address += mark + strings.Join(query, "&")
	}
	return address, header, cookies
}

// parameter finds where a parameter goes. "query:id" says so itself; of a
// method that is not described, what the path does not name is a query.
func parameter(m *probes.Method, given, path string) (name, in string) {
	for _, p := range m.Params {
		if p.Name == given {
			return p.Name, p.In
		}
		if where, bare, ok := strings.Cut(given, ":"); ok && p.In == where && p.Name == bare {
			return p.Name, p.In
		}
	}
	if strings.Contains(path, "{"+given+"}") {
		return given, "path"
	}
	return given, "query"
}

// escapeURL escapes a value and leaves placeholders as they are.
func escapeURL(s string, escape func(string) string) string {
	var b strings.Builder
	masked(s, func(text string) { b.WriteString(escape(text)) }, func(name string) {
		b.WriteString("«redacted:" + name + "#»")
	})
	return b.String()
}

// base is the URL of a target without user information.
func base(t *probes.Target) string {
	address := t.Address
	if address == "" {
		address = t.Name
	}
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if path = strings.TrimRight(path, "/"); path != "" {
		host += "/" + path
	}
	scheme := "http://"
	if t.TLS.Enabled || strings.HasPrefix(address, "https://") {
		scheme = "https://"
	}
	return scheme + host
}

// graphqlLine writes a GraphQL operation as a POST of its document (GraphQL over
// HTTP). What is left out of the document, the query above all, comes from the
// method's template.
func graphqlLine(r *Request, m *probes.Method, t *probes.Target) (Line, error) {
	switch {
	case strings.HasPrefix(r.Method, "subscription"):
		return Line{}, cannot(Curl, "a subscription needs a WebSocket", "use iscope")
	case len(r.Documents) > 1:
		return Line{}, cannot(Curl, "a GraphQL call has one document, this has "+strconv.Itoa(len(r.Documents)), "")
	}
	doc, err := graphqlDocument(r, m)
	if err != nil {
		return Line{}, err
	}
	var l line
	l.add("curl", base(t), "-H", "Content-Type: application/json")
	for _, h := range r.Header {
		l.add("-H", h.Name+": "+h.Value)
	}
	l.add("--data-raw", doc)
	if strings.Count(base(t), "/") < 3 {
		l.note("the target's URL has no path: iscope looks for the endpoint, curl needs it behind %s", base(t))
	}
	curlConnection(&l, r, t)
	return l.done(), nil
}

// graphqlDocument completes a document with the method's query. One that is
// neither query nor variables by name is the variables themselves.
func graphqlDocument(r *Request, m *probes.Method) (string, error) {
	var given, whole map[string]json.RawMessage
	if len(r.Documents) > 0 {
		if err := json.Unmarshal([]byte(r.Documents[0]), &given); err != nil {
			return "", cannot(Curl, "the document is no JSON object", "")
		}
	}
	if given["query"] != nil {
		return r.Documents[0], nil
	}
	if json.Unmarshal(m.Template, &whole) != nil || whole["query"] == nil {
		return "", cannot(Curl, "the document has no query, and the method has none to start from", `give one: -d '{"query": "…"}'`)
	}
	out := map[string]json.RawMessage{"query": whole["query"]}
	if _, ok := given["variables"]; ok {
		out["variables"] = given["variables"]
	} else if len(given) > 0 {
		vars, err := encodeJSON(given)
		if err != nil {
			return "", err
		}
		out["variables"] = vars
	}
	text, err := encodeJSON(out)
	return string(text), err
}
