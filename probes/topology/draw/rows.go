package draw

import (
	"math"
	"slices"
)

// placeRows gives each item a row, in the order found, as close to the
// neighbours as possible: the rows of neighbouring layers are of different
// parity.
func (d *drawing) placeRows() {
	y := make([]float64, len(d.items))
	for i, p := range d.positions() {
		y[i] = 2 * p
	}
	const rounds = 12
	for r := range rounds {
		for i := range d.layers {
			l := d.layers[i]
			if r%2 == 1 {
				l = d.layers[len(d.layers)-1-i]
			}
			d.relax(l, y)
		}
	}
	lowest := math.MaxInt
	for i, l := range d.layers {
		parity := i % 2
		for k, it := range l {
			row := 2*int(math.Round((y[it]-float64(parity))/2)) + parity
			if k > 0 {
				row = max(row, d.items[l[k-1]].row+2)
			}
			d.items[it].row = row
			lowest = min(lowest, row)
		}
	}
	d.closeUp(lowest)
}

// relax moves a layer's items to the mean of their neighbours, at least two
// rows apart: the least squares solution, by pooling those that collide.
func (d *drawing) relax(layer []int, y []float64) {
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for i, it := range layer {
		want := y[it]
		if near := slices.Concat(d.items[it].ins, d.items[it].outs); len(near) > 0 {
			want = mean(near, y)
		}
		pools = append(pools, pool{want - 2*float64(i), 1})
		for k := len(pools) - 1; k > 0 && pools[k].sum/float64(pools[k].n) < pools[k-1].sum/float64(pools[k-1].n); k-- {
			pools[k-1].sum += pools[k].sum
			pools[k-1].n += pools[k].n
			pools = pools[:k]
		}
	}
	i := 0
	for _, p := range pools {
		for range p.n {
			y[layer[i]] = p.sum/float64(p.n) + 2*float64(i)
			i++
		}
	}
}

// closeUp moves everything to the top and takes out pairs of rows that hold
// nothing.
func (d *drawing) closeUp(top int) {
	used := map[int]bool{}
	for i := range d.items {
		d.items[i].row -= top
		used[d.items[i].row] = true
	}
	for row := 0; row < d.height(); row++ {
		for row+1 < d.height() && !used[row] && !used[row+1] {
			shifted := map[int]bool{}
			for i := range d.items {
				if d.items[i].row > row {
					d.items[i].row -= 2
				}
				shifted[d.items[i].row] = true
			}
			used = shifted
		}
	}
}

// height is the last row that holds an item.
func (d *drawing) height() int {
	h := -1
	for i := range d.items {
		h = max(h, d.items[i].row)
	}
	return h
}
