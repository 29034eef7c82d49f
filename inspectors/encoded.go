package inspectors

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"iscope/inspectors/cbor"
	"iscope/inspectors/emit"
	"iscope/inspectors/msgpack"
	"iscope/inspectors/protobuf"
	"iscope/probes"
)

// encoding is a binary form of documents that needs no schema to be read.
type encoding struct {
	name   string
	types  []string // of contents
	suffix string   // of types of contents (RFC 6839)
	looks  func([]byte) bool
	decode func(*emit.Writer, []byte) error
	note   string // what people should know about every such view
}

// encodings are ordered by how sure their recognition is.
var encodings = [...]encoding{
	{name: "cbor", types: []string{"application/cbor"}, suffix: "+cbor", looks: cbor.Looks, decode: cbor.Decode},
	{name: "msgpack", types: []string{"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"}, suffix: "+msgpack",
		looks: msgpack.Looks, decode: msgpack.Decode},
	{name: "protobuf", types: []string{"application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf", "application/grpc", "application/grpc+proto"},
		looks: protobuf.Looks, decode: protobuf.Raw, note: "no schema: fields by number, their types guessed"},
}

// said returns the encoding that the header names. Headers are those of the
// wire: the body beside them may be what a driver has decoded.
func said(r *probes.Record) *encoding {
	if len(r.Header) == 0 || startsJSON(r.Body) || readable(r) {
		return nil
	}
	ct := contentType(r)
	for i := range encodings {
		e := &encodings[i]
		if slices.Contains(e.types, ct) || e.suffix != "" && strings.HasSuffix(ct, e.suffix) {
			return e
		}
	}
	return nil
}

// readable reports whether a driver that knows the schema has made JSON of a
// body.
func readable(r *probes.Record) bool {
	return r.Schema != "" && (startsJSON(r.Body) || json.Valid(r.Body))
}

// recognised returns the encoding that a binary body looks like.
func recognised(body []byte) *encoding {
	for i := range encodings {
		if encodings[i].looks(body) {
			return &encodings[i]
		}
	}
	return nil
}

// labelled shows bodies whose header names a binary encoding.
type labelled struct{}

func (labelled) Name() string { return "binary" }

func (labelled) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	e := said(r)
	if e == nil {
		return View{}, ErrNotMine
	}
	return e.view(r, env)
}

// guessed shows bodies that look like a binary encoding, although nothing says
// so.
type guessed struct{}

func (guessed) Name() string { return "binary" }

func (guessed) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	e := recognised(r.Body)
	if e == nil || r.Cut > 0 {
		return View{}, ErrNotMine
	}
	return e.view(r, env)
}

func (e *encoding) view(r *probes.Record, env Env) (View, error) {
	w := emit.New(env.limit(), true)
	err := e.decode(w, r.Body)
	if err != nil && !partial(r, w, err) {
		return View{}, fault(e.name, 0, err)
	}
	v := layOut(w)
	v.Inspector = e.name
	if e.note != "" {
		v.Problems = append(v.Problems, Problem{Message: e.note, Offset: -1})
	}
	return v, nil
}

// partial reports whether what was decoded is worth showing: the rest is
// missing because it was left out when it was read.
func partial(r *probes.Record, w *emit.Writer, err error) bool {
	f, ok := err.(*emit.Fault)
	return ok && f.Short && r.Cut > 0 && w.Depth() > 0
}

// fault words what is wrong with an encoded body that starts at byte at.
func fault(kind string, at int, err error) error {
	if f, ok := err.(*emit.Fault); ok {
		return &malformed{kind: kind, offset: at + f.Offset, reason: f.Reason}
	}
	return &malformed{kind: kind, offset: at, reason: err.Error()}
}

// layOut makes a view of decoded JSON and its notes.
func layOut(w *emit.Writer) View {
	full := w.Full()
	text := w.Text()
	p := printer{in: text, notes: w.Notes()}
	_ = p.run() // what emit writes is JSON
	return View{Summary: oneLine(text, 4096), Lines: p.lines, Problems: p.problems, Truncated: full}
}
