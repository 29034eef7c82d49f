package graphql

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"iscope/probes"
)

// contract is a schema and what is called by it.
type contract struct {
	schema   *ast.Schema // nil where there is none to be had,
	closed   string      // and why
	source   string      // "introspection", "file shop.graphql"
	warnings []string
	depth    int
	ops      map[string]*operation // by name

	listing sync.Once
	listed  []probes.Method

	printing sync.Once
	sdl      []byte
}

// operation is one root field, or with a nil field a document written by hand.
type operation struct {
	kind  ast.Operation
	field *ast.FieldDefinition
}

func (o *operation) name() string {
	if o.field == nil {
		return string(o.kind)
	}
	return string(o.kind) + " " + o.field.Name
}

func newContract(s *ast.Schema, depth int) *contract {
	c := &contract{schema: s, depth: depth, ops: map[string]*operation{}}
	for _, kind := range kinds() {
		for _, f := range rooted(s, kind) {
			o := &operation{kind, f}
			c.ops[o.name()] = o
		}
	}
	return c
}

// Ages at which the schema is asked for again.
const (
	freshList = 5 * time.Minute
	freshCall = 15 * time.Minute
	freshMiss = 5 * time.Second // when something is not in it
)

// contract returns what is known of the schema, and waits for it if need be.
func (p *probe) contract(ctx context.Context, op string, maxAge time.Duration) (*contract, error) {
	c, err := p.schemas.Get(ctx, maxAge)
	if err == nil {
		return c, nil
	}
	return nil, p.link.NotHad(op, "the schema", err)
}

// Methods lists the root fields, and what can be called by hand. Without a
// schema there is only the latter.
func (p *probe) Methods(ctx context.Context) ([]probes.Method, error) {
	c, err := p.contract(ctx, "listing operations", freshList)
	if err != nil {
		return nil, err
	}
	c.listing.Do(func() {
		for _, name := range sortedKeys(c.ops) {
			c.listed = append(c.listed, c.method(c.ops[name]))
		}
		for _, kind := range kinds() {
			if c.schema == nil || rootOf(c.schema, kind) != nil {
				c.listed = append(c.listed, byHand(kind))
			}
		}
		slices.SortFunc(c.listed, func(a, b probes.Method) int { return strings.Compare(a.Name, b.Name) })
	})
	return c.listed, nil
}

// byHand is the method of a document that a person writes.
func byHand(kind ast.Operation) probes.Method {
	m := probes.Method{Name: string(kind), Group: string(kind), Effect: effectOf(kind), ServerStream: kind == ast.Subscription,
		Doc: "any " + string(kind) + ", written by hand"}
	m.Template = marshal(request{Query: string(kind) + " {\n  __typename\n}", Variables: []byte("{}")})
	return m
}

func effectOf(kind ast.Operation) probes.Effect {
	if kind == ast.Mutation {
		return probes.EffectWrite
	}
	return probes.EffectRead
}

func (c *contract) method(o *operation) probes.Method {
	m := probes.Method{Name: o.name(), Group: string(o.kind), Effect: effectOf(o.kind), ServerStream: o.kind == ast.Subscription,
		Doc: firstLine(o.field.Description), Deprecated: o.field.Directives.ForName("deprecated") != nil,
		Input: rootOf(c.schema, o.kind).Name + "." + o.field.Name, Output: nameOf(o.field.Type)}
	query := c.skeleton(o, c.depth)
	m.Template = marshal(request{Query: query, Variables: c.examples(o), OperationName: o.field.Name})
	return m
}

// firstLine is the first line of a description that says something.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(s)
}

// Method finds what a person typed: a name as listed, the field alone or with its
// root type, or a GraphQL document.
func (p *probe) Method(ctx context.Context, name string) (probes.Method, error) {
	op := "finding " + name
	if isDocument(name) {
		op = "reading the query"
	}
	plan, err := p.find(ctx, op, name)
	if err != nil {
		return probes.Method{}, err
	}
	switch {
	case plan.text != "":
		m := byHand(plan.kind)
		m.Name = name
		return m, nil
	case plan.field == nil:
		m := byHand(plan.kind)
		m.Name = plan.name
		return m, nil
	}
	return plan.contract.method(plan.operation), nil
}

// found is a method that was looked up.
type found struct {
	*operation
	name     string
	text     string    // a document given as the name
	contract *contract // nil if the schema could not be read and is not needed
}

