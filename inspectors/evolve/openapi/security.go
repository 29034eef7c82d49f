package openapi

import (
	"slices"
	"time"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

// today is compared with sunset dates, which are days.
func today() string { return time.Now().UTC().Format(time.DateOnly) }

// requirement is one way to authenticate: schemes with their scopes.
func requirements(n *tree.Node) (schemes map[string][]string, anonymous bool) {
	schemes = map[string][]string{}
	for _, r := range n.List() {
		if r.IsMap() && len(r.Keys) == 0 {
			anonymous = true
		}
		for i, name := range keys(r) {
			schemes[name] = append(schemes[name], r.Items[i].Strings()...)
		}
	}
	return schemes, anonymous || len(n.List()) == 0
}

// security compares who may call an operation. A way that is gone locks out who
// used it.
func (d *differ) security(path string, a, b *tree.Node, own bool) {
	if !own {
		return // told once, for the whole document
	}
	d.requirements(path, "api-", a, b)
}

func (d *differ) globalSecurity() {
	d.requirements("security", "api-global-", d.a.root.Get("security"), d.b.root.Get("security"))
}

func (d *differ) requirements(path, prefix string, a, b *tree.Node) {
	was, free := requirements(a)
	is, freeNow := requirements(b)
	if free && !freeNow && prefix == "api-" {
		d.add("api-security-anonymous-access-removed", change.Breaking, path, a, b, "it could be called without credentials, and cannot any more")
	}
	if !free && freeNow && prefix == "api-" {
		d.add("api-security-anonymous-access-added", change.Compatible, path, a, b, "it may be called without credentials now")
	}
	for _, name := range sortedKeys(was) {
		scopes, ok := is[name]
		if !ok {
			d.add(prefix+"security-removed", severity(!freeNow || len(is) > 0), path, a, b, "%s is no longer a way to authenticate", name)
			continue
		}
		for _, s := range without(scopes, was[name]) {
			d.add(prefix+"security-scope-added", change.Breaking, path, a, b, "%s now needs the scope %s", name, s)
		}
		for _, s := range without(was[name], scopes) {
			d.add(prefix+"security-scope-removed", change.Compatible, path, a, b, "%s no longer needs the scope %s", name, s)
		}
	}
	for _, name := range sortedKeys(is) {
		if _, ok := was[name]; !ok && len(was) > 0 {
			d.add(prefix+"security-added", change.Compatible, path, a, b, "%s is one more way to authenticate", name)
		}
	}
}

func severity(breaking bool) change.Severity {
	if breaking {
		return change.Breaking
	}
	return change.Compatible
}

func sortedKeys(m map[string][]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// securitySchemes compares how each way to authenticate works.
func (d *differ) securitySchemes() {
	a, b := schemes(d.a), schemes(d.b)
	for i, name := range keys(a) {
		old, _ := d.a.deref(a.Items[i])
		now, _ := d.b.deref(b.Get(name))
		path := "security scheme " + name
		if now == nil {
			if !b.IsCut() && !d.b.root.IsCut() {
				d.add("api-security-component-removed", change.Compatible, path, old, nil, "the scheme is gone; operations that used it are judged on their own")
			}
			continue
		}
		for _, k := range [][2]string{{"type", "api-security-component-type-changed"}, {"in", "api-security-component-api-key-in-changed"},
			{"name", "api-security-component-api-key-name-changed"}, {"scheme", "api-security-component-http-scheme-changed"}} {
			if x, y := old.Get(k[0]), now.Get(k[0]); !tree.Equal(x, y) {
				d.add(k[1], change.Breaking, path, x, y, "%s was %s and is %s", k[0], value(x), value(y))
			}
		}
		if x, y := old.Get("openIdConnectUrl"), now.Get("openIdConnectUrl"); !tree.Equal(x, y) {
			d.add("api-security-component-openid-connect-url-changed", change.Dangerous, path, x, y, "tokens come from another place")
		}
		if x, y := old.Get("bearerFormat"), now.Get("bearerFormat"); !tree.Equal(x, y) {
			d.add("api-security-component-bearer-format-changed", change.Compatible, path, x, y, "the tokens are described otherwise")
		}
	}
	for i, name := range keys(b) {
		if a.Get(name) == nil && !a.IsCut() {
			d.add("api-security-component-added", change.Compatible, "security scheme "+name, nil, b.Items[i], "a new way to authenticate")
		}
	}
}

func schemes(d *document) *tree.Node {
	if d.swagger {
		return d.root.Get("securityDefinitions")
	}
	return d.root.Get("components").Get("securitySchemes")
}
