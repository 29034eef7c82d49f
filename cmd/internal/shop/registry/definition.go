package registry

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Definition is the body of PUT /v1/agent/service/register.
type Definition struct {
	ID, Name string
	Kind     string // "" or "connect-proxy"
	Tags     []string
	Meta     map[string]string
	Address  string
	Port     int
	Proxy    *Proxy
	Check    *CheckDefinition
	Checks   []CheckDefinition
	Connect  *struct{ SidecarService *Definition }

	owned bool // a sidecar that came with its service
}

// CheckDefinition is a health check to register. Checks that the agent itself
// would have to run (HTTP, TCP, gRPC) are refused.
type CheckDefinition struct {
	CheckID, Name, Notes, Status string
	TTL                          string
	AliasService                 string
	HTTP, TCP, GRPC, UDP, Script string `json:",omitempty"`
}

// Proxy is what a sidecar stands before and what it may reach.
type Proxy struct {
	DestinationServiceName string `json:",omitempty"`
	DestinationServiceID   string `json:",omitempty"`
	LocalServiceAddress    string `json:",omitempty"`
	LocalServicePort       int    `json:",omitempty"`
	Mode                   string
	Config                 map[string]any `json:",omitempty"`
	Upstreams              []Upstream     `json:",omitempty"`
	MeshGateway            struct{}
	Expose                 struct{}
}

// Upstream is a service that a sidecar's service may call, by a local port.
type Upstream struct {
	DestinationType string
	DestinationName string
	Datacenter      string
	LocalBindPort   int            `json:",omitempty"`
	Config          map[string]any `json:",omitempty"`
	MeshGateway     struct{}
}

const (
	kindProxy     = "connect-proxy"
	sidecarSuffix = "-sidecar-proxy"
	maintenance   = "_service_maintenance:"
)

func (d *Definition) allChecks() []CheckDefinition {
	all := slices.Clone(d.Checks)
	if d.Check != nil {
		all = append(all, *d.Check)
	}
	return all
}

func (d *Definition) service() *service {
	s := &service{
		Kind: d.Kind, ID: d.ID, Service: d.Name, Tags: d.Tags, Meta: d.Meta, Address: d.Address, Port: d.Port,
		Weights: onePiece, owned: d.owned,
	}
	if s.Tags == nil {
		s.Tags = []string{}
	}
	if d.Proxy != nil {
		s.Proxy = *d.Proxy
		s.Proxy.Upstreams = slices.Clone(s.Proxy.Upstreams)
		for i := range s.Proxy.Upstreams {
			if s.Proxy.Upstreams[i].DestinationType == "" {
				s.Proxy.Upstreams[i].DestinationType = "service"
			}
		}
	}
	if d.Address != "" {
		at := taggedAddress{d.Address, d.Port}
		s.TaggedAddresses = map[string]taggedAddress{"lan_ipv4": at, "wan_ipv4": at}
	}
	return s
}

// sidecar fills in what Consul assumes of a sidecar that came with a service.
func (d *Definition) sidecar(port int) Definition {
	side := *d.Connect.SidecarService
	side.Kind, side.ID, side.Name, side.owned = kindProxy, d.ID+sidecarSuffix, d.Name+sidecarSuffix, true
	if side.Port == 0 {
		side.Port = port
	}
	if side.Address == "" {
		side.Address = d.Address
	}
	if side.Tags == nil {
		side.Tags = d.Tags
	}
	if side.Meta == nil {
		side.Meta = d.Meta
	}
	proxy := Proxy{}
	if side.Proxy != nil {
		proxy = *side.Proxy
	}
	proxy.DestinationServiceName, proxy.DestinationServiceID = d.Name, d.ID
	if proxy.LocalServicePort == 0 {
		proxy.LocalServiceAddress, proxy.LocalServicePort = nodeAddress, d.Port
	}
	side.Proxy = &proxy
	if len(side.allChecks()) == 0 {
		side.Checks = []CheckDefinition{{Name: "Connect Sidecar Aliasing " + d.ID, AliasService: d.ID}}
	}
	return side
}

func (c *CheckDefinition) valid() error {
	if c.HTTP+c.TCP+c.GRPC+c.UDP+c.Script != "" {
		return refused("Invalid check: this registry runs no checks itself; use TTL")
	}
	if (c.TTL == "") == (c.AliasService == "") {
		return refused("Invalid check: TTL must be > 0 for TTL checks")
	}
	if c.TTL != "" {
		if d, err := time.ParseDuration(c.TTL); err != nil || d <= 0 {
			return refused("Invalid check: TTL %q is not a duration above 0", c.TTL)
		}
	}
	if c.Status != "" && rank(c.Status) < 0 {
		return refused("Invalid check status: %q", c.Status)
	}
	return nil
}

// check is the i-th of n checks of a service.
func (c *CheckDefinition) check(node string, s *service, i, n int) *check {
	made := &check{
		Node: node, CheckID: c.CheckID, Name: c.Name, Status: c.Status, Notes: c.Notes,
		ServiceID: s.ID, ServiceName: s.Service, ServiceTags: s.Tags, Type: "ttl", alias: c.AliasService,
	}
	if c.AliasService != "" {
		made.Type = "alias"
	} else {
		made.ttl, _ = time.ParseDuration(c.TTL) // checked by valid
	}
	if made.CheckID == "" {
		made.CheckID = "service:" + s.ID
		if n > 1 {
			made.CheckID = fmt.Sprintf("service:%s:%d", s.ID, i+1)
		}
	}
	if made.Name == "" {
		made.Name = "Service '" + s.Service + "' check"
	}
	if made.Status == "" {
		made.Status = critical
	}
	return made
}

// same reports whether nothing but the indexes differs.
func (s *service) same(o *service) bool {
	a, b := *s, *o
	a.CreateIndex, a.ModifyIndex, b.CreateIndex, b.ModifyIndex = 0, 0, 0, 0
	return reflect.DeepEqual(a, b)
}
