package draw

import (
	"cmp"
	"slices"
)

// bus is the vertical line of one source in the gap after its layer.
type bus struct {
	from   int   // item
	exit   int   // row of the source
	rows   []int // rows of the targets
	lo, hi int
	track  int
}

// route puts the buses of a gap on as few tracks as they need: two may share
// one if a free row is between them. Of several orders the one with the fewest
// crossings is taken.
func (d *drawing) route(layer int) (list []bus, tracks int) {
	for _, it := range d.layers[layer] {
		if len(d.items[it].outs) == 0 {
			continue
		}
		b := bus{from: it, exit: d.items[it].row}
		b.lo, b.hi = b.exit, b.exit
		for _, to := range d.items[it].outs {
			row := d.items[to].row
			b.rows, b.lo, b.hi = append(b.rows, row), min(b.lo, row), max(b.hi, row)
		}
		list = append(list, b)
	}
	orders := []func(a, b bus) int{
		func(a, b bus) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.exit, b.exit)) },
		func(a, b bus) int { return cmp.Or(cmp.Compare(b.lo, a.lo), cmp.Compare(a.exit, b.exit)) },
		func(a, b bus) int { return cmp.Compare(a.exit, b.exit) },
		func(a, b bus) int { return cmp.Compare(b.exit, a.exit) },
	}
	var best []bus
	fewest := 0
	for _, order := range orders {
		try := slices.Clone(list)
		slices.SortFunc(try, order)
		n := assign(try)
		if cost := n + 3*busCrossings(try); best == nil || cost < fewest {
			best, fewest, tracks = try, cost, n
		}
	}
	return best, tracks
}

// assign gives each bus the first track where it fits.
func assign(list []bus) (tracks int) {
	for i := range list {
		for clash := true; clash; {
			clash = slices.ContainsFunc(list[:i], func(o bus) bool {
				return o.track == list[i].track && o.lo <= list[i].hi+1 && list[i].lo <= o.hi+1
			})
			if clash {
				list[i].track++
			}
		}
		tracks = max(tracks, list[i].track+1)
	}
	return tracks
}

// busCrossings counts where a bus passes over a line of another.
func busCrossings(list []bus) (n int) {
	for i := range list {
		for k := range list {
			over, line := &list[i], &list[k]
			if i == k {
				continue
			}
			if over.track < line.track && over.lo < line.exit && line.exit < over.hi {
				n++
			}
			for _, row := range line.rows {
				if over.track > line.track && over.lo < row && row < over.hi && !slices.Contains(over.rows, row) {
					n++
				}
			}
		}
	}
	return n
}
