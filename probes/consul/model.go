package consul

// The parts of Consul's answers that are read. Field names are the API's
// (https://developer.hashicorp.com/consul/api-docs).

// uiNode is one entry of /v1/internal/ui/nodes.
type uiNode struct {
	Node     string
	Address  string
	Services []service
	Checks   []check
}

// healthEntry is one entry of /v1/health/service/<name>.
type healthEntry struct {
	Node struct {
		Node    string
		Address string
	}
	Service service
	Checks  []check
}

type service struct {
	ID         string
	Service    string // the name
	Kind       string // "" for an ordinary service
	Tags       []string
	Meta       map[string]string
	Address    string
	Port       int
	SocketPath string
	Proxy      proxy
}

type proxy struct {
	DestinationServiceName string
	Upstreams              []upstream
}

type upstream struct {
	DestinationType string // "service", "prepared_query" or ""
	DestinationName string
	DestinationPeer string
	Datacenter      string
	Config          struct {
		Protocol any `json:"protocol"` // a string, but nothing enforces it
	}
}

// check is one entry of /v1/health/state/any. ServiceID is empty for a check
// of the whole node.
type check struct {
	Node      string
	CheckID   string
	Name      string
	Status    string
	Notes     string // the reason given for maintenance
	Output    string
	ServiceID string
}

// intention is one entry of /v1/config/service-intentions: who may call Name.
type intention struct {
	Name    string
	Sources []struct {
		Name        string
		Peer        string
		Action      string // "allow", "deny", or "" when Permissions decide
		Permissions []struct{ Action string }
	}
}
