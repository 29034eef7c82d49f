package probes

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Record is one observed unit of traffic. It is immutable once yielded:
// whoever wants to change one works on a copy, and never writes into its
// slices.
//
// Pairs of request and response are a view over Call, not a type: pairs cannot
// hold streams, one-way messages or a call that never answers.
type Record struct {
	// ID is unique within Source and, where the system has one, the system's
	// own name for the record (Kafka: "2/918231" is partition/offset).
	ID string
	// Call groups the request, the response frames and the End of one
	// invocation. Empty for messages that answer nothing.
	Call string
	Kind Kind
	// Source is the configured target and the subject within it.
	Source Ref
	// Time is what the peer says (Kafka record timestamp); zero if it says
	// nothing. Seen is our clock, set by the tap or the invoker.
	Time, Seen time.Time
	// Key and Body are the bytes as on the wire. nil (absent, a Kafka
	// tombstone) and empty differ.
	Key, Body []byte
	// Header is ordered; names may repeat, values are bytes and may be nil.
	Header []Field
	// Attrs carries facts for columns and filters under OpenTelemetry names
	// (see attrs.go), in the driver's order.
	Attrs []Attr
	// Schema is the reference a Schemer of the same target resolves, "" if
	// unknown.
	Schema string
	// Native holds the driver's private facts for a faithful replay. Only the
	// driver that wrote it reads it.
	Native json.RawMessage
	// Cut is the number of bytes left out of Body.
	Cut int64
	// Err is a failure carried by this record: a call's error status, a
	// payload that could not be read. It is not a failure of the tail.
	Err string
}

// Kind says what a Record is.
type Kind uint8

const (
	Message  Kind = iota + 1 // one-way: a broker's message
	Request                  // sent by a caller
	Response                 // one answer, or one frame of a streamed answer
	End                      // the end of a call: status, trailers, timing
	Event                    // a change in the observed system
	Gap                      // records known to be missing; Attrs say how many and why
	Notice                   // something iscope itself has to say in the stream
)

var kindNames = [...]string{"", "message", "request", "response", "end", "event", "gap", "notice"}

func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// MarshalText writes the lower-case name used in JSON output.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText accepts what MarshalText writes.
func (k *Kind) UnmarshalText(b []byte) error {
	for i, n := range kindNames {
		if i > 0 && n == string(b) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("unknown record kind %q", b)
}

// Ref names a subject (topic, method, service) of a configured target.
type Ref struct{ Target, Subject string }

// String is the form users type: target/subject.
func (r Ref) String() string {
	if r.Subject == "" {
		return r.Target
	}
	return r.Target + "/" + r.Subject
}

// ParseRef splits at the first slash, so subjects may contain slashes
// (gRPC methods do) and target names may not.
func ParseRef(s string) Ref {
	t, sub, _ := strings.Cut(s, "/")
	return Ref{Target: t, Subject: sub}
}

// Field is one header. A nil Value is a header without a value, which Kafka
// and AMQP distinguish from an empty one.
type Field struct {
	Name  string
	Value []byte
}

// Attr is one fact about a record or a node.
type Attr struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attr returns the first attribute of that name.
func (r *Record) Attr(name string) (string, bool) { return FindAttr(r.Attrs, name) }

// FindAttr returns the first attribute of that name.
func FindAttr(attrs []Attr, name string) (string, bool) {
	for i := range attrs {
		if attrs[i].Name == name {
			return attrs[i].Value, true
		}
	}
	return "", false
}

// HeaderValue returns the first header of that name, compared without case,
// which suits HTTP and gRPC and does no harm elsewhere.
func (r *Record) HeaderValue(name string) ([]byte, bool) {
	for i := range r.Header {
		if strings.EqualFold(r.Header[i].Name, name) {
			return r.Header[i].Value, true
		}
	}
	return nil, false
}

// recordOverhead estimates the fixed cost of a Record in memory: the struct,
// its slice headers and allocator rounding.
const recordOverhead = 320

// Size estimates the memory the record holds, in bytes. Rings are bounded by
// it.
func (r *Record) Size() int {
	n := recordOverhead + len(r.ID) + len(r.Call) + len(r.Key) + len(r.Body) + len(r.Native) + len(r.Err)
	for i := range r.Header {
		n += 40 + len(r.Header[i].Name) + len(r.Header[i].Value)
	}
	for i := range r.Attrs {
		n += 32 + len(r.Attrs[i].Value)
	}
	return n
}
