package main

import (
	"context"
	"io"
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
	defer s.Unlock()
	at := len(s.buf)
	s.buf = s.line.append(s.buf, &r)
	if s.dec != nil {
		s.buf = append(s.dec.append(ctx, s.buf[:len(s.buf)-1], &r), '}')
	}
	if s.tty {
		s.buf = append(s.buf[:at], safe.JSON(s.buf[at:])...)
	}
	s.buf = append(s.buf, '\n')
	return s.wrote()
}

// lineMaker writes records as JSON objects. It remembers what consecutive records
// share.
type lineMaker struct {
	source     probes.Ref
	head       []byte // `,"target":…,"subject":…` of source
	time, seen clock
	key, value bytesMember
	// Names of headers and attributes by their place.
	headers, attrs [8]quoted
}

func newLineMaker() *lineMaker {
	return &lineMaker{time: clock{name: `,"time":"`}, seen: clock{name: `,"seen":"`}, key: newBytesMember("key"), value: newBytesMember("value")}
}

func appendRecord(b []byte, r *probes.Record) []byte { return newLineMaker().append(b, r) }

func (m *lineMaker) append(b []byte, r *probes.Record) []byte {
	b = append(b, `{"kind":"`...)
	b = append(b, r.Kind.String()...)
	b = append(b, '"')
	b = appendMember(b, "id", r.ID)
	b = appendMember(b, "call", r.Call)
	if m.head == nil || m.source != r.Source {
		m.source = r.Source
		m.head = appendString(append(m.head[:0], `,"target":`...), r.Source.Target)
		m.head = appendString(append(m.head, `,"subject":`...), r.Source.Subject)
	}
	b = append(b, m.head...)
	b = m.time.append(b, r.Time)
	b = m.seen.append(b, r.Seen)
	b = m.key.append(b, r.Key)
	b = append(b, `,"headers":[`...)
	for i := range r.Header {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendName(b, &m.headers, i, r.Header[i].Name)
		b = m.value.append(b, r.Header[i].Value)
		b = append(b, '}')
	}
	b = append(b, ']')
	b = m.value.append(b, r.Body)
	if r.Cut > 0 {
		b = append(b, `,"value_cut":`...)
		b = strconv.AppendInt(b, r.Cut, 10)
	}
	b = append(b, `,"attributes":{`...)
	for i := range r.Attrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendName(b, &m.attrs, i, r.Attrs[i].Name)
		b = appendString(append(b, ':'), r.Attrs[i].Value)
	}
	b = append(b, '}')
	b = appendMember(b, "schema", r.Schema)
	b = appendMember(b, "error", r.Err)
	return append(b, '}')
}

// quoted is a name and its JSON text.
type quoted struct {
	name string
	text []byte
}

// appendName adds the i-th name. Consecutive records mostly have the same ones.
func appendName(b []byte, known *[8]quoted, i int, name string) []byte {
	if i >= len(known) {
		return appendString(b, name)
	}
	q := &known[i]
	if q.text == nil || q.name != name {
		q.name, q.text = name, appendString(q.text[:0], name)
	}
	return append(b, q.text...)
}
