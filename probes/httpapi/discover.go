package httpapi

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// Attributes of a service described by a document.
const (
	attrDocument   = "iscope.openapi.document"
	attrVersion    = "iscope.openapi.version"
	attrWarning    = "iscope.openapi.warning"
	attrServer     = "iscope.openapi.server"
	attrOperations = "iscope.operations"
)

// fresh is how old the document may be that lists are made of.
const fresh = time.Minute

// theDocument is what errors call it.
const theDocument = "the OpenAPI document"

// Discover yields the target as one service. Operations are methods, not nodes.
// Watching, it looks at the document again every half minute.
func (p *probe) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return p.Looks(ctx, q.Watch, p.poll, func() (probes.Snapshot, string, error) { return p.snapshot(ctx, q) })
}

// snapshot describes the target now. state is equal for equal snapshots.
func (p *probe) snapshot(ctx context.Context, q probes.DiscoverQuery) (snap probes.Snapshot, state string, err error) {
	doc, err := p.docs.Get(ctx, 0)
	var none *noDocument
	switch {
	case err == nil:
	case errors.As(err, &none):
		// A server without a document is still a service.
		if err := p.Check(ctx); err != nil {
			return probes.Snapshot{}, "", err
		}
		snap.Missing = []string{none.Error()}
	default:
		return probes.Snapshot{}, "", p.NotHad("listing", theDocument, err)
	}
	if err := p.knows(doc, q.Subject); err != nil {
		return probes.Snapshot{}, "", err
	}
	node := p.node(doc)
	if doc != nil && (doc.url == nil || doc.url.Host != p.Base.Host) {
		// The document came from elsewhere and says nothing of the server.
		err := p.Check(ctx)
		if ctx.Err() != nil {
			return probes.Snapshot{}, "", err
		}
		if err != nil {
			node.Health, node.Reason = probes.HealthFail, err.Error()
		}
	}
	claim := probes.Claim{Node: node, By: p.Target.Name, Call: "HEAD " + p.resolve("/").Path,
		Class: probes.Declared, Seen: time.Now()}
	state = "no document"
	if doc != nil {
		snap.Complete = true
		claim.Call = doc.call
		if doc.etag != "" {
			claim.AsOf = "etag " + doc.etag
		}
		state = doc.place + string(doc.sum[:]) + node.Reason
	}
	snap.Claims = []probes.Claim{claim}
	return snap, state, nil
}

// knows refuses a subject that is neither the service nor something it offers.
func (p *probe) knows(doc *document, subject string) error {
	if subject == "" || subject == p.Target.Name || subject == httplink.HostPort(p.Base) || doc == nil || subject == doc.title() {
		return nil
	}
	c, err := parseCall(subject)
	if err == nil && (doc.find(c) != nil || doc.below(c.path)) {
		return nil
	}
	return p.Fail("listing", probes.ErrNotFound, fmt.Errorf("no operation %q", subject), doc.nearest(subject))
}

func (p *probe) node(doc *document) *probes.Node {
	at := httplink.HostPort(p.Base)
	n := &probes.Node{ID: probes.NodeID(probes.NodeService, p.Target.Name, p.Target.Name), Kind: probes.NodeService,
		Name: p.Target.Name, Addr: at, Health: probes.HealthOK,
		Aliases: append([]string{probes.AddrAlias(at)}, p.Target.Aliases...)}
	add := func(name, value string) {
		if value != "" {
			n.Attrs = append(n.Attrs, probes.Attr{Name: name, Value: value})
		}
	}
	if doc != nil {
		add(probes.AttrServiceName, doc.title())
		add(probes.AttrServiceVer, plain(objectIn(doc.tree, "info")["version"]))
		add(attrOperations, strconv.Itoa(len(doc.ops)))
		add(attrVersion, doc.version)
		add(attrDocument, doc.place)
		for _, s := range listOf(doc.tree, "servers") {
			add(attrServer, textOf(objectOrNone(s), "url"))
		}
		for _, w := range doc.warnings {
			add(attrWarning, w)
		}
	}
	add(probes.AttrProtocol, "http")
	add(probes.AttrURL, p.Base.String())
	add(probes.AttrServerAddress, p.Base.Hostname())
	add(probes.AttrServerPort, at[strings.LastIndexByte(at, ':')+1:])
	return n
}

func (d *document) title() string {
	if d == nil {
		return ""
	}
	return strings.TrimSpace(textOf(objectIn(d.tree, "info"), "title"))
}

// below tells whether a path is the beginning of some operation's.
func (d *document) below(path string) bool {
	prefix := strings.TrimRight(path, "/") + "/"
	return d != nil && slices.ContainsFunc(d.ops, func(o *operation) bool { return strings.HasPrefix(o.path+"/", prefix) })
}

// Methods lists the document's operations by name. A target without a document
// gives ErrNotFound; it can still be called by hand.
func (p *probe) Methods(ctx context.Context) ([]probes.Method, error) {
	doc, err := p.docs.Get(ctx, fresh)
	if err != nil {
		return nil, p.NotHad("listing operations", theDocument, err)
	}
	out := make([]probes.Method, len(doc.ops))
	for i, o := range doc.ops {
		out[i] = o.listed()
	}
	return out, nil
}

// Method finds one operation: by its template, by a path that is written out,
// which keeps its own name, or by its operationId. A path that the document does
// not have can be called all the same, so that it comes back beside the
// ErrNotFound.
func (p *probe) Method(ctx context.Context, name string) (probes.Method, error) {
	doc, err := p.docs.Get(ctx, fresh)
	if err != nil {
		return probes.Method{Name: name}, p.NotHad("finding the operation", theDocument, err)
	}
	const op = "finding the operation"
	none := func() error {
		return p.Fail(op, probes.ErrNotFound, fmt.Errorf("the document has no operation %q", name), doc.nearest(name))
	}
	c, err := p.parseCall(name)
	if err != nil {
		switch named := doc.called(name); len(named) {
		case 0:
			return probes.Method{}, none()
		case 1:
			return named[0].listed(), nil
		default:
			return probes.Method{}, p.Fail(op, probes.ErrUsage, fmt.Errorf("%q is the operationId of several operations", name),
				fmt.Sprintf("use one of %s, %s", named[0].name(), named[1].name()))
		}
	}
	o := doc.find(c)
	if o == nil {
		return probes.Method{Name: name}, none()
	}
	m := o.listed()
	m.Name = name
	if c.socket {
		m.Effect, m.ClientStream, m.ServerStream = probes.EffectUnknown, true, true
	}
	return m, nil
}
