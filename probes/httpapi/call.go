package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// call is a request line as people write it: "GET /orders/{id}",
// "GET /orders/5?full=1", or a path alone, which means GET.
type call struct {
	method   string
	path     string // escaped, or a template with its braces
	query    string // escaped, without "?"
	template bool
	socket   bool   // a WebSocket is opened, by a GET
	host     string // named in a ws:// URL, else ""
}

// socketWord stands for the method where a line means a WebSocket.
const socketWord = "WS"

func parseCall(s string) (call, error) {
	method, target, _ := strings.Cut(strings.TrimSpace(s), " ")
	if strings.HasPrefix(method, "/") || socketScheme(method) {
		method, target = "GET", strings.TrimSpace(s)
	}
	target = strings.TrimSpace(target)
	c := call{}
	if strings.EqualFold(method, socketWord) {
		method, c.socket = "GET", true
	}
	if scheme, rest, ok := strings.Cut(target, "://"); ok && socketScheme(target) && strings.EqualFold(method, "GET") {
		c.host, target, _ = strings.Cut(rest, "/")
		target, c.socket = "/"+target, true
		if c.host == "" {
			return call{}, fmt.Errorf("%s:// has no host", scheme)
		}
	}
	if !strings.HasPrefix(target, "/") {
		return call{}, fmt.Errorf("%q is no method and path", s)
	}
	if isMethod(method) {
		method = strings.ToUpper(method)
	}
	if !httplink.ValidHeaderName(method) || method == "CONNECT" {
		return call{}, fmt.Errorf("%q is no HTTP method that can be called", method)
	}
	if strings.Contains(target, "#") {
		return call{}, errors.New("a fragment (#) is never sent to a server")
	}
	c.method = method
	c.path, c.query, _ = strings.Cut(target, "?")
	c.query = escapeQuery(c.query)
	if c.template = len(braces(c.path)) > 0; c.template {
		return c, nil
	}
	u, err := url.ParseRequestURI(c.path)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return call{}, fmt.Errorf("reading the path: %w", err)
	}
	c.path = u.EscapedPath()
	return c, nil
}

func (c call) name() string {
	if c.socket {
		return socketWord + " " + c.path
	}
	return c.method + " " + c.path
}

func socketScheme(s string) bool {
	low := strings.ToLower(s)
	return strings.HasPrefix(low, "ws://") || strings.HasPrefix(low, "wss://")
}

// parseCall reads a request line. A ws:// URL in it must be of this target:
// another host has other credentials and rules.
func (p *probe) parseCall(s string) (call, error) {
	c, err := parseCall(s)
	if err != nil || c.host == "" {
		return c, err
	}
	if c.host != p.Base.Host && c.host != httplink.HostPort(p.Base) {
		return call{}, fmt.Errorf("%s is another host than the target's, %s", c.host, p.Base.Host)
	}
	if rest, ok := strings.CutPrefix(c.path, p.Base.EscapedPath()+"/"); ok {
		c.path = "/" + rest
	}
	return c, nil
}

// escapeQuery percent-encodes what cannot stand in a request line and leaves
// the rest as it was written.
func escapeQuery(q string) string {
	var b strings.Builder
	for i := range len(q) {
		if c := q[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(q[i])
	}
	return b.String()
}

// find returns the operation a call belongs to, nil if there is none.
func (d *document) find(c call) *operation {
	if d == nil {
		return nil
	}
	var best *operation
	most := -1
	for _, o := range d.ops {
		if o.method != c.method {
			continue
		}
		if o.path == c.path {
			return o
		}
		if fixed, ok := o.route.match(c.path); ok && !c.template && fixed > most {
			best, most = o, fixed
		}
	}
	return best
}

// called are the operations with that operationId: at most one in a document that
// keeps to OpenAPI.
func (d *document) called(id string) (out []*operation) {
	for _, o := range d.ops {
		if id != "" && o.id() == id {
			out = append(out, o)
		}
	}
	return out
}

// nearest words a hint for an operation that does not exist, by what was taken for
// its name: a path, or else an operationId.
func (d *document) nearest(name string) string {
	if d == nil {
		return ""
	}
	var names, ids []string
	for _, o := range d.ops {
		names = append(names, o.name())
		if id := o.id(); id != "" {
			ids = append(ids, id)
		}
	}
	if !strings.Contains(name, "/") && len(probes.Nearest(name, ids, 1)) > 0 {
		names = ids
	}
	return probes.NearestHint(name, names)
}
