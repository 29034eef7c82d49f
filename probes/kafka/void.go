package kafka

import (
	"cmp"
	"slices"
)

// voidProducers knows whose transactional batches were aborted, from the lists
// that come with a committed read (KIP-98): a producer's batches are void from
// the listed offset to its next abort marker.
type voidProducers struct {
	coming []aborted // ascending by first
	active map[int64]bool
}

// expect takes the list of one answer. It covers the offsets of that answer
// alone, repeating transactions that began before it.
func (v *voidProducers) expect(list []aborted) {
	v.active, v.coming = nil, nil
	if len(list) > 0 {
		v.active = make(map[int64]bool, len(list))
		v.coming = slices.SortedFunc(slices.Values(list), func(a, b aborted) int { return cmp.Compare(a.first, b.first) })
	}
}

// reach moves on to the batch that ends at last. It comes before end, or a
// transaction whose marker was seen would count as coming.
func (v *voidProducers) reach(last int64) {
	for len(v.coming) > 0 && v.coming[0].first <= last {
		v.active[v.coming[0].producer] = true
		v.coming = v.coming[1:]
	}
}

// end notes a producer's abort marker.
func (v *voidProducers) end(producer int64) { delete(v.active, producer) }
