package consul

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// teller turns a catalog into claims.
type teller struct {
	target  string
	detail  bool
	seen    time.Time
	info    [parts]info
	verdict verdicts
	claims  []probes.Claim
}

// snapshot says what the catalog holds, or what concerns one service of it.
func (w *watcher) snapshot(target string, q probes.DiscoverQuery, seen time.Time) probes.Snapshot {
	t := &teller{target: target, detail: q.Detail, seen: seen, info: w.info, verdict: newVerdicts(w.now.checks)}
	rules := w.now.rules()
	byName := w.now.byService()
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list := byName[name]
		parent := proxied(list)
		if q.Subject == "" || q.Subject == name || q.Subject == parent {
			t.service(name, parent, w.now.services[name], list, rules[name])
			for i := range list {
				t.instance(&list[i])
			}
		}
	}
	t.edges(w.now.edges(target), q.Subject)
	missing := w.missing()
	return probes.Snapshot{Claims: t.claims, Missing: missing, Complete: w.complete()}
}

// byService groups the instances. A service that is listed without any is
// there, too: its instances may be hidden.
func (c *catalog) byService() map[string][]instance {
	out := make(map[string][]instance, len(c.services))
	for name := range c.services {
		out[name] = nil
	}
	for _, in := range c.instances {
		out[in.Service] = append(out[in.Service], in)
	}
	return out
}

// proxied is the service that all these sidecar proxies belong to, or "".
func proxied(list []instance) string {
	name := ""
	for i, in := range list {
		if in.Kind != "connect-proxy" || i > 0 && in.Proxy.DestinationServiceName != name {
			return ""
		}
		name = in.Proxy.DestinationServiceName
	}
	return name
}

func (w *watcher) missing() []string {
	var out []string
	for p, in := range w.info {
		if in.filtered {
			out = append(out, hidden[p])
		}
		if in.missing != "" {
			out = append(out, in.missing)
		}
	}
	return out
}

// complete: nothing was hidden. An agent without intentions hides none.
func (w *watcher) complete() bool {
	for _, in := range w.info {
		if in.filtered {
			return false
		}
	}
	return w.info[partInstances].missing == ""
}

func (t *teller) say(p part, class probes.Evidence, n *probes.Node, e *probes.Edge) {
	in := t.info[p]
	t.claims = append(t.claims, probes.Claim{Node: n, Edge: e, By: t.target, Call: in.call, Class: class,
		AsOf: "consul-index " + strconv.FormatUint(in.index, 10), Seen: t.seen})
}

func (t *teller) service(name, parent string, tags []string, list []instance, rules []string) {
	n := &probes.Node{ID: t.id(name), Kind: probes.NodeService, Name: name}
	if parent != "" {
		n.Parent = t.id(parent)
	}
	n.Health, n.Reason = t.verdict.service(list)
	if len(list) > 0 {
		if kind := list[0].Kind; kind != "" {
			n.Attrs = append(n.Attrs, probes.Attr{Name: attrKind, Value: kind})
			if strings.HasSuffix(kind, "-gateway") {
				n.Kind = probes.NodeGateway
			}
		}
	}
	n.Attrs = append(n.Attrs, probes.Attr{Name: attrInstances, Value: strconv.Itoa(len(list))})
	if len(tags) > 0 {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrTags, Value: strings.Join(slices.Sorted(slices.Values(tags)), ",")})
	}
	if v := versions(list); v != "" {
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.AttrServiceVer, Value: v})
	}
	for _, r := range rules {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrIntention, Value: r})
	}
	t.say(partServices, probes.Declared, n, nil)
}

// versions joins the versions the instances registered as metadata.
func versions(list []instance) string {
	var out []string
	for _, in := range list {
		if v := in.Meta["version"]; v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

func (t *teller) instance(in *instance) {
	n := &probes.Node{ID: probes.NodeID(probes.NodeInstance, t.target, in.key()), Kind: probes.NodeInstance,
		Name: in.ID, Parent: t.id(in.Service), Addr: in.dialable()}
	if n.Addr != "" {
		n.Aliases = []string{probes.AddrAlias(n.Addr)}
	}
	n.Health, n.Reason = t.verdict.instance(in)
	n.Attrs = append(n.Attrs, probes.Attr{Name: attrNode, Value: in.Node})
	if len(in.Tags) > 0 {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrTags, Value: strings.Join(slices.Sorted(slices.Values(in.Tags)), ",")})
	}
	if v := in.Meta["version"]; v != "" {
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.AttrServiceVer, Value: v})
	}
	for _, k := range slices.Sorted(maps.Keys(in.Meta)) {
		n.Attrs = append(n.Attrs, probes.Attr{Name: metaPrefix + k, Value: in.Meta[k]})
	}
	if t.detail {
		for _, c := range t.verdict.checks(in) {
			n.Attrs = append(n.Attrs, probes.Attr{Name: checkPrefix + c.CheckID, Value: cut(join(c.Status, c.Output))})
		}
	}
	t.say(partInstances, probes.Declared, n, nil)
}

func (t *teller) id(service string) string {
	return probes.NodeID(probes.NodeService, t.target, service)
}

// edges says those that touch the subject, and what they lead to if that is
// not a service of this datacenter.
func (t *teller) edges(list []link, subject string) {
	me := t.id(subject)
	said := map[string]bool{}
	for _, l := range list {
		if subject != "" && l.edge.From != me && l.edge.To != me {
			continue
		}
		for _, n := range l.outside {
			if !said[n.ID] {
				said[n.ID] = true
				t.say(l.part, l.class, &n, nil)
			}
		}
		t.say(l.part, l.class, nil, &l.edge)
	}
}
