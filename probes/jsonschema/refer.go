package jsonschema

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// refer compiles what a reference means.
func (c *compiler) refer(from *resource, ref, where string) (*node, error) {
	u, err := from.base.Parse(ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no reference: %w", where, ref, err)
	}
	res, err := c.find(u, from.draft)
	if err != nil {
		return nil, fmt.Errorf("%s: %q: %w", where, ref, err)
	}
	if u.Fragment == "" {
		return c.node(res, res.root, "#")
	}
	if !strings.HasPrefix(u.Fragment, "/") {
		v, ok := res.anchors[u.Fragment]
		if !ok {
			return nil, fmt.Errorf("%s: %q: nothing there has the name %q", where, ref, u.Fragment)
		}
		return c.node(res, v, "#"+u.Fragment)
	}
	res, v, ok := c.follow(res, u.Fragment)
	if !ok {
		return nil, fmt.Errorf("%s: %q: there is no such place", where, ref)
	}
	return c.node(res, v, "#"+u.Fragment)
}

// find returns the resource of an address, and loads its document if need be.
func (c *compiler) find(u *url.URL, around Draft) (*resource, error) {
	address := withoutFragment(u)
	if res := c.resources[address]; res != nil {
		return res, nil
	}
	if c.opts.Load == nil {
		return nil, fmt.Errorf("%s is not in the schema, and nothing else is opened", address)
	}
	doc, err := c.opts.Load(address)
	if err != nil {
		return nil, err
	}
	plain := *u
	plain.Fragment, plain.RawFragment = "", ""
	return c.add(&plain, doc, around)
}

// follow goes down a JSON pointer, into other resources where it crosses one.
func (c *compiler) follow(res *resource, pointer string) (*resource, any, bool) {
	v := res.root
	for _, step := range strings.Split(pointer, "/")[1:] {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		switch at := v.(type) {
		case map[string]any:
			sub, ok := at[step]
			if !ok {
				return nil, nil, false
			}
			v = sub
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil, nil, false
			}
			v = at[i]
		default:
			return nil, nil, false
		}
		if m, ok := v.(map[string]any); ok {
			if sub, err := c.resourceOf(res, m); err == nil && sub != nil {
				res = sub
			}
		}
	}
	return res, v, true
}

// bindDynamic compiles the places that dynamic references may mean, which is known
// only while a document is checked.
func (c *compiler) bindDynamic() (err error) {
	for i := 0; i < len(c.order); i++ { // grows meanwhile
		res := c.order[i]
		res.bound = map[string]*node{}
		for _, name := range sortedNames(res.dynamic) {
			if res.bound[name], err = c.node(res, res.dynamic[name], "#"+name); err != nil {
				return err
			}
		}
		if res.recursive {
			if res.self, err = c.node(res, res.root, "#"); err != nil {
				return err
			}
		}
	}
	return nil
}

// outermost goes through the resources a validation came by, the first one first.
func (s *scope) outermost(pick func(*resource) *node) *node {
	var all []*resource
	for ; s != nil; s = s.parent {
		all = append(all, s.res)
	}
	for _, res := range slices.Backward(all) {
		if n := pick(res); n != nil {
			return n
		}
	}
	return nil
}
