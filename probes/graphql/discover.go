package graphql

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// Attributes of the service.
const (
	attrServer     = "http.response.header.server"
	attrOperations = "iscope.operations"
	attrSchema     = "iscope.graphql.schema"
	attrTypes      = "iscope.graphql.types"
	attrWarning    = "iscope.graphql.warning"
)

// Discover yields the target as one service. Operations are methods, not nodes.
// Watching, it looks whether the server answers every half minute, and at the
// schema every few minutes.
func (p *probe) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return p.link.Looks(ctx, q.Watch, p.poll, func() (probes.Snapshot, string, error) { return p.snapshot(ctx, q) })
}

// snapshot describes the target now. state is equal for equal snapshots.
func (p *probe) snapshot(ctx context.Context, q probes.DiscoverQuery) (snap probes.Snapshot, state string, err error) {
	const op = "listing"
	r, sick := p.greet(ctx, op)
	if sick != nil && (ctx.Err() != nil || p.link.Target.Options[optSchema] == "") {
		return snap, "", sick
	}
	c, err := p.contract(ctx, op, freshList)
	if err != nil {
		return snap, "", err
	}
	if err := p.knows(ctx, c, q.Subject); err != nil {
		return snap, "", err
	}
	node := p.node(c, r)
	if sick != nil { // the schema is a file: it says nothing of the server
		node.Health, node.Reason = probes.HealthFail, sick.Error()
	}
	snap.Claims = []probes.Claim{{Node: node, By: p.link.Target.Name, Call: "POST " + p.address().Path + " {__typename}",
		Class: probes.Declared, Seen: time.Now()}}
	if snap.Complete = c.schema != nil; !snap.Complete {
		snap.Missing = []string{"no schema: " + c.closed}
	}
	if q.Watch {
		state = c.sum() + node.Reason + node.Addr
	}
	return snap, state, nil
}

// knows refuses a subject that is neither the service nor something it offers.
func (p *probe) knows(ctx context.Context, c *contract, subject string) error {
	if subject == "" || subject == p.link.Target.Name || subject == httplink.HostPort(p.link.Base) || c.schema == nil || c.schema.Types[subject] != nil {
		return nil
	}
	_, err := p.find(ctx, "listing", subject)
	return err
}

// address is the endpoint, as far as it is known.
func (p *probe) address() *url.URL {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found
	}
	return p.link.Base
}

func (p *probe) node(c *contract, r *reply) *probes.Node {
	t, u := &p.link.Target, p.address()
	at := httplink.HostPort(u)
	n := &probes.Node{ID: probes.NodeID(probes.NodeService, t.Name, t.Name), Kind: probes.NodeService, Name: t.Name, Addr: at,
		Health: probes.HealthOK, Aliases: append([]string{probes.AddrAlias(at)}, t.Aliases...)}
	add := func(name, value string) {
		if value != "" {
			n.Attrs = append(n.Attrs, probes.Attr{Name: name, Value: value})
		}
	}
	if r != nil {
		add(attrServer, r.server)
		if !r.hasData && len(r.errors) > 0 {
			n.Health, n.Reason = probes.HealthWarn, fmt.Sprintf("it answers {__typename} with %s: %.200s", httplink.StatusText(r.status), r.errors[0].message)
		}
	}
	if c.schema != nil {
		types := 0
		for name, def := range c.schema.Types {
			if !def.BuiltIn && !strings.HasPrefix(name, "__") {
				types++
			}
		}
		add(attrOperations, strconv.Itoa(len(c.ops)))
		add(attrTypes, strconv.Itoa(types))
		add(attrSchema, c.source)
		add("iscope.graphql.description", firstLine(c.schema.Description))
	}
	for _, w := range c.warnings {
		add(attrWarning, w)
	}
	add(probes.AttrProtocol, "graphql")
	add(probes.AttrURL, u.String())
	add(probes.AttrServerAddress, u.Hostname())
	add(probes.AttrServerPort, at[strings.LastIndexByte(at, ':')+1:])
	return n
}
