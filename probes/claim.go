package probes

import "time"

// Snapshot is one answer of one source.
type Snapshot struct {
	Claims []Claim
	// Complete says that the source answered in full: only then does absence
	// mean that a thing is gone. Missing says what was left out and why (an ACL
	// filter, a page limit).
	Complete bool
	Missing  []string
}

// Claim is one statement by one source. Nodes and edges that people see are
// computed from all claims (package topology), and every claim stays visible.
// Exactly one of Node and Edge is set.
type Claim struct {
	Node *Node
	Edge *Edge

	By    string   // target that says so
	Call  string   // how it knows: "GET /v1/health/state/any"
	Class Evidence // how good the evidence is
	AsOf  string   // the source's own version: "consul-index 1384514"
	Seen  time.Time
	TTL   time.Duration // valid for; 0 until the next complete snapshot
}

// Evidence orders claims from the strongest to the weakest.
type Evidence uint8

const (
	Guessed      Evidence = iota
	Permitted             // allowed to talk (intentions, ACLs)
	Declared              // configured or registered
	Attached              // holds a lease, a partition, a subscription now
	ObservedOne           // traffic seen at one end
	ObservedBoth          // traffic seen at both ends
)

var evidenceNames = [...]string{"guessed", "permitted", "declared", "attached", "observed-one", "observed-both"}

func (e Evidence) String() string { return evidenceNames[e] }

// MarshalText writes the name used in JSON output.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// NodeKind is what a node is.
type NodeKind string

const (
	NodeService   NodeKind = "service"
	NodeInstance  NodeKind = "instance" // Parent is its service
	NodeTopic     NodeKind = "topic"
	NodePartition NodeKind = "partition" // Parent is its topic
	NodeGroup     NodeKind = "group"     // consumer group
	NodeMember    NodeKind = "member"    // Parent is its group
	NodeBroker    NodeKind = "broker"
	NodeQueue     NodeKind = "queue"
	NodeExchange  NodeKind = "exchange"
	NodeGateway   NodeKind = "gateway"
	NodeExternal  NodeKind = "external"
)

// Node is a thing that takes part in communication.
type Node struct {
	// ID is unique over all sources: see NodeID.
	ID     string
	Kind   NodeKind
	Name   string
	Parent string // ID, for parts of something
	Addr   string // host:port, for what can be dialled
	Health Health
	Reason string // why it is not well, in the source's words
	// Aliases are other identities under which sources may know this node,
	// such as "addr:10.0.3.4:50051". Nodes sharing an alias are one.
	Aliases []string
	Attrs   []Attr
}

// NodeID builds a node's identity. Names are unique only within the target that
// reports them: "orders" in two registries stays two services until an alias
// says otherwise.
func NodeID(kind NodeKind, target, name string) string {
	return string(kind) + ":" + target + "/" + name
}

// AddrAlias is the alias of whatever listens on host:port.
func AddrAlias(addr string) string { return "addr:" + addr }

// Edge is a relation between two nodes, by ID or by alias.
type Edge struct {
	From, To string
	Kind     EdgeKind
	Protocol string // "http", "grpc", "kafka"
	Metrics  []Metric
	Attrs    []Attr
}

// EdgeKind is what the relation is.
type EdgeKind string

const (
	EdgeCalls    EdgeKind = "calls"
	EdgeProduces EdgeKind = "produces"
	EdgeConsumes EdgeKind = "consumes" // From is the topic, To the consumer: the data's direction
	EdgeRoutes   EdgeKind = "routes"
)

// Metric is one number with its unit (UCUM, as OpenTelemetry uses: "ms",
// "1/s", "{message}").
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Names of metrics.
const (
	MetricLag  = "messaging.consumer.lag"
	MetricRate = "iscope.rate"
)

// Health is a verdict by a source.
type Health uint8

const (
	HealthUnknown Health = iota
	HealthOK
	HealthWarn
	HealthFail
)

func (h Health) String() string { return [...]string{"unknown", "ok", "warn", "fail"}[h] }

// MarshalText writes the name used in JSON output.
func (h Health) MarshalText() ([]byte, error) { return []byte(h.String()), nil }
