package probes

// Attribute names. They are OpenTelemetry semantic conventions
// (https://opentelemetry.io/docs/specs/semconv/registry/) wherever one exists;
// those starting with "iscope." are ours.
const (
	AttrDestination = "messaging.destination.name"
	AttrPartition   = "messaging.destination.partition.id"
	AttrGroup       = "messaging.consumer.group.name"
	AttrOffset      = "kafka.offset"
	AttrClusterID   = "kafka.cluster.id"
	AttrTombstone   = "kafka.message.tombstone"

	AttrRPCMethod = "rpc.method"
	AttrRPCStatus = "rpc.response.status_code" // the name: "OK", "NOT_FOUND"

	AttrHTTPMethod = "http.request.method"
	AttrHTTPStatus = "http.response.status_code"
	AttrHTTPRoute  = "http.route"
	AttrURL        = "url.full"

	AttrServerAddress = "server.address"
	AttrServerPort    = "server.port"
	AttrPeer          = "network.peer.address" // host:port actually connected to
	AttrProtocol      = "network.protocol.name"
	AttrProtoVersion  = "network.protocol.version"
	AttrTLSVersion    = "tls.protocol.version"
	AttrServiceName   = "service.name"
	AttrServiceVer    = "service.version"
	AttrErrorType     = "error.type"

	// AttrStatus is the one status word a list shows, whatever the protocol.
	AttrStatus = "iscope.status"
	// AttrCount and AttrReason describe a Gap: how many records ("" unknown)
	// and why.
	AttrCount  = "iscope.count"
	AttrReason = "iscope.reason"
	// AttrRedacted lists what was masked, comma separated: header names and
	// body paths.
	AttrRedacted = "iscope.redacted"
	// AttrAttempt counts retries of one call, from 1.
	AttrAttempt = "iscope.attempt"
	// AttrViolation says where a Request, Response or End breaks its contract:
	// "PATH: rule". There is one attribute for each violation.
	AttrViolation = "iscope.contract.violation"
	// AttrWireSize is the number of bytes of a Request or Response on the wire,
	// compressed and without framing; its Body is what they decode to.
	AttrWireSize = "iscope.wire_bytes"
	// AttrPath is where in an answer an error belongs, and the error: "PATH: text"
	// (GraphQL: "orders.0.total: no such order"). There is one for each error.
	AttrPath = "iscope.path"
	// AttrTraceID is the trace a call started (W3C Trace Context).
	AttrTraceID = "trace_id"
)

// Timing attributes of an End record: decimal milliseconds, absent when the
// phase did not happen (a reused connection has no connect phase).
const (
	TimingDNS       = "iscope.timing.dns_ms"
	TimingConnect   = "iscope.timing.connect_ms"
	TimingTLS       = "iscope.timing.tls_ms"
	TimingSend      = "iscope.timing.send_ms"       // connection ready → request written
	TimingFirstByte = "iscope.timing.first_byte_ms" // request written → first response byte
	TimingReceive   = "iscope.timing.receive_ms"    // first response byte → last
	TimingTotal     = "iscope.timing.total_ms"
)
