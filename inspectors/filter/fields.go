package filter

import (
	"strconv"
	"time"

	"iscope/probes"
)

// typ is what is known of a term when a filter is compiled.
type typ uint8

const (
	tAny typ = iota
	tNil
	tBool
	tNumber
	tText
	tLoose
	tTime
	tDuration
	tList
)

var typNames = [...]string{"anything", "nothing", "true or false", "a number", "text", "text", "a time", "a duration", "a list"}

func (t typ) String() string { return typNames[t] }

// field is a name of the language.
type field struct {
	name   string
	typ    typ
	doc    string
	get    func(*state) value
	values []string // if it has no others
	// attrs makes it short for an attribute: the first of these that is there.
	attrs []string
	as    func(string) value
}

// recordFields are the names that records have.
func recordFields() []field {
	own := func(name string, t typ, doc string, get func(*state) value) field {
		return field{name: name, typ: t, doc: doc, get: get}
	}
	kind := own("kind", tText, "", func(st *state) value { return textValue(st.rec.Kind.String()) })
	for k := probes.Message; k <= probes.Notice; k++ {
		kind.values = append(kind.values, k.String())
	}
	kind.doc = "message, request, response, end, event, gap, notice"
	return append([]field{
		kind,
		own("target", tText, "configured name of the target", func(st *state) value { return textValue(st.rec.Source.Target) }),
		own("subject", tText, "topic, method or service within the target", func(st *state) value { return textValue(st.rec.Source.Subject) }),
		own("key", tLoose, "key of a message", func(st *state) value { return bytesValue(st.rec.Key, looseK) }),
		own("id", tLoose, "the record's own name; Kafka: partition/offset", func(st *state) value { return orNil(looseK, st.rec.ID) }),
		own("call", tText, "what belongs to one call shares it", func(st *state) value { return orNil(textK, st.rec.Call) }),
		own("time", tTime, "the peer's clock", func(st *state) value { return timeValue(st.rec.Time) }),
		own("seen", tTime, "our clock", func(st *state) value { return timeValue(st.rec.Seen) }),
		own("size", tNumber, "bytes of the body", func(st *state) value { return intValue(int64(len(st.rec.Body)) + st.rec.Cut) }),
		own("cut", tNumber, "bytes of the body that were not kept", func(st *state) value { return intValue(st.rec.Cut) }),
		own("err", tText, "the failure a record carries", func(st *state) value { return orNil(textK, st.rec.Err) }),
		own("schema", tText, "name of the body's contract", func(st *state) value { return orNil(textK, st.rec.Schema) }),
		own("raw", tText, "the bytes of the body as text", rawBody),
	}, shortAttrs()...)
}

func rawBody(st *state) value {
	st.charge(len(st.rec.Body) / searching)
	v := bytesValue(st.rec.Body, textK)
	if v.part = st.rec.Cut > 0; v.part && v.kind == nilK {
		v.kind = textK
	}
	return v
}

func orNil(k kind, s string) value {
	if s == "" {
		return value{}
	}
	return value{kind: k, s: s}
}

// shortAttrs are short names for attributes.
func shortAttrs() []field {
	short := func(name, doc string, attrs ...string) field {
		return field{name: name, typ: tLoose, doc: doc, attrs: attrs, as: looseValue}
	}
	millis := func(name, doc, attr string) field {
		return field{name: name, typ: tDuration, doc: doc, attrs: []string{attr}, as: millisValue}
	}
	return []field{
		short("status", "HTTP status code, gRPC status name, or the word of an event", probes.AttrHTTPStatus, probes.AttrRPCStatus, probes.AttrStatus),
		short("method", "RPC or HTTP method", probes.AttrRPCMethod, probes.AttrHTTPMethod),
		short("route", "HTTP route", probes.AttrHTTPRoute),
		short("url", "URL of a call", probes.AttrURL),
		short("partition", "partition of a message", probes.AttrPartition),
		short("offset", "offset of a message", probes.AttrOffset),
		short("group", "consumer group", probes.AttrGroup),
		short("destination", "queue, topic or exchange", probes.AttrDestination),
		short("tombstone", "true for a deletion in a compacted topic", probes.AttrTombstone),
		short("peer", "host:port that was connected to", probes.AttrPeer),
		short("protocol", "name of the protocol", probes.AttrProtocol),
		short("service", "name of the service", probes.AttrServiceName),
		short("reason", "why a gap is there", probes.AttrReason),
		short("attempt", "retries of one call, from 1", probes.AttrAttempt),
		millis("took", "duration of a call (kind end)", probes.TimingTotal),
		millis("first_byte", "time until the first byte of the answer (kind end)", probes.TimingFirstByte),
	}
}

// millisValue reads decimal milliseconds.
func millisValue(s string) value {
	ms, err := strconv.ParseFloat(s, 64)
	if err != nil || ms != ms || ms > 1e15 || ms < -1e15 {
		return looseValue(s) // to be reported by the comparison
	}
	return durValue(time.Duration(ms * float64(time.Millisecond)))
}

// fullAttrs are the names of attributes that may be written with dots.
func fullAttrs() []string {
	return []string{probes.AttrDestination, probes.AttrPartition, probes.AttrGroup, probes.AttrOffset, probes.AttrClusterID,
		probes.AttrTombstone, probes.AttrRPCMethod, probes.AttrRPCStatus, probes.AttrHTTPMethod, probes.AttrHTTPStatus,
		probes.AttrHTTPRoute, probes.AttrURL, probes.AttrServerAddress, probes.AttrServerPort, probes.AttrPeer,
		probes.AttrProtocol, probes.AttrProtoVersion, probes.AttrTLSVersion, probes.AttrServiceName, probes.AttrServiceVer,
		probes.AttrErrorType, probes.AttrStatus, probes.AttrCount, probes.AttrReason, probes.AttrRedacted, probes.AttrAttempt,
		probes.TimingDNS, probes.TimingConnect, probes.TimingTLS, probes.TimingFirstByte, probes.TimingTotal}
}

// rowFields are the names that rows of lists have.
func rowFields() []field {
	text := func(name, doc string, get func(*Row) string) field {
		return field{name: name, typ: tLoose, doc: doc, get: func(st *state) value { return orNil(looseK, get(st.row)) }}
	}
	health := text("health", "ok, warn, fail; nil where nobody says", func(r *Row) string { return r.Health })
	health.values = []string{"ok", "warn", "fail"}
	effect := text("effect", "of a method: read, write, unknown", func(r *Row) string { return r.Effect })
	effect.values = []string{"read", "write", "unknown"}
	return []field{
		text("kind", "topic, group, service, method, …", func(r *Row) string { return r.Kind }),
		text("name", "name of the thing", func(r *Row) string { return r.Name }),
		text("target", "target that has it; of a node, each that names it", func(r *Row) string { return r.Target }),
		text("group", "what it belongs to: the service of a method, the topic of a partition", func(r *Row) string { return r.Group }),
		text("address", "host:port", func(r *Row) string { return r.Address }),
		health,
		text("reason", "why it is not well", func(r *Row) string { return r.Reason }),
		effect,
		text("streams", "of a method: client, server, bidi", func(r *Row) string { return r.Streams }),
		text("doc", "the contract's own words", func(r *Row) string { return r.Doc }),
	}
}

// Row is a line of a list: a node, a method, an entry.
type Row struct {
	Kind, Name, Target, Group, Address string
	Health, Reason                     string
	Effect, Streams, Doc               string
	Attrs                              []probes.Attr
}