// find looks a method up. Where there is no schema, any root field may exist.
func (p *probe) find(ctx context.Context, op, name string) (*found, error) {
	name = strings.TrimSpace(name)
	if isDocument(name) {
		kind, err := kindOfText(name, "")
		if err != nil {
			return nil, p.link.Fail(op, probes.ErrUsage, err, "nothing was sent")
		}
		return &found{operation: &operation{kind: kind}, name: string(kind), text: name}, nil
	}
	kind, field, _ := strings.Cut(name, " ")
	field = strings.TrimSpace(field)
	if name == "" || isKind(name) {
		if name == "" {
			kind = string(ast.Query)
		}
		return &found{operation: &operation{kind: ast.Operation(kind)}, name: kind}, nil
	}
	for _, age := range []time.Duration{freshCall, freshMiss} {
		c, err := p.contract(ctx, op, age)
		if err != nil {
			return nil, err
		}
		if c.schema == nil {
			if !isKind(kind) || !isName(field) {
				return nil, p.link.Fail(op, probes.ErrNotFound, fmt.Errorf("the schema is not known: %s", c.closed), hintClosed)
			}
			return &found{operation: &operation{kind: ast.Operation(kind)}, name: name, contract: c}, nil
		}
		if o, err := c.lookUp(name); err != nil {
			return nil, p.link.Fail(op, probes.ErrUsage, err, "")
		} else if o != nil {
			return &found{operation: o, name: o.name(), contract: c}, nil
		}
	}
	c, err := p.contract(ctx, op, freshCall)
	if err != nil {
		return nil, err
	}
	return nil, p.link.Fail(op, probes.ErrNotFound, fmt.Errorf("the schema has no %q", name), c.nearest(name))
}

const hintClosed = "set the option schema to a file with the schema, or write the whole document: query '{\"query\": \"{ … }\"}'"

// lookUp finds a name as listed, a field of a root type (Query.orders), or a field
// that only one root type has.
func (c *contract) lookUp(name string) (*operation, error) {
	if o := c.ops[name]; o != nil {
		return o, nil
	}
	if kind, field, ok := strings.Cut(name, " "); ok { // more space than needed
		return c.ops[kind+" "+strings.TrimSpace(field)], nil
	}
	root, field, dotted := strings.Cut(name, ".")
	var found []*operation
	var names []string
	for _, kind := range kinds() {
		if def := rootOf(c.schema, kind); dotted && def != nil && def.Name == root {
			return c.ops[string(kind)+" "+field], nil
		}
		if o := c.ops[string(kind)+" "+name]; o != nil {
			found, names = append(found, o), append(names, o.name())
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("%q is several: %s", name, strings.Join(names, ", "))
}

// nearest words a hint for a name that is not there: what was typed may lack
// the kind, or have the wrong one.
func (c *contract) nearest(name string) string {
	names := sortedKeys(c.ops)
	kind, field, ok := strings.Cut(name, " ")
	if !ok {
		field = name
	}
	var near []string
	for _, o := range names {
		if _, f, _ := strings.Cut(o, " "); strings.EqualFold(f, field) {
			near = append(near, o)
		}
	}
	if len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	byField := map[string]string{}
	var fields []string
	for _, o := range names {
		k, f, _ := strings.Cut(o, " ")
		if !ok || k == kind {
			byField[f] = o
			fields = append(fields, f)
		}
	}
	for _, f := range probes.Nearest(field, fields, 3) {
		near = append(near, byField[f])
	}
	if len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	return probes.NearestHint(name, names)
}

// Contract returns the whole schema as SDL.
func (p *probe) Contract(ctx context.Context) (probes.Schema, error) {
	const op = "reading the contract"
	c, err := p.contract(ctx, op, freshList)
	if err != nil {
		return probes.Schema{}, err
	}
	if c.schema == nil {
		return probes.Schema{}, p.link.Fail(op, probes.ErrNotFound, errors.New(c.closed), "set the option schema to a file with the schema")
	}
	sdl := c.print()
	return probes.Schema{Type: "graphql", Text: string(sdl), Data: sdl}, nil
}

// print writes the schema as SDL, once.
func (c *contract) print() []byte {
	c.printing.Do(func() {
		var b bytes.Buffer
		formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(c.schema)
		c.sdl = b.Bytes()
	})
	return c.sdl
}

// sum tells contracts apart.
func (c *contract) sum() string {
	if c.schema == nil {
		return c.closed
	}
	sum := sha256.Sum256(c.print())
	return string(sum[:])
}
