// Package consul reads a Consul catalog: services, their instances and health,
// the calls that sidecar proxies declare and those that intentions permit. It
// only ever reads.
//
// One watch is three long polls (catalog/services, health/state/any,
// config/service-intentions), never one per service: an agent allows 200
// connections per client by default (hashicorp/consul#7289).
package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"iscope/probes"
)

// Names of attributes only Consul has.
const (
	attrKind      = "consul.kind"      // "connect-proxy", "mesh-gateway", ...
	attrNode      = "consul.node"      // the machine an instance is registered on
	attrTags      = "consul.tags"      // comma separated
	attrIntention = "consul.intention" // "deny web", "allow *": rules that make no edge
	attrInstances = "consul.instances"
	attrInstance  = "consul.instance.id"
	metaPrefix    = "consul.meta."
	checkPrefix   = "consul.check."
)

const optDatacenter = "datacenter"

// Driver describes how Consul joins iscope.
func Driver() probes.Driver {
	return probes.Driver{
		Name: "consul",
		Doc: "Services, instances, health, declared upstreams and intentions of a Consul datacenter, and a stream of their " +
			"changes. auth.token is sent as X-Consul-Token (auth.header names another header); username and password " +
			"are sent as basic authentication for a proxy in front of the agent. Reading everything needs service:read, " +
			"node:read and intentions:read.",
		Impact: "Reads only: three long polls while watching, one listing after a change of the catalog.",
		Schemes: []probes.Scheme{
			{Name: "consul"},
			{Name: "consul+tls", TLS: true},
		},
		Columns: []probes.Column{
			{Title: "CHANGE", Attr: probes.AttrStatus, Width: 12},
			{Title: "SERVICE", Attr: probes.AttrServiceName, Width: 24},
			{Title: "INSTANCE", Attr: attrInstance, Width: 24},
			{Title: "ADDRESS", Attr: probes.AttrServerAddress, Width: 15},
			{Title: "PORT", Attr: probes.AttrServerPort, Width: 5, Right: true},
			{Title: "WHY", Attr: probes.AttrReason, Width: 40},
		},
		Options: []probes.Option{
			{Name: optDatacenter, Type: "string", Doc: "datacenter to read; the agent's own if empty"},
		},
		Open: open,
	}
}

// probe is one agent. It holds no state of the catalog: every Discover and
// Tail has its own.
type probe struct {
	target probes.Target
	client *client
}

var (
	_ probes.Discoverer = (*probe)(nil)
	_ probes.Tailer     = (*probe)(nil)
)

func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	usage := func(err error, hint string) error {
		return &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err, Hint: hint}
	}
	for name := range t.Options {
		if name != optDatacenter {
			return nil, usage(fmt.Errorf("unknown option %q", name), probes.NearestHint(name, []string{optDatacenter}))
		}
	}
	addr, err := agentAddress(t.Address, t.TLS.Enabled)
	if err != nil {
		return nil, usage(err, "write it as consul://host:8500")
	}
	tlsConfig, err := t.TLS.Config()
	if err != nil {
		var e *probes.Error
		if errors.As(err, &e) {
			e.Target = t.Name
		}
		return nil, err
	}
	return &probe{target: t, client: newClient(t, addr, tlsConfig)}, nil
}

// agentAddress adds Consul's default ports: 8500, or 8501 with TLS.
func agentAddress(addr string, secure bool) (string, error) {
	if addr == "" || strings.ContainsAny(addr, ",/ ") {
		return "", fmt.Errorf("%q is not the address of one agent", addr)
	}
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr, nil
	}
	port := "8500"
	if secure {
		port = "8501"
	}
	joined := net.JoinHostPort(strings.Trim(addr, "[]"), port)
	if _, _, err := net.SplitHostPort(joined); err != nil {
		return "", fmt.Errorf("%q is not the address of one agent", addr)
	}
	return joined, nil
}

// Addresses is the agent's.
func (p *probe) Addresses(context.Context) ([]string, error) {
	return []string{p.client.base.Host}, nil
}

// Check asks three things in turn: does the agent answer (catalog/datacenters
// works even without a leader), is there a leader, and is the token known.
func (p *probe) Check(ctx context.Context) error {
	const op = "checking"
	var dcs []string
	if _, err := p.client.read(ctx, "/v1/catalog/datacenters", &dcs); err != nil {
		return p.fail(op, err)
	}
	if dc := p.target.Options[optDatacenter]; dc != "" && !slices.Contains(dcs, dc) {
		return &probes.Error{Target: p.target.Name, Op: op, Kind: probes.ErrNotFound,
			Err: fmt.Errorf("no datacenter %q", dc), Hint: probes.NearestHint(dc, dcs)}
	}
	var leader string
	if _, err := p.client.read(ctx, "/v1/status/leader", &leader); err != nil {
		return p.fail(op, err)
	}
	if leader == "" {
		return p.fail(op, errNoLeader)
	}
	return p.checkToken(ctx, op)
}

// checkToken asks who we are. Agents without ACLs answer 401 or know no such
// path; neither says anything against the token.
func (p *probe) checkToken(ctx context.Context, op string) error {
	if p.target.Auth.Token.IsZero() {
		return nil
	}
	_, err := p.client.read(ctx, "/v1/acl/token/self", &struct{}{})
	if st := (*statusError)(nil); errors.As(err, &st) && (st.absent() || st.aclDisabled()) {
		return nil
	}
	if err != nil {
		return p.fail(op, err)
	}
	return nil
}

// Close ends every watch of the probe and waits for it.
func (p *probe) Close() error { return p.client.close() }
