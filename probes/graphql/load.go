package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// load reads the schema: the file that is configured, or by introspection.
func (p *probe) load(ctx context.Context, _ *contract) (*contract, error) {
	const op = "reading the schema"
	if name := p.link.Target.Options[optSchema]; name != "" {
		name = schemaFile(name)
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, p.link.Fail(op, probes.ErrUsage, err, "")
		}
		parts, err := parseSchema(text)
		if err != nil {
			return nil, p.link.Fail(op, probes.ErrUsage, fmt.Errorf("%s: %w", name, err), "it has to be SDL, or the JSON of an introspection")
		}
		return p.contractOf(parts, "file "+filepath.Base(name))
	}
	u, _, err := p.endpoint(ctx, op)
	if err != nil {
		return nil, err
	}
	in, closed, err := p.introspect(ctx, op, u)
	switch {
	case err != nil:
		return nil, err
	case closed != "":
		return &contract{closed: closed}, nil
	}
	return p.contractOf(in.parts(), "introspection")
}

func (p *probe) contractOf(parts *parts, source string) (c *contract, err error) {
	defer func() { // what is put together here came from whatever answered
		if r := recover(); r != nil {
			c, err = nil, p.link.Fail("reading the schema", probes.ErrProtocol, fmt.Errorf("the schema broke its reader: %v", r), "")
		}
	}()
	c = newContract(parts.assemble(), p.depth)
	c.source, c.warnings = source, parts.warnings
	return c, nil
}

// parseSchema reads a file: SDL, or JSON.
func parseSchema(text []byte) (*parts, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return parseSDL(string(text))
	}
	in, err := readIntro(text)
	if err != nil {
		return nil, err
	}
	return in.parts(), nil
}

// introspect asks the server for its schema, and for less where it refuses part
// of the question. closed is why there is no schema to be had, in the server's
// words.
func (p *probe) introspect(ctx context.Context, op string, u *url.URL) (in *intro, closed string, err error) {
	f := allFeatures()
	last := false
	for {
		r, err := p.ask(ctx, op, u, f.query())
		if err != nil {
			return nil, "", err
		}
		if r.hasData {
			if in, err = readIntro(r.body); err == nil && len(in.Types) > 0 {
				return in, "", nil
			}
		}
		complaint := complaintOf(r)
		if less, ok := f.without(complaint); ok && !isClosed(complaint) {
			f = less
			continue
		}
		if isClosed(complaint) || r.problem != "" {
			return p.closed(ctx, op, u, r, complaint)
		}
		if last {
			return p.introspectByType(ctx, op, u, complaint)
		}
		f, last = oldest(), true
	}
}

// complaintOf is what a reply says against a question.
func complaintOf(r *reply) string {
	var texts []string
	for _, e := range r.errors {
		texts = append(texts, e.message)
	}
	if len(texts) == 0 {
		texts = append(texts, strings.TrimSpace(httplink.StatusText(r.status)+" "+r.problem))
	}
	return strings.Join(texts, "\n")
}

// isClosed recognises that introspection itself is refused.
func isClosed(complaint string) bool {
	low := strings.ToLower(complaint)
	return strings.Contains(low, "introspection") && !strings.Contains(low, "depth") ||
		strings.Contains(complaint, `"__schema"`) || strings.Contains(complaint, "'__schema'")
}

// closed makes sure that there is a GraphQL server that refuses introspection,
// and no other trouble.
func (p *probe) closed(ctx context.Context, op string, u *url.URL, refused *reply, complaint string) (*intro, string, error) {
	r, err := p.ask(ctx, op, u, "{__typename}")
	switch {
	case err != nil:
		return nil, "", err
	case r.problem != "" || !r.hasData && r.status >= 404:
		return nil, "", p.noGraphQL(op, refused)
	}
	return nil, fmt.Sprintf("the server answers, but introspection is refused: %.300s", firstLine(complaint)), nil
}

// batch is how many types are asked for at once where all at once is too much.
const batch = 20

// introspectByType asks for the names of the types and then for some at a time:
// servers limit the depth and the cost of a query.
func (p *probe) introspectByType(ctx context.Context, op string, u *url.URL, complaint string) (*intro, string, error) {
	f := oldest()
	f.depth = 3
	r, err := p.ask(ctx, op, u, f.splitTop())
	if err != nil {
		return nil, "", err
	}
	top, readErr := readIntro(r.body)
	if !r.hasData || readErr != nil {
		return p.closed(ctx, op, u, r, complaint+"\n"+complaintOf(r))
	}
	var names []string
	for _, t := range top.Types {
		if isName(t.Name) && !strings.HasPrefix(t.Name, "__") {
			names = append(names, t.Name)
		}
	}
	top.Types = nil
	for size := batch; len(names) > 0; {
		size = min(size, len(names))
		r, err := p.ask(ctx, op, u, f.splitTypes(names[:size]))
		if err != nil {
			return nil, "", err
		}
		types, ok := readTypes(r)
		switch {
		case !ok && size > 1:
			size = 1
			continue
		case !ok:
			top.warnings = append(top.warnings, fmt.Sprintf("type %s is missing: %.200s", names[0], firstLine(complaintOf(r))))
		}
		top.Types = append(top.Types, types...)
		names = names[size:]
	}
	top.HasDirectives = false
	return top, "", nil
}

// readTypes reads the answer to splitTypes.
func readTypes(r *reply) (out []introType, ok bool) {
	var body struct{ Data map[string]*introType }
	if !r.hasData || json.Unmarshal(r.body, &body) != nil {
		return nil, false
	}
	for _, key := range sortedKeys(body.Data) {
		if t := body.Data[key]; t != nil {
			out = append(out, *t)
		}
	}
	return out, len(out) > 0
}

// rooted lists what an operation's root type offers, without the fields of
// introspection.
func rooted(s *ast.Schema, kind ast.Operation) (out []*ast.FieldDefinition) {
	root := rootOf(s, kind)
	if root == nil {
		return nil
	}
	for _, f := range root.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			out = append(out, f)
		}
	}
	return out
}
