package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"iscope/probes"
)

// Answer is what came back of one call, to take values from and to judge.
type Answer struct {
	end    probes.Record
	last   probes.Record
	bodies [][]byte
	size   int
}

// Bounds of what an answer keeps of a stream. The last response is always kept.
const (
	maxBodies    = 10_000
	maxBodyBytes = 64 << 20
)

// Add takes the next record of the call in.
func (a *Answer) Add(r probes.Record) {
	switch r.Kind {
	case probes.Response:
		a.last = r
		if a.size += len(r.Body); len(a.bodies) < maxBodies && a.size <= maxBodyBytes {
			a.bodies = append(a.bodies, r.Body)
		}
	case probes.End:
		a.end = r
	}
}

// Ended reports whether the call was answered to its end.
func (a *Answer) Ended() bool { return a.end.Kind == probes.End }

// Err is the error status the call was answered with, "" for none.
func (a *Answer) Err() string { return a.end.Err }

// Attr is an attribute of the end, else of the last response.
func (a *Answer) Attr(name string) (string, bool) {
	if v, ok := a.end.Attr(name); ok {
		return v, true
	}
	return a.last.Attr(name)
}

// Status is the one word for how it went.
func (a *Answer) Status() string {
	s, _ := a.Attr(probes.AttrStatus)
	return s
}

// Record is the whole answer as one record, for conditions: attributes of the
// end and the last response, headers and trailers, and the body of the last
// response, or the error details where there was none.
func (a *Answer) Record() probes.Record {
	r := a.end
	if r.Kind == 0 {
		r = a.last
		r.Kind = probes.End
	}
	r.Header = slices.Concat(a.last.Header, a.end.Header)
	r.Attrs = slices.Concat(a.end.Attrs, a.last.Attrs)
	if a.last.Kind != 0 {
		r.Body, r.Cut, r.Schema = a.last.Body, a.last.Cut, a.last.Schema
	}
	return r
}

// Lookup returns the value at a path as JSON text. A place that does not exist
// is an error that says what there is instead.
func (a *Answer) Lookup(text string) (json.RawMessage, error) {
	p, err := parsePath(text)
	if err != nil {
		return nil, err
	}
	rec := a.Record()
	steps := p.steps
	var v any
	switch p.root {
	case "body":
		v, err = decoded(rec.Body)
	case "bodies":
		if len(steps) == 0 || !steps[0].isIndex {
			return nil, fmt.Errorf("%w: bodies[0] is the first", errPath)
		}
		i := steps[0].index
		if i < 0 {
			i += len(a.bodies)
		}
		if i < 0 || i >= len(a.bodies) {
			return nil, fmt.Errorf("there are %d answers", len(a.bodies))
		}
		v, err = decoded(a.bodies[i])
		steps = steps[1:]
	default:
		v, steps, err = a.fact(&rec, p.root, steps)
	}
	if err != nil {
		return nil, err
	}
	return descend(v, p.root, steps)
}

// fact is what is no part of a body.
func (a *Answer) fact(rec *probes.Record, root string, steps []step) (v any, rest []step, err error) {
	attr := func(name string) (any, []step, error) {
		s, ok := a.Attr(name)
		if !ok {
			return nil, nil, errors.New("the answer has none")
		}
		if root == "took" || root == "timing" {
			return json.Number(s), nil, nil
		}
		return s, nil, nil
	}
	switch root {
	case "status":
		for _, name := range []string{probes.AttrHTTPStatus, probes.AttrRPCStatus, probes.AttrStatus} {
			if s, ok := a.Attr(name); ok {
				return s, steps, nil
			}
		}
		return nil, nil, errors.New("the answer has no status")
	case "err":
		return rec.Err, steps, nil
	case "raw":
		return string(rec.Body), steps, nil
	case "trace_id":
		return attr(probes.AttrTraceID)
	case "took":
		return attr(probes.TimingTotal)
	}
	if len(steps) != 1 || steps[0].isIndex {
		return nil, nil, fmt.Errorf("%w: %s needs a name", errPath, root)
	}
	name := steps[0].name
	switch root {
	case "timing":
		return attr("iscope.timing." + name)
	case "attrs":
		return attr(name)
	}
	value, ok := rec.HeaderValue(name)
	if !ok {
		return nil, nil, fmt.Errorf("there is no header %s", name)
	}
	return string(value), nil, nil
}

// decoded is a body as a value: JSON, or else its text.
func decoded(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errors.New("the body is empty")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err == nil && !dec.More() {
		return v, nil
	}
	if !utf8.Valid(body) {
		return nil, errors.New("the body is neither JSON nor text")
	}
	return string(body), nil
}

func descend(v any, at string, steps []step) (json.RawMessage, error) {
	for _, s := range steps {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[s.name]
			if s.isIndex || !ok {
				return nil, fmt.Errorf("%s has no %s%s", at, s, members(in))
			}
			v = next
		case []any:
			i := s.index
			if i < 0 {
				i += len(in)
			}
			if !s.isIndex || i < 0 || i >= len(in) {
				return nil, fmt.Errorf("%s is a list of %d, and has no %s", at, len(in), s)
			}
			v = in[i]
		default:
			return nil, fmt.Errorf("%s is no object or list, so it has no %s", at, s)
		}
		at += s.suffix()
	}
	return encodeJSON(v)
}

func encodeJSON(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// quoteJSON makes a JSON string.
func quoteJSON(s string) string {
	b, _ := encodeJSON(s) // a string cannot fail
	return string(b)
}

func (s step) String() string {
	if s.isIndex {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	return s.name
}

func (s step) suffix() string {
	if s.isIndex {
		return s.String()
	}
	return "." + s.name
}

// members lists what an object has instead.
func members(m map[string]any) string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	const few = 8
	switch {
	case len(names) == 0:
		return "; it is empty"
	case len(names) > few:
		return "; it has " + strings.Join(names[:few], ", ") + ", …"
	}
	return "; it has " + strings.Join(names, ", ")
}
