package inspectors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"iscope/inspectors/emit"
	"iscope/inspectors/safe"
	"iscope/probes"
)

// event shows CloudEvents (https://github.com/cloudevents/spec, version 1.0.2):
// in binary mode the envelope from the headers and then the data; in structured
// mode the document, and then the data where it is inside a string.
type event struct{}

func (event) Name() string { return "cloudevents" }

func (event) Inspect(ctx context.Context, r *probes.Record, env Env) (View, error) {
	if env.key {
		return View{}, ErrNotMine
	}
	if attrs := envelope(r); attrs != nil {
		return inHeaders(ctx, r, env, attrs), nil
	}
	if !maybeEvent(r) {
		return View{}, ErrNotMine
	}
	v, err := document{}.Inspect(ctx, r, env)
	if err != nil {
		return View{}, err
	}
	var ev structured
	if json.Unmarshal(r.Body, &ev) == nil && ev.SpecVersion != "" && ev.ID != "" && ev.Source != "" && ev.Type != "" {
		v.Inspector = "cloudevents+json"
		ev.add(ctx, &v, env)
		return v, nil
	}
	if contentType(r) != "application/cloudevents+json" || r.Cut > 0 {
		return View{}, ErrNotMine
	}
	return View{}, errNotEvent
}

var errNotEvent = errors.New("not a CloudEvent: specversion, id, source and type are required")

// prefixes of headers that hold an event's attributes, by protocol binding:
// Kafka; HTTP; AMQP, twice.
var eventPrefixes = [...]string{"ce_", "ce-", "cloudevents:", "cloudevents_"}

// envelope returns the attributes of an event in binary mode, nil if r is none.
func envelope(r *probes.Record) (attrs []probes.Field) {
	prefix := ""
	for i := range r.Header {
		name := r.Header[i].Name
		for _, p := range eventPrefixes {
			if len(name) == len(p)+len("specversion") && strings.EqualFold(name, p+"specversion") {
				prefix = p
			}
		}
	}
	if prefix == "" {
		return nil
	}
	for i := range r.Header {
		if name := r.Header[i].Name; len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			attrs = append(attrs, probes.Field{Name: strings.ToLower(name[len(prefix):]), Value: r.Header[i].Value})
		}
	}
	return attrs
}

func inHeaders(ctx context.Context, r *probes.Record, env Env, attrs []probes.Field) View {
	w := emit.New(env.limit(), false)
	w.Open('{')
	for _, a := range attrs {
		w.Key(a.Name)
		w.String(string(a.Value))
	}
	w.Close()
	head := layOut(w)
	v := append(Chain{empty{}, schemed{}}, unschemed()...).Inspect(ctx, r, env)
	v.Lines = append(append(head.Lines, Line{{Comment, safe.Line("data: "+v.Inspector, safe.Wide)}}), v.Lines...)
	v.Inspector = "cloudevents+" + v.Inspector
	v.Problems = append(head.Problems, v.Problems...)
	v.Truncated = v.Truncated || head.Truncated
	return v
}

// maybeEvent reports cheaply whether a body may be a structured event.
func maybeEvent(r *probes.Record) bool {
	if contentType(r) == "application/cloudevents+json" {
		return true
	}
	trimmed := bytes.TrimLeft(r.Body[:min(len(r.Body), 256)], " \t\r\n")
	const most = 4 << 20 // bytes that are parsed on suspicion
	return len(trimmed) > 0 && trimmed[0] == '{' && len(r.Body) <= most && bytes.Contains(r.Body, []byte(`"specversion"`))
}

// structured is an event in JSON.
type structured struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	ContentType string          `json:"datacontenttype"`
	Data        json.RawMessage `json:"data"`
	Base64      []byte          `json:"data_base64"`
}

// add lays out data that the document holds in a string: base64, or text that
// is no JSON.
func (e *structured) add(ctx context.Context, v *View, env Env) {
	data := e.Base64
	if len(data) == 0 {
		ct, _, _ := strings.Cut(strings.ToLower(e.ContentType), ";")
		var text string
		if isJSONType(strings.TrimSpace(ct)) || json.Unmarshal(e.Data, &text) != nil {
			return
		}
		data = []byte(text)
	}
	inner := &probes.Record{Kind: probes.Message, Body: data}
	if e.ContentType != "" {
		inner.Header = []probes.Field{{Name: "content-type", Value: []byte(e.ContentType)}}
	}
	in := append(Chain{empty{}, packed{}, schemed{}}, unschemed()...).Inspect(ctx, inner, env)
	v.Lines = append(append(v.Lines, Line{{Comment, safe.Line("data: "+in.Inspector, safe.Wide)}}), in.Lines...)
	v.Truncated = v.Truncated || in.Truncated
	for _, p := range in.Problems {
		v.Problems = append(v.Problems, Problem{Message: "data: " + p.Message, Offset: -1})
	}
}

// isJSONType also takes no type at all, which means JSON in a structured event.
func isJSONType(ct string) bool {
	return ct == "" || ct == "application/json" || ct == "text/json" || strings.HasSuffix(ct, "+json")
}
