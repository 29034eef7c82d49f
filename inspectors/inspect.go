// Package inspectors turns the bytes of a record into something people can
// read: an ordered chain, of which the first inspector that recognises the body
// makes the view. What cannot be decoded is shown as it is, with the reason
// beside it.
package inspectors

import (
	"context"
	"errors"
	"strings"

	"iscope/inspectors/emit"
	"iscope/inspectors/safe"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// ErrNotMine is how an inspector says that a body is not of its kind.
var ErrNotMine = errors.New("not of this kind")

// Inspector makes bodies of one kind readable.
type Inspector interface {
	// Name is a word for the kind: "json".
	Name() string
	// Inspect lays a body out. ErrNotMine passes it on in silence; any other
	// error passes it on as well and becomes a Problem of the view. It keeps no
	// reference to the record.
	Inspect(ctx context.Context, r *probes.Record, env Env) (View, error)
}

// Env is what inspectors may use besides the record. The zero value decodes all
// that needs no schema.
type Env struct {
	// Schemas finds the schemas of bodies; nil: none are known. Inspecting
	// blocks for as long as it does, which OpenSchemas says.
	Schemas schema.Finder
	// Limit is how many bytes of a body are laid out; 0 means DefaultLimit. The
	// rest is reached through Hex.
	Limit int

	key bool // the body is the key of a record
}

// DefaultLimit bounds the work for one view: about 20 ms of JSON.
const DefaultLimit = 256 << 10

func (e Env) limit() int {
	if e.Limit > 0 {
		return e.Limit
	}
	return DefaultLimit
}

// View is a body laid out.
type View struct {
	Inspector string // the name of the one that made it
	// Schema names the schema it was decoded by, "" if by none. It comes from
	// outside, as Summary does.
	Schema    string
	Summary   string // one line from outside: not safe to print as it is
	Lines     []Line
	Problems  []Problem
	Truncated bool // Lines show the beginning of the body only
	// Pending says that a schema is being fetched: the same body may make a
	// better view soon.
	Pending bool
}

// Problem is something wrong with a body, or missing to read it.
type Problem struct {
	Message string
	Offset  int // where in the body, in bytes; -1 if it is about all of it
}

// Line is one row of a view.
type Line []Span

// Span is a piece of a line, for colouring.
type Span struct {
	Kind Kind
	Text safe.Text
}

// Kind is what a piece of a line is.
type Kind uint8

const (
	Plain   Kind = iota
	Key          // name of a value
	String       // text value
	Number       // number, exactly as on the wire
	Word         // true, false, null
	Punct        // braces, commas, tags
	Offset       // position in a dump
	Comment      // said by iscope, not by the body
)

// String is the line without its kinds.
func (l Line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.Text.String())
	}
	return b.String()
}

// Chain tries inspectors in order.
type Chain []Inspector

// Default returns the inspectors in the order that recognises most. The last
// takes everything.
func Default() Chain { return append(Chain{empty{}, packed{}}, inside()...) }

// inside is the chain for what was packed.
func inside() Chain { return append(Chain{empty{}, event{}, schemed{}}, unschemed()...) }

// unschemed is the chain for bodies without a schema.
func unschemed() Chain {
	return Chain{labelled{}, document{}, form{}, markup{}, plain{}, guessed{}, dump{}}
}

// Inspect lays a record's body out. There is always a view: where nothing
// recognises the body, its bytes.
func (c Chain) Inspect(ctx context.Context, r *probes.Record, env Env) View {
	var problems []Problem
	if r.Cut > 0 {
		problems = append(problems, Problem{Message: counted(r.Cut, "byte") + " left out when it was read", Offset: len(r.Body)})
	}
	for _, in := range c {
		v, err := in.Inspect(ctx, r, env)
		switch {
		case err == nil:
			if v.Inspector == "" {
				v.Inspector = in.Name()
			}
			v.Problems = append(problems, v.Problems...)
			return v
		case !errors.Is(err, ErrNotMine):
			problems = append(problems, problemOf(err))
		}
	}
	v, _ := dump{}.Inspect(ctx, r, env)
	v.Inspector, v.Problems = dump{}.Name(), append(problems, v.Problems...)
	return v
}

// malformed is a body that says it is of a kind and is not.
type malformed struct {
	kind   string
	offset int
	reason string
}

func (m *malformed) Error() string { return "not " + m.kind + ": " + m.reason }

func problemOf(err error) Problem {
	var m *malformed
	var f *emit.Fault
	switch {
	case errors.As(err, &m):
		return Problem{Message: m.Error(), Offset: m.offset}
	case errors.As(err, &f):
		return Problem{Message: err.Error(), Offset: f.Offset}
	}
	return Problem{Message: err.Error(), Offset: -1}
}

// span makes a piece of a line from outside text.
func span(k Kind, s string) Span { return Span{k, safe.Line(s, safe.Wide)} }

// window is the part of a body that is laid out.
func window(body []byte, env Env) (head []byte, truncated bool) {
	if len(body) > env.limit() {
		return body[:env.limit()], true
	}
	return body, false
}

// contentType returns the value of the content-type header without its
// parameters, in lower case; "" if there is none.
func contentType(r *probes.Record) string {
	v, _ := r.HeaderValue("content-type")
	s, _, _ := strings.Cut(string(v[:min(len(v), 256)]), ";")
	return strings.ToLower(strings.TrimSpace(s))
}
