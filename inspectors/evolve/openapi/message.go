package openapi

import (
	"slices"
	"strings"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

func (d *differ) params(a, b *operation) {
	for _, key := range a.order {
		old, now := a.params[key], b.params[key]
		path := b.String() + " " + old.in + " " + old.name
		if now == nil {
			rule, s := "request-parameter-removed", change.Dangerous
			if old.node.True("deprecated") {
				rule, s = "request-parameter-removed-with-deprecation", change.Compatible
			}
			d.add(rule, s, path, old.node, nil, "the parameter is gone; what callers send with it is ignored or refused")
			continue
		}
		switch {
		case !old.required && now.required:
			d.add("request-parameter-became-required", change.Breaking, path, old.node.Get("required"), now.node.Get("required"), "required now")
		case old.required && !now.required:
			d.add("request-parameter-became-optional", change.Compatible, path, old.node.Get("required"), now.node.Get("required"), "no longer required")
		}
		if !old.node.True("deprecated") && now.node.True("deprecated") {
			d.add("request-parameter-deprecated", change.Compatible, path, nil, now.node.Get("deprecated"), "deprecated")
		}
		d.schema(side{request: true, kind: parameter}, old.schema, now.schema, path)
	}
	for _, key := range b.order {
		if now := b.params[key]; a.params[key] == nil {
			path := b.String() + " " + now.in + " " + now.name
			switch {
			case now.in == "path":
				d.add("new-request-path-parameter", change.Breaking, path, nil, now.node, "a new parameter in the path")
			case now.required:
				d.add("new-required-request-parameter", change.Breaking, path, nil, now.node, "a new parameter, and it is required")
			default:
				d.add("new-optional-request-parameter", change.Compatible, path, nil, now.node, "a new parameter, not required")
			}
		}
	}
}

func (d *differ) bodies(a, b *operation) {
	path := b.String() + " request"
	old, now := a.body, b.body
	switch {
	case old == nil && now == nil:
		return
	case old == nil && now.required:
		d.add("request-body-added-required", change.Breaking, path, nil, now.node, "a body is required now")
		return
	case old == nil:
		d.add("request-body-added-optional", change.Compatible, path, nil, now.node, "a body may be sent now")
		return
	case now == nil:
		d.add("request-body-removed", change.Breaking, path, old.node, nil, "no body is taken any more")
		return
	case !old.required && now.required:
		d.add("request-body-became-required", change.Breaking, path, old.node.Get("required"), now.node.Get("required"), "the body is required now")
	case old.required && !now.required:
		d.add("request-body-became-optional", change.Compatible, path, old.node.Get("required"), now.node.Get("required"), "the body is no longer required")
	}
	for _, media := range old.order {
		if now.content[media] == nil {
			d.add("request-body-media-type-removed", change.Breaking, path+" "+media, old.content[media], nil, "this type is no longer read")
			continue
		}
		d.media(side{request: true, kind: whole}, old.content[media], now.content[media], path+" "+media)
	}
	for _, media := range now.order {
		if old.content[media] == nil {
			d.add("request-body-media-type-added", change.Compatible, path+" "+media, nil, now.content[media], "this type is read as well")
		}
	}
}

func (d *differ) media(s side, a, b *tree.Node, path string) {
	old, now := a.Get("schema"), b.Get("schema")
	prefix := "response-body-"
	if s.request {
		prefix = "request-body-"
	}
	switch {
	case old == nil && now == nil:
	case old == nil:
		d.add(prefix+"media-type-schema-added", severity(s.request), path, nil, now, "a schema says what this looks like, which was open before")
	case now == nil:
		d.add(prefix+"media-type-schema-removed", severity(!s.request), path, old, nil, "no schema says what this looks like any more")
	default:
		d.schema(s, old, now, path)
	}
}

func (d *differ) replies(a, b *operation) {
	for i, code := range keys(a.replies) {
		old, _ := d.a.deref(a.replies.Items[i])
		now, _ := d.b.deref(b.replies.Get(code))
		path := b.String() + " " + code
		if now == nil {
			if b.replies.Get(code) == nil && !b.replies.IsCut() && !strings.HasPrefix(code, "x-") {
				d.replyGone(code, path, old)
			}
			continue
		}
		d.headers(old, now, path)
		d.reply(a, b, old, now, path)
	}
	for i, code := range keys(b.replies) {
		if a.replies.Get(code) == nil && !strings.HasPrefix(code, "x-") && !a.replies.IsCut() {
			rule := "response-non-success-status-added"
			if success(code) {
				rule = "response-success-status-added"
			}
			d.add(rule, change.Compatible, b.String()+" "+code, nil, b.replies.Items[i], "a new answer")
		}
	}
}

func success(code string) bool { return strings.HasPrefix(code, "2") }

func (d *differ) replyGone(code, path string, old *tree.Node) {
	if success(code) {
		d.add("response-success-status-removed", change.Breaking, path, old, nil, "this answer is gone")
		return
	}
	d.add("response-non-success-status-removed", change.Compatible, path, old, nil, "this answer is gone")
}

func (d *differ) reply(a, b *operation, old, now *tree.Node, path string) {
	was, is := d.answers(d.a, a, old), d.answers(d.b, b, now)
	for _, media := range sorted(was) {
		if is[media] == nil {
			d.add("response-media-type-removed", change.Breaking, path+" "+media, was[media], nil, "this type is no longer given")
			continue
		}
		d.media(side{kind: whole}, was[media], is[media], path+" "+media)
	}
	for _, media := range sorted(is) {
		if was[media] == nil {
			d.add("response-media-type-added", change.Compatible, path+" "+media, nil, is[media], "this type is given as well")
		}
	}
}

// answers are the media types of an answer, for all versions.
func (d *differ) answers(doc *document, o *operation, n *tree.Node) map[string]*tree.Node {
	out := map[string]*tree.Node{}
	if !doc.swagger {
		doc.content(n.Get("content"), out)
		return out
	}
	if s := n.Get("schema"); s != nil {
		for _, media := range o.produces {
			out[strings.ToLower(media)] = wrap(s, n)
		}
	}
	return out
}

func (d *differ) headers(old, now *tree.Node, path string) {
	a, b := old.Get("headers"), now.Get("headers")
	for i, name := range keys(a) {
		x, _ := d.a.deref(a.Items[i])
		y, _ := d.b.deref(member(b, name))
		at := path + " header " + name
		switch {
		case y == nil && x.True("required"):
			d.add("required-response-header-removed", change.Breaking, at, x, nil, "the header is gone")
			continue
		case y == nil:
			d.add("optional-response-header-removed", change.Compatible, at, x, nil, "the header, which was optional, is gone")
			continue
		case x.True("required") && !y.True("required"):
			d.add("response-header-became-optional", change.Breaking, at, x.Get("required"), y.Get("required"), "the header may be missing now")
		}
		d.schema(side{kind: header}, headerSchema(x), headerSchema(y), at)
	}
	for i, name := range keys(b) {
		if member(a, name) == nil {
			d.add("response-header-added", change.Compatible, path+" header "+name, nil, b.Items[i], "a new header")
		}
	}
}

// member finds a header, whose names have no case.
func member(n *tree.Node, name string) *tree.Node {
	if m := n.Get(name); m != nil {
		return m
	}
	if i := slices.IndexFunc(keys(n), func(k string) bool { return strings.EqualFold(k, name) }); i >= 0 {
		return n.Items[i]
	}
	return nil
}

func headerSchema(n *tree.Node) *tree.Node {
	if s := n.Get("schema"); s != nil {
		return s
	}
	if n.Get("type") != nil { // 2.0
		return n
	}
	return nil
}
