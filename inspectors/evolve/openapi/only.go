package openapi

import (
	"strings"

	"iscope/inspectors/evolve/tree"
)

// Only returns a document with one operation ("GET /orders/{id}"), or the names
// of all where there is no such one.
func Only(root *tree.Node, subject string) (*tree.Node, []string) {
	method, path, _ := strings.Cut(subject, " ")
	paths := root.Get("paths")
	var names []string
	for i, p := range keys(paths) {
		for j, m := range keys(paths.Items[i]) {
			names = append(names, strings.ToUpper(m)+" "+p)
			if p != path || !strings.EqualFold(m, method) {
				continue
			}
			item := paths.Items[i]
			one := &tree.Node{Kind: tree.Map, Line: item.Line, Keys: []string{m}, Items: []*tree.Node{item.Items[j]}}
			if shared := item.Get("parameters"); shared != nil {
				one.Keys, one.Items = append(one.Keys, "parameters"), append(one.Items, shared)
			}
			return withPaths(root, &tree.Node{Kind: tree.Map, Line: paths.Line, Keys: []string{p}, Items: []*tree.Node{one}}), nil
		}
	}
	return nil, names
}

// withPaths copies a document with other paths, and without what the others
// need only.
func withPaths(root, paths *tree.Node) *tree.Node {
	out := &tree.Node{Kind: tree.Map, Line: root.Line, Cut: root.Cut}
	for i, k := range root.Keys {
		switch k {
		case "paths":
			out.Keys, out.Items = append(out.Keys, k), append(out.Items, paths)
		case "webhooks", "tags":
		default:
			out.Keys, out.Items = append(out.Keys, k), append(out.Items, root.Items[i])
		}
	}
	return out
}
