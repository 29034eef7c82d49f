package kafka

import (
	"cmp"
	"container/heap"
	"context"
	"maps"
	"slices"

	"iscope/probes"
)

// widen is by how much the window grows when it held too few records, and
// widenings how often: compaction and aborted transactions leave offsets without
// a record.
const (
	widen     = 8
	widenings = 2
)

// last yields the newest records before the plan's positions, oldest first. It
// reads as many offsets of each partition as records are wanted and keeps that
// many records, no more.
func (t *tail) last(ctx context.Context, pl *plan) error {
	starts, err := t.p.allOffsets(ctx, offsetsQuery{pl.parts(), atStart, committed}, pl.topics())
	if err != nil {
		return err
	}
	c, err := t.p.known(ctx, pl.topics(), false)
	if err != nil {
		return err
	}
	n := &newest{limit: pl.Last}
	from := map[part]int64{} // where the window begins
	for i := range pl.Parts {
		from[pl.Parts[i].part()] = pl.Parts[i].Next
	}
	span := int64(pl.Last)
	for try := 0; try <= widenings && len(n.items) < pl.Last; try, span = try+1, span*widen {
		window := &plan{}
		for i := range pl.Parts {
			pt := pl.Parts[i].part()
			begin := max(starts[pt], pl.Parts[i].Next-span)
			if begin < from[pt] {
				window.Parts = append(window.Parts, position{pt.topic, pt.id, begin, from[pt]})
				from[pt] = begin
			}
		}
		if len(window.Parts) == 0 {
			break
		}
		if err := t.p.newStream(window, c, t.maker(true)).run(ctx, n.take); err != nil {
			return err
		}
	}
	records := n.sorted()
	for i := range records {
		if !t.yield(&records[i]) {
			break
		}
	}
	return nil
}

// newest keeps the newest few of many records, and all gaps.
type newest struct {
	limit int
	items byAge
	gaps  map[string]probes.Record
}

// byAge is a heap with the oldest on top.
type byAge []item

func (h byAge) Len() int           { return len(h) }
func (h byAge) Less(i, j int) bool { return older(&h[i], &h[j]) < 0 }
func (h byAge) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byAge) Push(x any)        { *h = append(*h, x.(item)) }
func (h *byAge) Pop() any {
	last := len(*h) - 1
	it := (*h)[last]
	*h = (*h)[:last]
	return it
}

// older orders by time, then by topic, partition and offset.
func older(a, b *item) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.topic, b.topic), cmp.Compare(a.id, b.id), cmp.Compare(a.first, b.first))
}

func (n *newest) take(it *item) bool {
	if it.rec.Kind != probes.Message {
		if n.gaps == nil {
			n.gaps = map[string]probes.Record{}
		}
		n.gaps[it.topic+"/"+it.rec.ID] = it.rec
		return true
	}
	switch {
	case len(n.items) < n.limit:
		heap.Push(&n.items, *it)
	case older(&n.items[0], it) < 0:
		n.items[0] = *it
		heap.Fix(&n.items, 0)
	}
	return true
}

// sorted returns the gaps, then the records from the oldest on.
func (n *newest) sorted() []probes.Record {
	out := slices.Collect(maps.Values(n.gaps))
	slices.SortFunc(n.items, func(a, b item) int { return older(&a, &b) })
	for i := range n.items {
		out = append(out, n.items[i].rec)
	}
	return out
}
