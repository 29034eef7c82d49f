package inspectors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"iscope/inspectors/emit"
	"iscope/inspectors/protobuf"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// schemed shows bodies that have a schema: named by a frame, or assigned to
// their subject.
type schemed struct{}

func (schemed) Name() string { return "schema" }

func (schemed) Inspect(ctx context.Context, r *probes.Record, env Env) (View, error) {
	a := attempt{env: env, check: true, writer: func() *emit.Writer { return emit.New(env.limit(), true) }}
	d, err := a.bySchema(ctx, r)
	if err != nil {
		return View{}, err
	}
	return d.view(ctx, r, env)
}

// decoded is a body read by its schema, or the reason why it is not.
type decoded struct {
	w       *emit.Writer // nil: not decoded, or JSON as it is
	kind    string       // "avro", "protobuf", "json"
	name    string       // of the schema, for people
	payload []byte       // JSON as it is; or what is behind the frame of a body that is not decoded
	at      int          // of payload in the body
	why     []error      // nothing could be decoded, and why
	faults  []string     // violations of the schema
	pending bool
}

// attempt is how bodies are to be decoded.
type attempt struct {
	env    Env
	check  bool                // JSON against its schema, too
	writer func() *emit.Writer // asked for one for each try
}

// bySchema decodes a body by its schema. ErrNotMine says that it has none.
func (a *attempt) bySchema(ctx context.Context, r *probes.Record) (*decoded, error) {
	if len(r.Body) == 0 || a.env.Schemas == nil && len(r.Header) == 0 && r.Body[0] != 0 {
		return nil, ErrNotMine
	}
	f, framed := frameOf(r, a.env)
	if a.env.Schemas == nil && !framed {
		return nil, ErrNotMine
	}
	var d decoded
	if framed && a.byFrame(ctx, r, f, &d) {
		return &d, nil
	}
	if a.env.Schemas == nil {
		return &d, nil
	}
	return a.assigned(ctx, r, f, &d)
}

// byFrame decodes a body by the schema that its frame names, or keeps the
// reason why it cannot.
func (a *attempt) byFrame(ctx context.Context, r *probes.Record, f frame, d *decoded) bool {
	found, err := schema.Found{}, schema.ErrNone
	if a.env.Schemas != nil {
		found, err = a.env.Schemas.Find(ctx, f.query(r, a.env))
	}
	switch {
	case err == nil:
		if err = a.decode(r, f, found, d); err == nil {
			return true
		}
		err = fmt.Errorf("not %s: %w", describe(found, nil, nil), err)
	case errors.Is(err, schema.ErrNone):
		err = f.named(errors.New("no registry configured"))
	default:
		d.pending = errors.Is(err, schema.ErrPending)
		err = f.named(err)
	}
	d.why, d.payload, d.at = append(d.why, err), r.Body[f.size:], f.size
	return false
}

// assigned decodes a body by the schema its subject has. A body with a frame
// may be the payload alone, or all of it, where the frame was chance.
func (a *attempt) assigned(ctx context.Context, r *probes.Record, f frame, d *decoded) (*decoded, error) {
	framed := len(d.why) > 0
	if !framed && readable(r) {
		return nil, ErrNotMine
	}
	found, err := a.env.Schemas.Find(ctx, frame{}.query(r, a.env))
	switch {
	case errors.Is(err, schema.ErrNone) && !framed:
		return nil, ErrNotMine
	case errors.Is(err, schema.ErrNone):
		return d, nil
	case err != nil:
		d.pending = d.pending || errors.Is(err, schema.ErrPending)
		d.why = append(d.why, err)
		return d, nil
	}
	var whole, inner decoded
	if err = a.decode(r, frame{}, found, &whole); err == nil {
		return &whole, nil
	}
	if framed && a.decode(r, f, found, &inner) == nil {
		inner.why = d.why
		return &inner, nil
	}
	d.why = append(d.why, fmt.Errorf("not %s: %w", describe(found, nil, nil), err))
	return d, nil
}

// named says in front of a reason which schema it is about.
func (f frame) named(err error) error {
	var e *probes.Error
	if errors.As(err, &e) && errors.Is(err, probes.ErrNotFound) {
		return err // which says so itself
	}
	if f.id != 0 {
		return fmt.Errorf("schema id %d, %w", f.id, err)
	}
	return fmt.Errorf("schema %s, %w", emit.UUID(f.guid[:]), err)
}

