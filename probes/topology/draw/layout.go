package draw

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// item is what takes a row in a layer: a node, or the place where the edges of
// one source pass through the layer on their way further right.
type item struct {
	node  int // index of the node; of the source for a passage
	pass  bool
	layer int
	row   int
	outs  []int // items of the next layer
	ins   []int // items of the layer before
}

// key names an item over several pictures.
func (d *drawing) key(it *item) string {
	if it.pass {
		return d.nodes[it.node].ID + "\x00" + strconv.Itoa(it.layer)
	}
	return d.nodes[it.node].ID
}

// layOut finds every item's layer and row.
func (d *drawing) layOut(last *Picture) {
	d.makeItems(d.longestPaths())
	if last != nil && len(last.rows) > 0 {
		d.orderLike(last.rows)
	} else {
		d.orderAnew()
	}
	d.placeRows()
}

// longestPaths gives each node the layer after its last predecessor. A node
// without predecessors goes right before its first successor.
func (d *drawing) longestPaths() []int {
	layer := make([]int, len(d.nodes))
	for range d.nodes { // as often as the longest possible path is long
		for _, e := range d.edges {
			layer[e.to] = max(layer[e.to], layer[e.from]+1)
		}
	}
	entered := make([]bool, len(d.nodes))
	nearest := make([]int, len(d.nodes))
	for _, e := range d.edges {
		entered[e.to] = true
		if n := nearest[e.from]; n == 0 || layer[e.to] < n {
			nearest[e.from] = layer[e.to]
		}
	}
	for v := range layer {
		if !entered[v] && nearest[v] > 0 {
			layer[v] = nearest[v] - 1
		}
	}
	return layer
}

// makeItems makes one item per node, and per source one passage in each layer
// that its edges cross.
func (d *drawing) makeItems(layer []int) {
	d.layers = nil
	add := func(it item) int {
		for len(d.layers) <= it.layer {
			d.layers = append(d.layers, nil)
		}
		d.layers[it.layer] = append(d.layers[it.layer], len(d.items))
		d.items = append(d.items, it)
		return len(d.items) - 1
	}
	for v := range d.nodes {
		add(item{node: v, layer: layer[v]})
	}
	link := func(a, b int) {
		d.items[a].outs = append(d.items[a].outs, b)
		d.items[b].ins = append(d.items[b].ins, a)
	}
	passages := map[[2]int]int{}
	for _, e := range d.edges {
		at := e.from
		for l := layer[e.from] + 1; l < layer[e.to]; l++ {
			k := [2]int{e.from, l}
			next, ok := passages[k]
			if !ok {
				next = add(item{node: e.from, pass: true, layer: l})
				passages[k] = next
				link(at, next)
			}
			at = next
		}
		link(at, e.to)
	}
}

// orderAnew sorts each layer by the mean position of the neighbours, back and
// forth, exchanges neighbours where that helps, and keeps the order with the fewest crossings.
func (d *drawing) orderAnew() {
	const sweeps = 24
	best, fewest := d.cloneLayers(), d.crossings()
	for i := range sweeps {
		for l := range d.layers {
			if i%2 == 0 {
				d.sortByMean(d.layers[l], func(it *item) []int { return it.ins })
			} else {
				d.sortByMean(d.layers[len(d.layers)-1-l], func(it *item) []int { return it.outs })
			}
		}
		if n := d.swapNeighbours(); n < fewest {
			best, fewest = d.cloneLayers(), n
		}
	}
	d.layers = best
}

// swapNeighbours exchanges neighbours as long as that saves crossings, and
// returns how many are left.
func (d *drawing) swapNeighbours() int {
	fewest := d.crossings()
	for better := true; better; {
		better = false
		for _, l := range d.layers {
			for i := range len(l) - 1 {
				l[i], l[i+1] = l[i+1], l[i]
				if n := d.crossings(); n < fewest {
					fewest, better = n, true
				} else {
					l[i], l[i+1] = l[i+1], l[i]
				}
			}
		}
	}
	return fewest
}

func (d *drawing) cloneLayers() [][]int {
	out := make([][]int, len(d.layers))
	for i, l := range d.layers {
		out[i] = slices.Clone(l)
	}
	return out
}

// positions says where in its layer each item is.
func (d *drawing) positions() []float64 {
	pos := make([]float64, len(d.items))
	for _, l := range d.layers {
		for i, it := range l {
			pos[it] = float64(i) - float64(len(l)-1)/2 // layers are centred
		}
	}
	return pos
}

func (d *drawing) sortByMean(layer []int, of func(*item) []int) {
	pos := d.positions()
	want := slices.Clone(pos)
	for _, it := range layer {
		if near := of(&d.items[it]); len(near) > 0 {
			want[it] = mean(near, pos)
		}
	}
	slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(want[a], want[b]) })
}

func mean(items []int, pos []float64) float64 {
	sum := 0.0
	for _, it := range items {
		sum += pos[it]
	}
	return sum / float64(len(items))
}

func (d *drawing) crossings() int {
	pos, n := d.positions(), 0
	for _, l := range d.layers {
		for i, a := range l {
			for _, b := range l[i+1:] {
				for _, x := range d.items[a].outs {
					for _, y := range d.items[b].outs {
						if pos[x] > pos[y] {
							n++
						}
					}
				}
			}
		}
	}
	return n
}

// orderLike keeps the order of a picture drawn before. New items go where
// their neighbours are.
func (d *drawing) orderLike(rows map[string]float64) {
	at := make([]float64, len(d.items))
	for i := range d.items {
		row, ok := rows[d.key(&d.items[i])]
		if !ok {
			row = math.NaN()
		}
		at[i] = row
	}
	for i := range d.items {
		if !math.IsNaN(at[i]) {
			continue
		}
		sum, n := 0.0, 0
		for _, near := range slices.Concat(d.items[i].ins, d.items[i].outs) {
			if !math.IsNaN(at[near]) {
				sum, n = sum+at[near], n+1
			}
		}
		if n > 0 {
			at[i] = sum / float64(n)
		}
	}
	for _, l := range d.layers {
		slices.SortStableFunc(l, func(a, b int) int {
			switch {
			case math.IsNaN(at[a]) || math.IsNaN(at[b]):
				return boolToInt(math.IsNaN(at[a])) - boolToInt(math.IsNaN(at[b])) // unknown ones last
			}
			return cmp.Compare(at[a], at[b])
		})
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
