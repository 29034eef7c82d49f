package main

import (
	"context"
	"io"
	"slices"
	"strconv"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// jsonSink prints records as JSON lines, one object each. The field names are
// documented in README.md ("JSON output") and do not change.
//
// It is written by hand because it is the hot path of every headless tail:
// encoding/json would cost more than reading the records from Kafka.
type jsonSink struct {
	*blockOut
	tty  bool      // then control characters inside strings are escaped as well
	dec  *decoding // adds the decoded value; nil: not asked for
	line *lineMaker
}

func newJSONSink(w io.Writer, tty bool) *jsonSink {
	return &jsonSink{blockOut: newBlockOut(w), tty: tty, line: newLineMaker()}
}

// Borrows says that nothing of a record is kept, unless a decoder sees it.
func (s *jsonSink) Borrows() bool { return s.dec == nil }

// Write prints one record.
func (s *jsonSink) Write(ctx context.Context, r probes.Record) error {
	s.Lock()
	at := len(s.buf)
	if n := len(r.Body); n > blockBytes { // at once, with some room for escapes
		s.buf = slices.Grow(s.buf, n+n/4)
	}
	s.buf = s.line.append(s.buf, &r)
	if s.dec != nil {
		s.buf = append(s.dec.append(ctx, s.buf[:len(s.buf)-1], &r), '}')
	}
	if s.tty {
		s.buf = append(s.buf[:at], safe.JSON(s.buf[at:])...)
	}
	s.buf = append(s.buf, '\n')
	err := s.wrote()
	s.Unlock()
	return err
}

// lineMaker writes records as JSON objects. It remembers what consecutive records
// share.
type lineMaker struct {
	// where is `,"target":…,"subject":…,"time":…,"seen":…` of the record before.
	where      []byte
	source     probes.Ref
	time, seen clock
	key, value bytesMember
	// Names of headers and attributes by their place.
	headers, attrs [8]quoted
}

func newLineMaker() *lineMaker {
	return &lineMaker{time: clock{name: `,"time":"`}, seen: clock{name: `,"seen":"`}, key: newBytesMember("key"), value: newBytesMember("value"),
		headers: newQuoted(`{"name":`, ""), attrs: newQuoted("", ":")}
}

func newQuoted(before, after string) (all [8]quoted) {
	for i := range all {
		all[i].before, all[i].after = before, after
	}
	return all
}

func appendRecord(b []byte, r *probes.Record) []byte { return newLineMaker().append(b, r) }

func (m *lineMaker) append(b []byte, r *probes.Record) []byte {
	if r.Kind == probes.Message {
		b = append(b, `{"kind":"message"`...)
	} else {
		b = append(append(append(b, `{"kind":"`...), r.Kind.String()...), '"')
	}
	b = appendKnown(b, `,"id":`, r.ID)
	b = appendKnown(b, `,"call":`, r.Call)
	b = append(b, m.placed(r)...)
	b = m.key.append(b, r.Key)
	b = m.appendHeaders(b, r.Header)
	b = m.value.append(b, r.Body)
	if r.Cut > 0 {
		b = append(b, `,"value_cut":`...)
		b = strconv.AppendInt(b, r.Cut, 10)
	}
	b = m.appendAttrs(b, r)
	b = appendKnown(b, `,"schema":`, r.Schema)
	b = appendKnown(b, `,"error":`, r.Err)
	return append(b, '}')
}

func (m *lineMaker) appendAttrs(b []byte, r *probes.Record) []byte {
	b = append(b, `,"attributes":{`...)
	start := len(b)
	for i := range r.Attrs {
		list := r.Kind != probes.Message && manyValued(r.Attrs[i].Name)
		if list && i != slices.IndexFunc(r.Attrs, func(a probes.Attr) bool { return a.Name == r.Attrs[i].Name }) {
			continue // it is in the list of the first
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = appendName(b, &m.attrs, i, r.Attrs[i].Name)
		if list {
			b = appendValues(b, r.Attrs, r.Attrs[i].Name)
			continue
		}
		b = appendString(b, r.Attrs[i].Value)
	}
	return append(b, '}')
}

// manyValued names the attributes that a record may have several of. They are
// always lists, one or many: a member given twice is lost on most readers.
func manyValued(name string) bool { return name == probes.AttrViolation || name == probes.AttrPath }

func appendValues(b []byte, attrs []probes.Attr, name string) []byte {
	b = append(b, '[')
	for _, a := range attrs {
		if a.Name != name {
			continue
		}
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
		b = appendString(b, a.Value)
	}
	return append(b, ']')
}

// placed returns where and when the record was seen, as members.
func (m *lineMaker) placed(r *probes.Record) []byte {
	if m.where != nil && m.time.last == r.Time && m.seen.last == r.Seen && m.source == r.Source {
		return m.where
	}
	m.source = r.Source
	b := appendString(append(m.where[:0], `,"target":`...), r.Source.Target)
	b = appendString(append(b, `,"subject":`...), r.Source.Subject)
	m.where = m.seen.append(m.time.append(b, r.Time), r.Seen)
	return m.where
}

func (m *lineMaker) appendHeaders(b []byte, fields []probes.Field) []byte {
	if len(fields) == 0 {
		return append(b, `,"headers":[]`...)
	}
	b = append(b, `,"headers":[`...)
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = m.value.append(appendName(b, &m.headers, i, fields[i].Name), fields[i].Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

// quoted is a name as JSON, with what comes before and after it.
type quoted struct {
	before, after, name string
	text                []byte
}

// appendName adds the i-th name. Consecutive records mostly have the same ones.
func appendName(b []byte, known *[8]quoted, i int, name string) []byte {
	if i >= len(known) {
		return append(appendString(append(b, known[0].before...), name), known[0].after...)
	}
	q := &known[i]
	if q.text == nil || q.name != name {
		q.name, q.text = name, append(appendString(append(q.text[:0], q.before...), name), q.after...)
	}
	return append(b, q.text...)
}
