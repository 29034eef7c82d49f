package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"iscope/probes"
)

// maxSchema is the number of values a schema may have with everything it refers
// to, to be bundled or to be held against a message.
const maxSchema = 20_000

// Schema resolves a reference of Method.Input, Method.Output or Record.Schema,
// which is a JSON pointer into the document, or an operation's name. Text is
// the schema alone; Data also has the components it refers to, in their places,
// so that it can be used without the document.
func (p *probe) Schema(ctx context.Context, ref string) (probes.Schema, error) {
	op := "reading schema " + ref
	doc, err := p.docs.Get(ctx, fresh)
	if err != nil {
		return probes.Schema{}, p.NotHad(op, theDocument, err)
	}
	pointer, isPointer := strings.CutPrefix(ref, "#")
	if c, err := parseCall(ref); !isPointer && err == nil {
		if o := doc.find(c); o != nil {
			pointer = o.pointer
		}
	}
	node, ok := follow(doc.tree, unescapeFragment(pointer))
	if !ok || pointer == "" {
		return probes.Schema{}, p.Fail(op, probes.ErrNotFound, fmt.Errorf("the document has no %q", ref), probes.NearestHint(ref, doc.schemaRefs()))
	}
	text, err := indented(node)
	if err != nil {
		return probes.Schema{}, p.Fail(op, probes.ErrProtocol, err, "")
	}
	s := probes.Schema{Ref: ref, Type: "openapi", Text: text, Data: doc.bundle(node)}
	if doc.since31() {
		s.Type = "jsonschema" // since 3.1 a schema is one
	}
	return s, nil
}

// schemaRefs lists the named schemas, for "did you mean".
func (d *document) schemaRefs() []string {
	named, _ := lookup(d.tree, "/components/schemas")
	m, _ := named.(map[string]any)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, "#/components/schemas/"+escapePointer(name))
	}
	return out
}

// bundle is a schema with the components it refers to. nil if it is too large
// or refers to places that a schema has no room for.
func (d *document) bundle(node any) []byte {
	root, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	refs, _, ok := d.closure(node)
	if !ok {
		return nil
	}
	out := maps.Clone(root)
	components := map[string]any{}
	for _, pointer := range refs {
		parts := strings.Split(pointer, "/")
		if len(parts) != 4 || parts[1] != "components" {
			return nil
		}
		kind, _ := components[parts[2]].(map[string]any)
		if kind == nil {
			kind = map[string]any{}
			components[parts[2]] = kind
		}
		kind[unescapePointer(parts[3])], _ = lookup(d.tree, pointer)
	}
	if len(components) > 0 {
		out["components"] = components
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return b
}

// closure lists the pointers a part refers to, directly or not, and counts the
// values in all of them; false if that is more than maxSchema.
func (d *document) closure(node any) (refs []string, size int, ok bool) {
	seen := map[string]bool{}
	var visit func(any) bool
	visit = func(n any) bool {
		if size++; size > maxSchema {
			return false
		}
		switch n := n.(type) {
		case []any:
			return !slices.ContainsFunc(n, func(v any) bool { return !visit(v) })
		case map[string]any:
			if ref, isRef := n["$ref"].(string); isRef {
				pointer := unescapeFragment(strings.TrimPrefix(ref, "#"))
				target, found := lookup(d.tree, pointer)
				if found && !seen[pointer] {
					seen[pointer] = true
					refs = append(refs, pointer)
					if !visit(target) {
						return false
					}
				}
			}
			for _, v := range n {
				if !visit(v) {
					return false
				}
			}
		}
		return true
	}
	ok = visit(node)
	slices.Sort(refs)
	return refs, size, ok
}

// indented writes a part of the document for people; characters are left as
// they are, the terminal's safety is the screen's business.
func indented(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimRight(b.String(), "\n"), nil
}
