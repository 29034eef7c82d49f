package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// jsonSink prints records as JSON lines, one object each. The field names are
// documented in README.md ("JSON output") and do not change.
//
// It is written by hand because it is the hot path of every headless tail:
// encoding/json would cost more than reading the records from Kafka.
//
// A slow stream shows within flushAfter; a fast one is written in large blocks.
type jsonSink struct {
	tty bool // then control characters inside strings are escaped as well

	mu    sync.Mutex
	w     *bufio.Writer
	buf   []byte
	timer *time.Timer // runs while something is buffered
	armed bool
}

const flushAfter = 30 * time.Millisecond

func newJSONSink(w io.Writer, tty bool) *jsonSink {
	return &jsonSink{w: bufio.NewWriterSize(w, 64<<10), tty: tty}
}

// Write prints one record.
func (s *jsonSink) Write(_ context.Context, r probes.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(appendRecord(s.buf[:0], &r), '\n')
	line := s.buf
	if s.tty {
		line = safe.JSON(line)
	}
	if !s.armed {
		s.arm()
	}
	_, err := s.w.Write(line)
	return err
}

func (s *jsonSink) arm() {
	s.armed = true
	if s.timer == nil {
		s.timer = time.AfterFunc(flushAfter, func() { s.Flush() })
		return
	}
	s.timer.Reset(flushAfter)
}

// Flush writes out what is buffered. An error comes back at the next Write too.
func (s *jsonSink) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	return s.w.Flush()
}

func appendRecord(b []byte, r *probes.Record) []byte {
	b = append(b, `{"kind":"`...)
	b = append(b, r.Kind.String()...)
	b = append(b, '"')
	b = appendMember(b, "id", r.ID)
	b = appendMember(b, "call", r.Call)
	b = append(b, `,"target":`...)
	b = appendString(b, r.Source.Target)
	b = append(b, `,"subject":`...)
	b = appendString(b, r.Source.Subject)
	b = appendTime(b, "time", r.Time)
	b = appendTime(b, "seen", r.Seen)
	b = appendBytes(b, "key", r.Key)
	b = append(b, `,"headers":[`...)
	for i := range r.Header {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":`...)
		b = appendString(b, r.Header[i].Name)
		b = appendBytes(b, "value", r.Header[i].Value)
		b = append(b, '}')
	}
	b = append(b, ']')
	b = appendBytes(b, "value", r.Body)
	if r.Cut > 0 {
		b = append(b, `,"value_cut":`...)
		b = strconv.AppendInt(b, r.Cut, 10)
	}
	b = appendAttrs(b, r.Attrs)
	b = appendMember(b, "schema", r.Schema)
	b = appendMember(b, "error", r.Err)
	return append(b, '}')
}

func appendAttrs(b []byte, attrs []probes.Attr) []byte {
	b = append(b, `,"attributes":{`...)
	for i := range attrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, attrs[i].Name)
		b = append(b, ':')
		b = appendString(b, attrs[i].Value)
	}
	return append(b, '}')
}

// appendMember adds a string member unless it is empty.
func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":"`...)
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// appendBytes adds bytes as a string, with the encoding beside it; null for
// absent ones, which differ from empty ones.
func appendBytes(b []byte, name string, v []byte) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	switch {
	case v == nil:
		return append(b, `":null`...)
	case utf8.Valid(v):
		b = append(b, `":`...)
		b = appendString(b, v)
		b = append(b, `,"`...)
		b = append(b, name...)
		return append(b, `_encoding":"utf8"`...)
	}
	b = append(b, `":"`...)
	b = base64.StdEncoding.AppendEncode(b, v)
	b = append(b, `","`...)
	b = append(b, name...)
	return append(b, `_encoding":"base64"`...)
}

const hexDigits = "0123456789abcdef"

// appendString adds a JSON string (RFC 8259 §7). Invalid UTF-8 in names and
// attributes becomes U+FFFD; values never come here unless they are valid.
func appendString[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			// At most four bytes are looked at, so a long string is not copied.
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
		}
		b = append(b, s[plain:i]...)
		b = appendEscape(b, c)
		i++
		plain = i
	}
	b = append(b, s[plain:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, '\\', 'n')
	case c == '\r':
		return append(b, '\\', 'r')
	case c == '\t':
		return append(b, '\\', 't')
	case c < 0x20:
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(b, "\ufffd"...)
}
