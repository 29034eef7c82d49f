package jsonschema

import (
	"strconv"

	"iscope/inspectors/evolve/tree"
)

// items splits the two forms of arrays: a list of schemas for the first items
// and one for the rest ("items" as a list with "additionalItems" up to draft 7,
// "prefixItems" with "items" since), or one schema for all.
func items(n *tree.Node) (first []*tree.Node, all, rest *tree.Node, restKey string) {
	it := n.Get("items")
	switch {
	case n.Get("prefixItems") != nil:
		return n.Get("prefixItems").List(), nil, it, "items"
	case it != nil && it.Kind == tree.List:
		return it.Items, nil, n.Get("additionalItems"), "additionalItems"
	}
	return nil, it, n.Get("additionalItems"), "additionalItems"
}

func (d *differ) array(at place) {
	firstA, allA, restA, _ := items(at.a)
	firstB, allB, restB, key := items(at.b)
	p := place{at.path + "/items", allA, allB}
	switch {
	case allA == nil && allB == nil:
	case allA == nil && firstA == nil:
		if !anything(d.b.deref(allB)) {
			d.emit("SCHEMA_ADDED", false, true, p, "items have to fit a schema now")
		}
	case allB == nil && firstB == nil:
		d.emit("SCHEMA_REMOVED", true, anything(d.a.deref(allA)), p, "items may be anything now")
	case allA != nil && allB != nil:
		d.compare(allA, allB, p.path)
	default:
		d.emit("TYPE_CHANGED", false, false, p, "one schema for all items became one for each, or the reverse")
		return
	}
	for i := range max(len(firstA), len(firstB)) {
		path := at.path + "/items/" + strconv.Itoa(i)
		switch {
		case i >= len(firstB):
			d.itemRemoved(place{path, firstA[i], nil}, restB)
		case i >= len(firstA):
			d.itemAdded(place{path, nil, firstB[i]}, restA)
		default:
			d.compare(firstA[i], firstB[i], path)
		}
	}
	if firstA != nil || firstB != nil || key == "additionalItems" {
		d.rest(place{at.path + "/" + key, restA, restB})
	}
	d.contains(at)
}

func (d *differ) itemRemoved(p place, rest *tree.Node) {
	switch {
	case rest == nil || rest.Kind == tree.Bool && !nothing(rest):
		d.emit("ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL", true, anything(p.a), p, "this item may be anything now")
	case rest.IsMap():
		if d.try(p.a, rest, p.path) {
			d.emit("ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", true, true, p, "this item is one of the rest now, which allows it")
		} else {
			d.emit("ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", false, true, p, "this item is one of the rest now, which does not allow it")
		}
	case nothing(p.a):
		d.emit("ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", true, true, p, "an item that nothing could be is gone")
	default:
		d.emit("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", false, true, p, "this item is no longer allowed")
	}
}

func (d *differ) itemAdded(p place, rest *tree.Node) {
	switch {
	case rest == nil || rest.Kind == tree.Bool && !nothing(rest):
		if anything(p.b) {
			d.emit("ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", true, true, p, "this item is listed now; it may be anything, as before")
		} else {
			d.emit("ITEM_ADDED_TO_OPEN_CONTENT_MODEL", false, true, p, "this item has to fit a schema now: before, it could be anything")
		}
	case rest.IsMap():
		if d.try(rest, p.b, p.path) {
			d.emit("ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", true, true, p, "this item is listed now; what the rest allowed stays valid")
		} else {
			d.emit("ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", false, true, p, "this item is listed now, with less than the rest allowed")
		}
	default:
		d.emit("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL", true, false, p, "one more item is allowed")
	}
}

// rest compares what follows the listed items.
func (d *differ) rest(p place) {
	switch {
	case nothing(p.a) && !nothing(p.b):
		d.emit("ADDITIONAL_ITEMS_ADDED", true, false, p, "more items than those listed are allowed now")
	case nothing(p.b) && !nothing(p.a):
		d.emit("ADDITIONAL_ITEMS_REMOVED", false, true, p, "only the listed items are allowed now")
	case nothing(p.a):
	case !p.a.IsMap() && p.b.IsMap():
		d.emit("ADDITIONAL_ITEMS_NARROWED", anything(p.b), true, p, "further items have to fit a schema now")
	case p.a.IsMap() && !p.b.IsMap():
		d.emit("ADDITIONAL_ITEMS_EXTENDED", true, anything(p.a), p, "further items may be anything now")
	case p.a.IsMap():
		d.compare(p.a, p.b, p.path)
	}
}

func (d *differ) contains(at place) {
	a, b := at.a.Get("contains"), at.b.Get("contains")
	p := place{at.path + "/contains", a, b}
	switch {
	case a == nil && b == nil:
	case a == nil:
		d.emit("CONTAINS_ADDED", false, true, p, "one item has to fit a schema now")
	case b == nil:
		d.emit("CONTAINS_REMOVED", true, false, p, "no item has to fit a schema any more")
	default:
		d.compare(a, b, p.path)
	}
}
