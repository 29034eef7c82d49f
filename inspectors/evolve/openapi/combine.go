package openapi

import (
	"strconv"

	"iscope/inspectors/evolve/tree"
)

// combinations compares allOf, anyOf and oneOf: parts are the same when they
// refer to a schema of the same name, have the same title or are equal; two
// single ones left over are compared.
func (d *differ) combinations(p at, depth int, which half) {
	for _, k := range [][2]string{{"allOf", "all-of"}, {"anyOf", "any-of"}, {"oneOf", "one-of"}} {
		a, b := p.a.Get(k[0]).List(), p.b.Get(k[0]).List()
		if len(a) == 0 && len(b) == 0 {
			continue
		}
		gone, added := d.pair(p, k[0], a, b, depth, which != outer)
		if len(gone) == 1 && len(added) == 1 && inline(a[gone[0]]) && inline(b[added[0]]) {
			if which != outer {
				d.branch(p, k[0], a[gone[0]], b[added[0]], gone[0], depth)
			}
			continue
		}
		if which == inner {
			continue
		}
		all := k[0] == "allOf"
		d.doubtful = d.doubtful || all
		if added = d.annotations(p, all, k[1]+"-added", b, added); len(added) > 0 {
			d.tell(p, k[1]+"-added", all, !all, k[0], "%s to %s: %s", plural(len(added), "part"), k[0], names(b, added))
		}
		if gone = d.annotations(p, all, k[1]+"-removed", a, gone); len(gone) > 0 && !p.b.Get(k[0]).IsCut() {
			d.tell(p, k[1]+"-removed", !all, all, k[0], "%s fewer in %s: %s", plural(len(gone), "part"), k[0], names(a, gone))
		}
		d.doubtful = p.part
	}
}

// inline reports whether a part is written where it stands and has no name.
func inline(n *tree.Node) bool { return n.Str("$ref") == "" && n.Str("title") == "" }

// annotations tells of parts of allOf that only describe, and returns the others.
func (d *differ) annotations(p at, all bool, what string, list []*tree.Node, which []int) (rest []int) {
	if !all {
		return which
	}
	for _, i := range which {
		if describes(list[i]) {
			d.tell(p, what+"-annotation-only", false, false, "allOf", "a part of allOf that only describes")
		} else {
			rest = append(rest, i)
		}
	}
	return rest
}

func describes(n *tree.Node) bool {
	for _, k := range keys(n) {
		switch k {
		case "title", "description", "example", "examples", "deprecated", "externalDocs", "xml", "$comment":
		default:
			return false
		}
	}
	return n.IsMap()
}

// branch compares two parts of a combination, on the level of the whole.
func (d *differ) branch(p at, way string, a, b *tree.Node, i, depth int) {
	p.part = p.part || way == "allOf"
	d.child(p, a, b, p.path+"/"+way+"/"+strconv.Itoa(i), depth)
}

// pair compares parts that are the same and returns the others.
func (d *differ) pair(p at, way string, a, b []*tree.Node, depth int, deep bool) (gone, added []int) {
	taken := make([]bool, len(b))
	byKey := map[string][]int{}
	for j, n := range b {
		byKey[identity(n)] = append(byKey[identity(n)], j)
	}
	for i, n := range a {
		found := -1
		for _, j := range byKey[identity(n)] {
			if !taken[j] {
				found = j
				break
			}
		}
		if found < 0 {
			gone = append(gone, i)
			continue
		}
		taken[found] = true
		if deep {
			d.branch(p, way, n, b[found], i, depth)
		}
	}
	for j := range b {
		if !taken[j] {
			added = append(added, j)
		}
	}
	return gone, added
}

// identity is what makes two parts the same.
func identity(n *tree.Node) string {
	if ref := n.Str("$ref"); ref != "" {
		return "ref " + ref
	}
	if title := n.Str("title"); title != "" {
		return "title " + title
	}
	return n.JSON(1 << 12)
}

func names(list []*tree.Node, which []int) string {
	var out []string
	for _, i := range which {
		n := list[i]
		switch {
		case n.Str("$ref") != "":
			out = append(out, n.Str("$ref"))
		case n.Str("title") != "":
			out = append(out, n.Str("title"))
		default:
			out = append(out, n.JSON(60))
		}
	}
	return some(out)
}
