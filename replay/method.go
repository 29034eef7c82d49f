package replay

import (
	"context"
	"errors"
	"strings"

	"iscope/probes"
)

// catalogues knows the methods of the destinations, each asked once.
type catalogues struct{ byConn map[*probes.Conn]*catalogue }

func newCatalogues() *catalogues { return &catalogues{map[*probes.Conn]*catalogue{}} }

type catalogue struct {
	byName    map[string]probes.Method
	templates map[string][]template // of HTTP paths, by verb
}

type template struct {
	segments []string
	method   probes.Method
}

// find returns the method that a recorded subject calls. HTTP takes any path:
// one that the destination does not list is known, but with an unknown effect,
// which counts as a write.
func (c *catalogues) find(ctx context.Context, conn *probes.Conn, subject string) (m probes.Method, known bool, err error) {
	cat, ok := c.byConn[conn]
	if !ok {
		if cat, err = loadCatalogue(ctx, conn); err != nil {
			return m, false, err
		}
		c.byConn[conn] = cat
	}
	if m, ok := cat.byName[subject]; ok {
		return m, true, nil
	}
	verb, path, http := strings.Cut(subject, " ")
	if !http {
		return m, false, nil
	}
	path, _, _ = strings.Cut(path, "?")
	if m, ok := cat.match(verb, path); ok {
		return m, true, nil
	}
	return probes.Method{Name: verb + " " + path, Effect: probes.EffectUnknown}, true, nil
}

// loadCatalogue asks for the methods. A destination that has no list (an HTTP
// API without a contract) is fine; one that does not answer is not.
func loadCatalogue(ctx context.Context, conn *probes.Conn) (*catalogue, error) {
	cat := &catalogue{byName: map[string]probes.Method{}, templates: map[string][]template{}}
	methods, err := conn.Methods(ctx)
	if err != nil {
		if errors.Is(err, probes.ErrNotFound) || errors.Is(err, probes.ErrUnsupported) {
			return cat, nil
		}
		return nil, err
	}
	for _, m := range methods {
		cat.byName[m.Name] = m
		if verb, path, ok := strings.Cut(m.Name, " "); ok {
			cat.templates[verb] = append(cat.templates[verb], template{strings.Split(path, "/"), m})
		}
	}
	return cat, nil
}

// match finds the template with the most literal segments.
func (c *catalogue) match(verb, path string) (best probes.Method, ok bool) {
	segments := strings.Split(path, "/")
	most := -1
	for _, t := range c.templates[verb] {
		if n, fits := t.literals(segments); fits && n > most {
			best, most, ok = t.method, n, true
		}
	}
	return best, ok
}

func (t *template) literals(path []string) (n int, fits bool) {
	if len(path) != len(t.segments) {
		return 0, false
	}
	for i, s := range t.segments {
		switch {
		case s == path[i]:
			n++
		case strings.Contains(s, "{") && path[i] != "":
		default:
			return 0, false
		}
	}
	return n, true
}
