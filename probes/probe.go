package probes

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Probe is one open connection to one target. Drivers may connect lazily.
//
// Every method of a Probe and of its abilities is safe for concurrent use,
// returns soon after its context ends, and reports failures as *Error.
//
// The other interfaces here are optional: a driver's probe implements those its
// system has. They are reached only through Conn, which also refuses writes.
type Probe interface {
	// Check proves that the target answers and accepts the credentials, with
	// as little effect as possible. It blocks until it knows.
	Check(ctx context.Context) error
	// Close releases connections and waits for the probe's goroutines.
	Close() error
}

// Addresser knows where its probe connects, for a check step by step.
type Addresser interface {
	// Addresses are what the probe dials first, with the ports it would assume:
	// host:port, or unix:PATH. It reads configuration at most.
	Addresses(ctx context.Context) ([]string, error)
}

// Discoverer reports what exists and who talks to whom.
type Discoverer interface {
	// Discover yields a Snapshot per round. Without Watch it ends after one
	// round (a driver with several sources may yield one Snapshot each). With
	// Watch it yields again when something changed, until ctx ends. A non-nil
	// error ends the sequence and comes with a zero Snapshot.
	Discover(ctx context.Context, q DiscoverQuery) iter.Seq2[Snapshot, error]
}

// Tailer reads a stream without touching it: no group, no commit, no
// acknowledgement of another's message, nothing created.
type Tailer interface {
	// Tail yields records in the order of the source (several partitions are
	// merged as they arrive). Pulling slowly slows the source down; nothing is
	// dropped on the way. Breaking out of the loop releases everything.
	//
	// A non-nil error ends the sequence. If it is Transient, its Resume field
	// holds the position reached, and Tail with that Resume goes on without
	// loss where the system allows it. Drivers do not reconnect: tap does.
	Tail(ctx context.Context, q TailQuery) iter.Seq2[Record, error]
}

// Publisher writes one message.
type Publisher interface {
	// Publish blocks until the system has confirmed the record, and returns it
	// as stored: with the partition, offset or id it was given. The destination
	// is r.Source.Subject. It never creates the destination.
	Publish(ctx context.Context, r Record) (Record, error)
}

// Invoker calls methods found by reflection.
type Invoker interface {
	// Methods lists what can be called, sorted by name. It may be cached.
	Methods(ctx context.Context) ([]Method, error)
	// Invoke performs one call. It yields a Request for every message sent, a
	// Response for every message received and at last one End with status,
	// trailers and timing, all sharing Call. A call that the peer answered with
	// an error status is a result: an End whose Err is set. A Go error means
	// that the call could not be attempted or was cut off.
	Invoke(ctx context.Context, in Invocation) iter.Seq2[Record, error]
}

// MethodFinder looks one method up without listing all. An Invoker that has to
// ask for each service should have it.
type MethodFinder interface {
	// Method finds what a person typed. An unknown name is an ErrNotFound with
	// the nearest names.
	Method(ctx context.Context, name string) (Method, error)
}

// Schemer resolves the reference in Record.Schema, Method.Input or
// Method.Output.
type Schemer interface {
	Schema(ctx context.Context, ref string) (Schema, error)
}

// Method is something that can be called.
type Method struct {
	Name   string // "shop.orders.v1.Orders/GetOrder", "GET /orders/{id}"
	Group  string // service or tag it is listed under
	Doc    string // one line of the contract's own documentation
	Effect Effect
	// ClientStream and ServerStream tell the four kinds of gRPC call apart.
	ClientStream, ServerStream bool
	Deprecated                 bool
	// Input and Output name the messages' schemas, "" if there is none.
	Input, Output string
	// Params are the values that are not part of the body (HTTP path, query
	// and header parameters).
	Params []Param
	// Template is a request document (JSON) with every field at its example or
	// zero value, ready to be edited. nil if the method takes no body.
	Template json.RawMessage
}

// Effect says whether a call may change something.
type Effect uint8

const (
	EffectUnknown Effect = iota // treated as a write
	EffectRead                  // declared or named so
	EffectWrite
)

func (e Effect) String() string { return [...]string{"unknown", "read", "write"}[e] }

// MarshalText writes the name used in JSON output.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Param is one parameter outside the body.
type Param struct {
	Name     string `json:"name"`
	In       string `json:"in"` // "path", "query", "header", "cookie"
	Type     string `json:"type,omitempty"`
	Required bool   `json:"required,omitempty"`
	Doc      string `json:"doc,omitempty"`
	Example  string `json:"example,omitempty"`
}

// Invocation is one call to make.
type Invocation struct {
	Method string  // as in Method.Name; HTTP also takes "GET /any/path?q=1"
	Header []Field // metadata, headers
	Params []Attr  // values for Method.Params by name
	// Next supplies request documents (JSON text) until io.EOF. It is called
	// from one goroutine, may block (a person typing), and must return when
	// the call's context ends. nil means no body, or one empty message.
	//
	// A document that starts with WireDocument is not JSON but the message as it
	// goes over the wire, for replaying what a proxy has recorded.
	Next func(ctx context.Context) ([]byte, error)
	// Deadline bounds the whole call; 0 means the target's default.
	Deadline time.Duration
	// MaxBody is the number of bytes kept of each response body; 0 keeps all.
	MaxBody int
	// Compression is the coding of what is sent ("gzip", "deflate", "zstd"); ""
	// sends as it is.
	Compression string
	// Redirects is how many redirects are followed. Each hop is a Request and a
	// Response of its own, followed or not.
	Redirects int
	// Force sends what violates the contract all the same, as far as it can be
	// put on the wire. The violations are then on the Request record
	// (AttrViolation). Without it they are an ErrUsage, and nothing is sent.
	Force bool
}

// WireDocument is the first byte of a document in wire form; the message
// follows. No JSON text starts with it.
const WireDocument = 0x00

// Schema is a contract's text for people and its bytes for machines.
type Schema struct {
	Ref  string
	Type string // "protobuf", "openapi", "jsonschema", "avro", "graphql"
	Text string // as a person would write it
	Data []byte // machine form: FileDescriptorSet, JSON document
}
