package consul

import (
	"cmp"
	"maps"
	"net"
	"reflect"
	"slices"
	"strconv"
)

// part is one listing the picture is put together from.
type part uint8

const (
	partServices part = iota
	partChecks
	partIntentions
	partInstances // not polled: fetched after the services changed
	parts
)

// polled are the listings with a long poll of their own.
var polled = [...]part{partServices, partChecks, partIntentions}

var paths = [parts]string{
	partServices:   "/v1/catalog/services",
	partChecks:     "/v1/health/state/any",
	partIntentions: "/v1/config/service-intentions",
	partInstances:  "/v1/internal/ui/nodes",
}

// hidden says what is missing when a listing was filtered, and the permission
// that would show it.
var hidden = [parts]string{
	partServices:   `services hidden by ACLs: the token needs service:read (service_prefix "" { policy = "read" })`,
	partChecks:     `health checks hidden by ACLs: the token needs service:read and node:read (node_prefix "" { policy = "read" })`,
	partIntentions: `intentions hidden by ACLs: the token needs intentions:read (service_prefix "" { intentions = "read" })`,
	partInstances:  `instances hidden by ACLs: the token needs service:read and node:read (node_prefix "" { policy = "read" })`,
}

// info is what is known about one listing.
type info struct {
	call     string // "GET /v1/catalog/services"
	index    uint64 // of the answer
	filtered bool   // the token may not see all of it
	missing  string // why there is none, or what else is left out
}

// catalog is what the agent said, as it said it.
type catalog struct {
	services   map[string][]string // name to tags
	checks     []check
	intentions []intention
	instances  []instance // sorted by service, node, id
}

// equal takes null and [] for the same.
func (c *catalog) equal(o *catalog) bool {
	return maps.EqualFunc(c.services, o.services, slices.Equal) && slices.Equal(c.checks, o.checks) &&
		slices.EqualFunc(c.intentions, o.intentions, func(a, b intention) bool { return reflect.DeepEqual(a, b) }) &&
		slices.EqualFunc(c.instances, o.instances, func(a, b instance) bool { return reflect.DeepEqual(a, b) })
}

// instance is one registration.
type instance struct {
	service
	Node string
	Addr string // host:port; only the host where no port is registered
}

// key is unique within a datacenter: IDs are only unique per node.
func (i *instance) key() string { return i.Node + "/" + i.ID }

// dialable is the address if there is a port to dial, else "".
func (i *instance) dialable() string {
	if i.Port == 0 || i.Addr == "" {
		return ""
	}
	return i.Addr
}

func newInstance(node, nodeAddr string, s service) instance {
	host := s.Address
	if host == "" {
		host = nodeAddr // Consul's own rule
	}
	in := instance{service: s, Node: node, Addr: host}
	if s.Port != 0 && host != "" {
		in.Addr = net.JoinHostPort(host, strconv.Itoa(s.Port))
	}
	return in
}

func sortInstances(list []instance) {
	slices.SortFunc(list, func(a, b instance) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Node, b.Node), cmp.Compare(a.ID, b.ID))
	})
}

func sortChecks(list []check) {
	slices.SortFunc(list, func(a, b check) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.ServiceID, b.ServiceID), cmp.Compare(a.CheckID, b.CheckID))
	})
}

// sameCheck compares identity, not status.
func sameCheck(a, b check) bool {
	return a.Node == b.Node && a.ServiceID == b.ServiceID && a.CheckID == b.CheckID
}