func describe(found schema.Found, path []int, payload []byte) string {
	parts := []string{found.Type.String()}
	if name := found.MessageName(path, payload); name != "" {
		parts = append(parts, name)
	}
	return strings.Join(parts, " ") + ", " + found.From
}

// decode reads a payload into d. Its error is about the payload, which d then
// does not hold.
func (a *attempt) decode(r *probes.Record, f frame, found schema.Found, d *decoded) error {
	at, path, err := f.payload(r, found.Type)
	if err != nil {
		return err
	}
	payload := r.Body[at:]
	kind, name := found.Type.String(), describe(found, path, payload)
	if found.Type == schema.JSON {
		if r.Cut == 0 && !a.isJSON(payload) {
			return &emit.Fault{Offset: at, Reason: "the payload is not JSON"}
		}
		d.kind, d.name, d.payload, d.at = kind, name, payload, at
		if a.check && r.Cut == 0 {
			d.faults = found.Check(payload)
		}
		return nil
	}
	w := a.writer()
	if err := found.Decode(w, payload, path); err != nil && !partial(r, w, err) {
		if fa, ok := err.(*emit.Fault); ok {
			return &emit.Fault{Offset: at + fa.Offset, Reason: fa.Reason, Short: fa.Short}
		}
		return err
	}
	d.w, d.kind, d.name = w, kind, name
	return nil
}

// isJSON looks no closer than at the ends of an object where it is not going to
// be checked.
func (a *attempt) isJSON(b []byte) bool { return !a.check && likeJSON(b) || json.Valid(b) }

// payload is where the payload starts, and of Protobuf which message it is.
func (f frame) payload(r *probes.Record, typ schema.Type) (at int, path []int, err error) {
	if framed := f.id != 0 || f.guid != [16]byte{}; !framed || typ != schema.Protobuf {
		return f.size, nil, nil
	}
	in := f.path
	if f.size > 0 {
		in = r.Body[f.size:]
	}
	path, n, ok := messagePath(in)
	if !ok {
		return 0, nil, &emit.Fault{Offset: f.size, Reason: "no message index behind the schema id"}
	}
	if f.size > 0 {
		return f.size + n, path, nil
	}
	return 0, path, nil
}

// view lays out what was decoded; the bytes, where nothing was.
func (d *decoded) view(ctx context.Context, r *probes.Record, env Env) (v View, err error) {
	switch {
	case d.w != nil:
		v = layOut(d.w)
	case d.kind == "json":
		inner := *r
		inner.Body, inner.Header = d.payload, nil
		if v, err = (document{}).Inspect(ctx, &inner, env); err != nil {
			return View{}, err
		}
		v.shift(d.at)
	default:
		v = d.undecoded(ctx, r, env)
	}
	if d.kind != "" {
		v.Inspector = d.kind
	}
	v.Schema, v.Pending = d.name, d.pending
	var problems []Problem
	for _, why := range d.why {
		p := problemOf(why)
		if p.Offset < 0 && d.at > 0 {
			p.Offset = 0 // it is the frame that asks for the schema
		}
		problems = append(problems, p)
	}
	for _, fault := range d.faults {
		problems = append(problems, Problem{Message: fault, Offset: -1})
	}
	v.Problems = append(problems, v.Problems...)
	return v, nil
}

// undecoded shows a body without its schema: JSON behind a frame can be read
// all the same, Protobuf by its field numbers; else the bytes.
func (d *decoded) undecoded(ctx context.Context, r *probes.Record, env Env) View {
	inner := *r
	inner.Body = d.payload
	if d.at > 0 {
		if v, err := (document{}).Inspect(ctx, &inner, env); err == nil {
			v.Inspector = document{}.Name()
			v.shift(d.at)
			return v
		}
		if _, n, ok := messagePath(d.payload); ok && protobuf.Looks(d.payload[n:]) {
			inner.Body = d.payload[n:]
			e := &encodings[len(encodings)-1]
			if v, err := e.view(&inner, env); err == nil {
				v.shift(d.at + n)
				return v
			}
		}
		v, _ := dump{}.Inspect(ctx, r, env)
		v.Inspector = dump{}.Name()
		return v
	}
	return unschemed().Inspect(ctx, r, env)
}

// shift makes problems point into the body rather than the payload.
func (v *View) shift(by int) {
	for i := range v.Problems {
		if v.Problems[i].Offset >= 0 {
			v.Problems[i].Offset += by
		}
	}
}
