package jsonschema

import (
	"strconv"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

// combined compares allOf, anyOf and oneOf, and reports whether that was all
// there is to compare.
func (d *differ) combined(at place) (done bool) {
	wayA, subsA := criterion(at.a)
	wayB, subsB := criterion(at.b)
	plainA, plainB := plain(at.a), plain(at.b)
	switch {
	case wayA == "" && wayB == "":
		return false
	case wayA == "":
		return d.becameCombined(at, wayB, subsB, plainB)
	case wayB == "":
		if len(subsA) == 1 && !plainA {
			d.compare(subsA[0], at.b, at.path)
			return true
		}
		if plainA && plainB { // the combination is gone, the rest is there
			d.emit(removal(wayA), true, false, place{at.path + "/" + wayA, at.a.Get(wayA), nil}, "%s is gone", wayA)
			return false
		}
		d.becamePlain(at, wayA, subsA)
		return true
	}
	if d.way(at, wayA, wayB, len(subsA), len(subsB)) {
		d.parts(at, wayA, wayB, subsA, subsB)
	}
	return !plainA && !plainB
}

// plain reports whether a schema has keywords of its own beside a combination.
func plain(n *tree.Node) bool {
	for _, k := range keys(n) {
		if !annotation(k) && k != "allOf" && k != "anyOf" && k != "oneOf" {
			return true
		}
	}
	return false
}

func removal(way string) string {
	if way == "allOf" {
		return "PRODUCT_TYPE_NARROWED"
	}
	return "COMBINED_TYPE_EXTENDED"
}

func (d *differ) becameCombined(at place, way string, subs []*tree.Node, rest bool) bool {
	p := place{at.path + "/" + way, nil, at.b.Get(way)}
	if rest { // one more condition beside those that were there
		d.emit("PRODUCT_TYPE_EXTENDED", false, true, p, "%s is one more condition", way)
		return false
	}
	if len(subs) == 1 {
		d.compare(at.a, subs[0], at.path)
		return true
	}
	if way != "allOf" {
		for i, s := range subs {
			try := d.sub()
			try.mode = Backward
			try.compare(at.a, s, at.path+"/"+way+"/"+strconv.Itoa(i))
			if try.fits() {
				d.changes = append(d.changes, try.changes...)
				d.emit("SUM_TYPE_EXTENDED", true, false, p, "what was allowed is one of %d alternatives now", len(subs))
				return true
			}
		}
	}
	d.emit("TYPE_CHANGED", false, false, p, "a schema became %s of others, none of which allows what was allowed", way)
	return true
}

func (d *differ) becamePlain(at place, way string, subs []*tree.Node) {
	p := place{at.path + "/" + way, at.a.Get(way), nil}
	all := way != "allOf"
	for i, s := range subs {
		try := d.sub()
		try.mode = Backward
		try.compare(s, at.b, at.path+"/"+way+"/"+strconv.Itoa(i))
		all = all && try.fits()
	}
	if all && len(subs) > 0 {
		d.emit("TYPE_EXTENDED", true, false, p, "one schema that allows all that the alternatives allowed")
		return
	}
	d.emit("TYPE_CHANGED", false, true, p, "%s of several schemas became one schema, which does not allow all of them", way)
}

// way compares how schemas are combined, and reports whether their parts can be
// compared.
func (d *differ) way(at place, a, b string, countA, countB int) bool {
	p := place{at.path, nil, nil}
	switch {
	case a == b:
		return true
	case b == "anyOf", b == "oneOf" && countA == 1, b == "allOf" && countA == 1 && countB == 1:
		d.emit("COMBINED_TYPE_EXTENDED", true, false, p, "%s became %s", a, b)
		return true
	}
	d.emit("COMBINED_TYPE_CHANGED", false, false, p, "%s became %s", a, b)
	return false
}

// maxParts bounds the number of parts that are matched with one another.
const maxParts = 64

func (d *differ) parts(at place, wayA, wayB string, a, b []*tree.Node) {
	a, b = distinct(a), distinct(b)
	p := place{at.path + "/" + wayB, at.a.Get(wayA), at.b.Get(wayB)}
	product := wayB == "allOf"
	switch {
	case len(a) < len(b) && product:
		d.emit("PRODUCT_TYPE_EXTENDED", false, true, p, "%d conditions became %d", len(a), len(b))
	case len(a) < len(b):
		d.emit("SUM_TYPE_EXTENDED", true, false, p, "%d alternatives became %d", len(a), len(b))
	case len(a) > len(b) && product:
		d.emit("PRODUCT_TYPE_NARROWED", true, false, p, "%d conditions became %d", len(a), len(b))
	case len(a) > len(b):
		d.emit("SUM_TYPE_NARROWED", false, true, p, "%d alternatives became %d", len(a), len(b))
	}
	if len(a) > maxParts || len(b) > maxParts {
		d.manyParts(p, a, b)
		return
	}
	found := map[[2]int][]change.Change{}
	edges := make([][]int, len(a))
	for i := range a {
		for j := range b {
			try := d.sub()
			try.compare(a[i], b[j], at.path+"/"+wayA+"/"+strconv.Itoa(i))
			if try.fits() {
				edges[i] = append(edges[i], j)
				found[[2]int{i, j}] = try.changes
			}
		}
		preferEqual(a[i], b, edges[i])
	}
	matched := match(edges, len(b))
	pairs := 0
	for j, i := range matched {
		if i >= 0 {
			pairs++
			d.changes = append(d.changes, found[[2]int{i, j}]...)
		}
	}
	if pairs < min(len(a), len(b)) {
		d.emit("COMBINED_TYPE_SUBSCHEMAS_CHANGED", false, false, p, "some parts of %s have no counterpart that allows what they allowed", wayA)
	}
}

// manyParts compares by equality only.
func (d *differ) manyParts(p place, a, b []*tree.Node) {
	known := make(map[string]bool, len(b))
	for _, n := range b {
		known[n.JSON(1<<14)] = true
	}
	for _, n := range a {
		if !known[n.JSON(1<<14)] {
			d.emit("COMBINED_TYPE_SUBSCHEMAS_CHANGED", false, false, p, "some of %d parts are others now", len(a))
			return
		}
	}
}

// distinct leaves out parts that are there twice.
func distinct(in []*tree.Node) (out []*tree.Node) {
	known := map[string]bool{}
	for _, n := range in {
		if key := n.JSON(1 << 14); !known[key] {
			known[key] = true
			out = append(out, n)
		}
	}
	return out
}

// preferEqual puts the counterpart that is the same first.
func preferEqual(a *tree.Node, b []*tree.Node, edges []int) {
	for k, j := range edges {
		if tree.Equal(a, b[j]) {
			edges[0], edges[k] = edges[k], edges[0]
			return
		}
	}
}

// match finds a largest matching (Kuhn's algorithm): for each right side the
// left one, or -1.
func match(edges [][]int, right int) []int {
	of := make([]int, right)
	for j := range of {
		of[j] = -1
	}
	for i := range edges {
		augment(i, edges, of, make([]bool, right))
	}
	return of
}

func augment(i int, edges [][]int, of []int, tried []bool) bool {
	for _, j := range edges[i] {
		if tried[j] {
			continue
		}
		tried[j] = true
		if of[j] < 0 || augment(of[j], edges, of, tried) {
			of[j] = i
			return true
		}
	}
	return false
}
