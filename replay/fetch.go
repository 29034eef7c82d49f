package replay

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"iscope/probes"
)

// nearChunks is how many chunks a fetcher keeps. Replays go through a file in
// nearly its own order; long calls reach back a little.
const nearChunks = 8

// fetcher reads single records again, for replays that must not hold a whole
// capture in memory. It keeps the chunks used last.
type fetcher struct {
	mu   sync.Mutex
	p    *packer
	near []pack // the most recently used last
	in   interner
}

func newFetcher(f io.ReaderAt, size int64, lim limits) (*fetcher, error) {
	p, err := newPacker(f, size, lim)
	return &fetcher{p: p, in: interner{}}, err
}

func (c *fetcher) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.close()
	c.near = nil
}

// record returns the record at a spot. It is safe for concurrent use.
func (r *Reader) record(s spot) (probes.Record, error) {
	c := r.near
	c.mu.Lock()
	defer c.mu.Unlock()
	k, err := c.chunk(s.chunk)
	if err != nil {
		return probes.Record{}, fmt.Errorf("reading the chunk at byte %d: %w", s.chunk, err)
	}
	m, ok := messageAt(k.raw, s.at)
	if !ok {
		return probes.Record{}, fmt.Errorf("the chunk at byte %d has changed", s.chunk)
	}
	return decodeRecord(m.data, c.in)
}

func (c *fetcher) chunk(at int64) (pack, error) {
	if i := slices.IndexFunc(c.near, func(k pack) bool { return k.offset == at }); i >= 0 {
		k := c.near[i]
		c.near = append(slices.Delete(c.near, i, i+1), k)
		return k, nil
	}
	k, _, err := c.p.read(at, true)
	if err != nil {
		return pack{}, err
	}
	if len(c.near) >= nearChunks {
		c.p.out = c.near[0].raw[:0] // reuse the oldest one's memory
		c.near = slices.Delete(c.near, 0, 1)
	} else {
		c.p.out = nil
	}
	c.near = append(c.near, k)
	return k, nil
}
