package registry

import "time"

// The shapes of Consul 1.22.5's answers.

const (
	passing  = "passing"
	warning  = "warning"
	critical = "critical"
)

// rank orders statuses from good to bad; -1 is none.
func rank(status string) int {
	switch status {
	case passing:
		return 0
	case warning:
		return 1
	case critical:
		return 2
	}
	return -1
}

type weights struct{ Passing, Warning int }

var onePiece = weights{1, 1}

type taggedAddress struct {
	Address string
	Port    int
}

type service struct {
	Kind              string `json:",omitempty"`
	ID                string
	Service           string
	Tags              []string
	Address           string
	TaggedAddresses   map[string]taggedAddress `json:",omitempty"`
	Meta              map[string]string
	Port              int
	Weights           weights
	EnableTagOverride bool
	Proxy             Proxy
	Connect           struct{}
	PeerName          string
	CreateIndex       uint64
	ModifyIndex       uint64

	owned bool // a sidecar that goes with its service
}

type check struct {
	Node        string
	CheckID     string
	Name        string
	Status      string
	Notes       string
	Output      string
	ServiceID   string
	ServiceName string
	ServiceTags []string
	Type        string
	Interval    string
	Timeout     string
	ExposedPort int
	Definition  struct{}
	CreateIndex uint64
	ModifyIndex uint64

	ttl      time.Duration // 0 for a check nobody reports
	deadline time.Time
	alias    string // ID of the service whose health this is
}

type node struct {
	ID              string
	Node            string
	Address         string
	Datacenter      string
	TaggedAddresses map[string]string
	Meta            map[string]string
	CreateIndex     uint64
	ModifyIndex     uint64
}

type healthEntry struct {
	Node    node
	Service service
	Checks  []check
}

// catalogEntry is the flat shape of /v1/catalog/service.
type catalogEntry struct {
	ID                       string
	Node                     string
	Address                  string
	Datacenter               string
	TaggedAddresses          map[string]string
	NodeMeta                 map[string]string
	ServiceKind              string
	ServiceID                string
	ServiceName              string
	ServiceTags              []string
	ServiceAddress           string
	ServiceTaggedAddresses   map[string]taggedAddress `json:",omitempty"`
	ServiceWeights           weights
	ServiceMeta              map[string]string
	ServicePort              int
	ServiceEnableTagOverride bool
	ServiceProxy             Proxy
	ServiceConnect           struct{}
	CreateIndex              uint64
	ModifyIndex              uint64
}

// intentions is a config entry of the kind service-intentions.
type intentions struct {
	Kind        string
	Name        string
	Sources     []Source
	CreateIndex uint64
	ModifyIndex uint64
}

// Source is one service that may, or may not, call another.
type Source struct {
	Name       string
	Action     string // allow or deny
	Precedence int
	Type       string
}
