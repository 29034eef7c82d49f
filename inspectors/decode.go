package inspectors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"iscope/inspectors/emit"
	"iscope/probes"
)

// MaxDecoded bounds, in bytes, what Decode unpacks and writes for one body.
const MaxDecoded = 64 << 20

// ErrUndecoded: nothing is known that would make JSON of the body.
var ErrUndecoded = errors.New("binary, and of no kind that is recognised")

// Decode returns a record's body as JSON text, and the word for what it was:
// "json", "avro", "protobuf", "msgpack", "cbor", "text", "xml", or "empty" with
// no JSON. Text becomes a JSON string. Bodies in JSON are returned as they are,
// without a copy, and not checked: what only starts and ends like a JSON object
// is returned as well, so check it (json.Valid) before it is embedded. The data
// of a CloudEvent in binary mode is its body; an event in structured mode is
// the JSON it is.
//
// A body that cannot be decoded is no JSON, the kind "binary" and the reason.
// JSON beside an error is the beginning of a body, made complete where it was
// not JSON already. It blocks for as long as env.Schemas does.
func Decode(ctx context.Context, r *probes.Record, env Env) (text []byte, kind string, err error) {
	if env.Schemas == nil && r.Cut == 0 && likeJSON(r.Body) && packing(r) == "" && said(r) == nil {
		return r.Body, "json", nil // the hot path of filters
	}
	d := transcoder{env: env, max: MaxDecoded}
	return d.body(ctx, r)
}

// DecodeKey is Decode for a record's key. What a record's headers say is not
// about its key, except for the schema id of the key.
func DecodeKey(ctx context.Context, r *probes.Record, env Env) (text []byte, kind string, err error) {
	env.key = true
	return Decode(ctx, keyOf(r), env)
}

// InspectKey lays a record's key out.
func (c Chain) InspectKey(ctx context.Context, r *probes.Record, env Env) View {
	env.key = true
	return c.Inspect(ctx, keyOf(r), env)
}

// keyOf makes the key of a record a body.
func keyOf(r *probes.Record) *probes.Record {
	k := &probes.Record{Kind: probes.Message, Source: r.Source, Body: r.Key}
	if v, ok := r.HeaderValue(keyHeader); ok {
		k.Header = []probes.Field{{Name: keyHeader, Value: v}}
	}
	if v, ok := r.Attr(probes.AttrDestination); ok {
		k.Attrs = []probes.Attr{{Name: probes.AttrDestination, Value: v}}
	}
	return k
}

// transcoder makes JSON of bodies.
type transcoder struct {
	env Env
	max int // bytes of JSON
}

func (t *transcoder) writer() *emit.Writer { return emit.New(t.max, false) }

func (t *transcoder) body(ctx context.Context, r *probes.Record) (text []byte, kind string, err error) {
	if len(r.Body) == 0 {
		return nil, "empty", nil
	}
	name := packing(r)
	if name == "" {
		return t.plain(ctx, r)
	}
	inner, err := unpack(r, name, t.max)
	if inner == nil {
		return nil, "binary", err
	}
	text, kind, inside := t.plain(ctx, inner)
	if len(inner.Body) > t.max {
		err = tooLarge(t.max)
	}
	if err != nil {
		return text, kind, fmt.Errorf("unpacking stopped: %w", err)
	}
	return text, kind, inside
}

func tooLarge(max int) error { return fmt.Errorf("larger than %d bytes", max) }

// plain decodes a body that is not packed.
func (t *transcoder) plain(ctx context.Context, r *probes.Record) (text []byte, kind string, err error) {
	a := attempt{env: t.env, writer: t.writer}
	d, err := a.bySchema(ctx, r)
	switch {
	case err != nil: // it has no schema
		return t.unschemed(r)
	case d.kind == "json":
		return d.payload, d.kind, cutShort(r)
	case d.kind != "":
		return t.text(d.w, r, d.kind)
	}
	why := errors.Join(d.why...)
	if d.at == 0 {
		if text, kind, _ = t.unschemed(r); text != nil {
			return text, kind, nil
		}
	} else if likeJSON(d.payload) && json.Valid(d.payload) {
		return d.payload, "json", nil
	}
	return nil, "binary", why
}

// text returns what was written.
func (t *transcoder) text(w *emit.Writer, r *probes.Record, kind string) ([]byte, string, error) {
	if w.Full() {
		return w.Text(), kind, tooLarge(t.max)
	}
	return w.Text(), kind, cutShort(r)
}

func cutShort(r *probes.Record) error {
	if r.Cut > 0 {
		return fmt.Errorf("%s left out when it was read", counted(r.Cut, "byte"))
	}
	return nil
}

func (t *transcoder) unschemed(r *probes.Record) ([]byte, string, error) {
	e := said(r)
	switch {
	case e != nil:
	case likeJSON(r.Body), r.Cut > 0 && startsJSON(r.Body):
		return r.Body, "json", cutShort(r)
	case notText(r.Body, r.Cut > 0) < 0:
		return t.words(r)
	default:
		e = recognised(r.Body)
	}
	if e == nil {
		return nil, "binary", ErrUndecoded
	}
	w := t.writer()
	if err := e.decode(w, r.Body); err != nil && !partial(r, w, err) {
		return nil, "binary", fault(e.name, 0, err)
	}
	return t.text(w, r, e.name)
}

// words makes a JSON string of text, unless it is JSON itself.
func (t *transcoder) words(r *probes.Record) ([]byte, string, error) {
	trimmed := bytes.TrimLeft(r.Body, " \t\r\n")
	const most = 1 << 10 // of numbers, words and strings that are a whole document
	if len(r.Body) <= most && json.Valid(r.Body) {
		return r.Body, "json", nil
	}
	kind := "text"
	if looksLikeMarkup(trimmed, false) {
		kind = "xml"
	}
	w := t.writer()
	w.String(string(r.Body))
	return t.text(w, r, kind)
}

// startsJSON reports whether b starts like a JSON object or array: text in
// brackets, as in log lines, does not.
func startsJSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) < 2 || b[0] != '{' && b[0] != '[' {
		return false
	}
	next := bytes.TrimLeft(b[1:], " \t\r\n")
	if len(next) == 0 {
		return false
	}
	if b[0] == '{' {
		return next[0] == '"' || next[0] == '}'
	}
	return bytes.IndexByte([]byte(`{["-0123456789tfn]`), next[0]) >= 0
}

// likeJSON reports whether a body is JSON, for objects by its ends alone. Arrays
// are rare, and begin like a log line does: "[2024-01-01] started [ok]".
func likeJSON(b []byte) bool {
	if !startsJSON(b) {
		return false
	}
	end := bytes.TrimRight(b, " \t\r\n")
	if bytes.TrimLeft(b, " \t\r\n")[0] == '{' {
		return end[len(end)-1] == '}'
	}
	return end[len(end)-1] == ']' && json.Valid(b)
}
