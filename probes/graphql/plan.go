package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"iscope/probes"
)

// plan is a call that is ready to be made.
type plan struct {
	kind       ast.Operation
	subject    string // the method
	name       string // of the operation within the document
	body       []byte // as sent
	input      string // schemas of the request and the answer
	output     string
	violations []string
}

// plan reads what is to be sent and holds it against the schema. Nothing has been
// sent when it fails.
func (p *probe) plan(ctx context.Context, in probes.Invocation) (*plan, error) {
	op := opOf(in.Method)
	m, err := p.find(ctx, op, in.Method)
	if err != nil {
		return nil, err
	}
	usage := func(err error, hint string) error { return p.link.Fail(op, probes.ErrUsage, err, hint) }
	if len(in.Params) > 0 {
		return nil, usage(fmt.Errorf("GraphQL has no parameter %q beside the document", in.Params[0].Name),
			"give variables in the document: -d '{\""+in.Params[0].Name+"\": …}'")
	}
	text, err := oneDocument(ctx, in.Next)
	if err != nil {
		return nil, p.badDocument(op, err)
	}
	var args []string
	if m.field != nil {
		for _, a := range m.field.Arguments {
			args = append(args, a.Name)
		}
	}
	r, err := readDocument(text, args)
	if err != nil {
		return nil, usage(err, "nothing was sent")
	}
	if err := p.complete(m, r); err != nil {
		return nil, usage(err, hintDocument)
	}
	return p.judged(ctx, op, in, m, r)
}

const hintDocument = "write it as query '{\"query\": \"{ orders { id } }\"}', or name a root field"

// badDocument dresses what went wrong while the document was being read.
func (p *probe) badDocument(op string, err error) error {
	var known *probes.Error
	if errors.As(err, &known) {
		return err
	}
	kind := probes.ErrUsage
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		kind = probes.KindOfCause(err)
	}
	return p.link.Fail(op, kind, err, "")
}

// complete fills in the query that a document leaves out.
func (p *probe) complete(m *found, r *request) error {
	switch {
	case m.text != "" && r.Query != "":
		return errors.New("there is a query both as the method and in the document")
	case m.text != "":
		r.Query = m.text
	case r.Query != "":
	case m.field == nil:
		if m.contract != nil {
			return fmt.Errorf("there is no query in the document, and none can be made: %s", m.contract.closed)
		}
		return errors.New("there is no query in the document")
	default:
		depth := p.depth
		if r.depth > 0 {
			depth = r.depth
		}
		r.Query, r.made = m.contract.skeleton(m.operation, depth), true
		if r.OperationName == "" {
			r.OperationName = m.field.Name
		}
	}
	return nil
}

// judged holds a request against the kind of its method and against the schema.
func (p *probe) judged(ctx context.Context, op string, in probes.Invocation, m *found, r *request) (*plan, error) {
	usage := func(err error, hint string) error { return p.link.Fail(op, probes.ErrUsage, err, hint) }
	out := &plan{kind: m.kind, subject: m.name, name: r.OperationName, body: marshal(r)}
	if m.field != nil {
		out.input, out.output = rootOf(m.contract.schema, m.kind).Name+"."+m.field.Name, nameOf(m.field.Type)
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: r.Query})
	if err != nil {
		// What cannot be read may write: only a method that writes sends it.
		if !in.Force || m.kind != ast.Mutation {
			return nil, usage(queryError(err), "nothing was sent")
		}
		out.violations = []string{queryError(err).Error()}
		return out, nil
	}
	kind, err := kindOfDocument(doc, r.OperationName)
	if err != nil {
		return nil, usage(err, "nothing was sent")
	}
	if kind != m.kind {
		return nil, usage(fmt.Errorf("the document is a %s, called as a %s", kind, m.kind), "call it as: "+string(kind))
	}
	if o := doc.Operations.ForName(r.OperationName); o != nil && out.name == "" {
		out.name = o.Name
		if first := rootField(o); out.name == "" && first != "" {
			out.name = first
		}
	}
	if out.violations = p.violations(ctx, op, doc, r); len(out.violations) > 0 && !in.Force {
		return nil, usage(errors.New(summed(out.violations)), "nothing was sent; --force sends it all the same")
	}
	return out, nil
}

// rootField is the name of an operation's first field.
func rootField(o *ast.OperationDefinition) string {
	if len(o.SelectionSet) > 0 {
		if f, ok := o.SelectionSet[0].(*ast.Field); ok {
			return f.Name
		}
	}
	return ""
}

// violations judges by the schema, if there is one. A schema that was read some
// time ago is read again before something is said to be unknown.
func (p *probe) violations(ctx context.Context, op string, doc *ast.QueryDocument, r *request) (out []string) {
	for _, age := range []time.Duration{freshCall, freshMiss} {
		c, err := p.contract(ctx, op, age)
		if err != nil || c.schema == nil {
			return nil // without a schema the server judges
		}
		if out = violations(c.schema, doc, r); !isStale(out) {
			break
		}
		// The rules leave marks of the schema in the document.
		if doc, err = parser.ParseQuery(&ast.Source{Input: r.Query}); err != nil {
			break
		}
	}
	return out
}

// opOf words a call for errors; a document is cut short.
func opOf(method string) string {
	method = strings.Join(strings.Fields(method), " ")
	if method == "" {
		method = "query"
	}
	if r := []rune(method); len(r) > 40 {
		method = string(r[:40]) + "…"
	}
	return "calling " + method
}

// payload is the request as an object, for protocols that wrap it.
func (pl *plan) payload() json.RawMessage { return json.RawMessage(bytes.TrimSpace(pl.body)) }
