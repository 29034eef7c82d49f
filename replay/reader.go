package replay

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sync"

	"iscope/probes"
)

// Reader reads a capture file, finished or not (PATH.part), intact or not: it
// gives every record of every intact chunk and accounts for the rest. What a
// file holds cannot make it panic or take unbounded memory.
//
// Its methods are safe for concurrent use; each Records walks the file anew.
type Reader struct {
	path string
	file io.Closer
	f    io.ReaderAt
	size int64
	lim  limits
	sum  *summary
	head bool
	id   string
	info Info

	mu     sync.Mutex
	damage []Damage
	places []place // attachments
	near   *fetcher
}

// Open opens a capture file. With an intact index at its end it reads little
// more than that; else it reads the whole file once. A file that is no capture
// is an ErrUsage; a damaged one is no error, see Info and Damage.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		kind := probes.ErrUsage
		if os.IsNotExist(err) {
			kind = probes.ErrNotFound
		}
		return nil, &probes.Error{Target: path, Op: "opening the capture", Kind: kind, Err: err}
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("it is no regular file")
	}
	var r *Reader
	if err == nil {
		r, err = newReader(path, f, st.Size(), standard)
	}
	if err != nil {
		_ = f.Close()
		return nil, &probes.Error{Target: path, Op: "opening the capture", Kind: probes.ErrUsage, Err: err,
			Hint: "captures are written by iscope capture"}
	}
	r.file = f
	return r, nil
}

// maxHead is how far into a file that does not begin like a capture a first
// chunk is looked for.
const maxHead = 64 << 20

func newReader(path string, f io.ReaderAt, size int64, lim limits) (*Reader, error) {
	near, err := newFetcher(f, size, lim)
	if err != nil {
		return nil, err
	}
	r := &Reader{path: path, f: f, size: size, lim: lim, near: near}
	p, err := newPacker(f, size, lim)
	if err != nil {
		return nil, err
	}
	defer p.close()
	r.sum = readSummary(p)
	var cut bool
	if r.head, cut = startsRight(p); !r.head && !cut {
		// Perhaps only its first bytes are damaged. A chunk of ours proves it.
		w := walk{p: p, budget: 8*size + 64<<20}
		if _, ok := w.search(0, min(size, maxHead)); !ok {
			return nil, fmt.Errorf("it is no iscope capture")
		}
		r.id = w.id
	}
	r.info = Info{Path: path, Size: size}
	if r.sum != nil {
		r.fromSummary(p)
		return r, nil
	}
	return r, r.fromWalk()
}

// Close closes the file.
func (r *Reader) Close() error {
	r.near.close()
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Damage returns what could not be read: by Open for a file without its index,
// and by the Records that ended last.
func (r *Reader) Damage() []Damage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.damage)
}

// Records yields every intact record in file order, which is the order of their
// arrival. If anything is damaged, an ErrIncomplete comes after the last of
// them; Damage has the details. The records own their bytes.
func (r *Reader) Records(ctx context.Context) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		done, err := r.each(ctx, func(rec probes.Record, _ spot) bool { return yield(rec, nil) })
		if !done {
			return
		}
		if err == nil {
			err = incomplete(r.path, r.Damage())
		}
		if err != nil {
			yield(probes.Record{}, err)
		}
	}
}

// spot is where a record is: a chunk in the file, a place in the chunk.
type spot struct {
	chunk int64
	at    uint32
}

// each walks the file and decodes its records. It reports false when fn ended
// the walk.
func (r *Reader) each(ctx context.Context, fn func(probes.Record, spot) bool) (done bool, err error) {
	done = true
	in := interner{}
	w, err := r.walk(ctx, visitor{chunk: func(k *pack) bool {
		var bad int64
		k.each(func(m message) bool {
			rec, err := decodeRecord(m.data, in)
			if err != nil {
				bad++
				return true
			}
			done = fn(rec, spot{k.offset, m.at})
			return done
		})
		if bad > 0 {
			r.mu.Lock()
			r.damage = append(r.damage, Damage{Offset: k.offset, Records: bad, What: "chunk", Reason: errEnvelope.Error()})
			r.mu.Unlock()
		}
		return done
	}})
	if w != nil {
		r.mu.Lock()
		r.damage = append(r.damage, w.loss.list...)
		r.mu.Unlock()
	}
	return done, err
}

// walk starts a new account of damage and goes through the file.
func (r *Reader) walk(ctx context.Context, v visitor) (*walk, error) {
	p, err := newPacker(r.f, r.size, r.lim)
	if err != nil {
		return nil, err
	}
	defer p.close()
	r.mu.Lock()
	r.damage = nil
	r.mu.Unlock()
	w := &walk{p: p, sum: r.sum, head: r.head, id: r.id}
	return w, w.run(ctx, v)
}
