package replay

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/foxglove/mcap/go/mcap"

	"iscope/probes"
)

const (
	defaultChunk = 1 << 20
	defaultFlush = 250 * time.Millisecond
	// maxBody is the largest body stored whole; more is cut and counted. It
	// keeps every chunk within what Reader accepts.
	maxBody = 64 << 20
	// maxRecord is the largest encoded record.
	maxRecord = 128 << 20
)

// WriterOptions says what a capture file is to remember and how to write it.
type WriterOptions struct {
	Version     string // of iscope
	Environment probes.Environment
	// Redact, if set, is applied to every record before it is encoded. It must
	// be safe for concurrent use and must not write into the record's slices.
	Redact func(probes.Record) probes.Record
	// Redaction is the policy in words, kept in the file.
	Redaction string
	// Filter is the expression the records were chosen by, kept in the file so
	// that nobody takes it for all of the traffic; "" if there was none.
	Filter string
	// FlushEvery is how long a record may wait in memory; 0 is 250 ms. What is
	// lost when iscope is killed is at most this.
	FlushEvery time.Duration
	// ChunkSize is the number of bytes after which a chunk is written; 0 is
	// 1 MiB.
	ChunkSize int
	// Sync also asks the system to write every chunk to the disk, for captures
	// that must survive a power failure.
	Sync bool
}

// Writer writes a capture file. It is a sink for taps, safe for concurrent use:
// Write blocks for as long as the disk does, and never drops.
//
// The file is called PATH.part until Close has finished it.
type Writer struct {
	path string
	opt  WriterOptions
	id   string

	mu     sync.Mutex
	f      *partFile
	mw     *mcap.Writer
	chunk  *chunk
	chans  *channels
	have   map[string]bool // attached schemas
	stats  Stats
	latest uint64 // log time given last
	err    error  // the first failure; final
	closed bool
	ended  time.Time

	armed chan struct{} // a chunk has got its first record
	stop  chan struct{}
	done  chan struct{}
}

// Stats is a writer's account so far.
type Stats struct {
	Records uint64    `json:"records"`
	Pending uint64    `json:"pending"` // of these, not yet in the file
	Gaps    uint64    `json:"gaps"`    // gap records among them
	Cut     uint64    `json:"cut"`     // bodies shortened because they were over 64 MiB
	Chunks  uint64    `json:"chunks"`
	Bytes   int64     `json:"bytes"` // of the file
	Started time.Time `json:"started"`
}

// Summary is what Close reports.
type Summary struct {
	Path string `json:"path"`
	Stats
	Channels int       `json:"channels"`
	Ended    time.Time `json:"ended"`
}

// Create starts a capture file. It never overwrites: an existing PATH or
// PATH.part is an ErrRefused. Only its owner can read the file.
func Create(path string, o WriterOptions) (*Writer, error) {
	f, err := createPart(path)
	if err != nil {
		return nil, err
	}
	w, err := newWriter(path, f, o)
	if err != nil {
		f.abandon()
		return nil, err
	}
	go w.flushInTime()
	return w, nil
}

// Write encodes a record and blocks while the disk does. Its error is final:
// the file then ends where the disk failed, and can be read up to there.
func (w *Writer) Write(ctx context.Context, r probes.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.opt.Redact != nil {
		r = w.opt.Redact(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	ch, created := w.chans.of(&r)
	if ch == nil {
		return w.fail("adding a channel", fmt.Errorf("the file has 65,535 channels"))
	}
	if created {
		w.mw.AddChannel(ch)
	}
	if over := len(r.Body) - maxBody; over > 0 {
		r.Body, r.Cut = r.Body[:maxBody], r.Cut+int64(over)
		w.stats.Cut++
	}
	logTime, pubTime := w.times(&r)
	if len(w.chunk.buf) == 0 {
		w.chunk.born = time.Now()
	}
	size := w.chunk.add(ch, uint32(w.stats.Records), logTime, pubTime, &r)
	w.count(ch, &r)
	if size > maxRecord {
		return w.fail("writing a record", fmt.Errorf("it has %d bytes, the limit is %d", size, maxRecord))
	}
	if len(w.chunk.buf) >= w.opt.ChunkSize {
		return w.flush()
	}
	if w.chunk.count == 1 {
		select {
		case w.armed <- struct{}{}:
		default:
		}
	}
	return nil
}

func (w *Writer) count(ch *mcap.Channel, r *probes.Record) {
	w.stats.Records++
	w.stats.Pending++
	w.mw.Statistics.MessageCount++
	w.mw.Statistics.ChannelMessageCounts[ch.ID]++
	if r.Kind == probes.Gap {
		w.stats.Gaps++
	}
}

// times are MCAP's log time (ours) and publish time (the peer's), nanoseconds
// since 1970. A record without times is given those of the one before.
func (w *Writer) times(r *probes.Record) (logTime, pubTime uint64) {
	seen, ok := nanos(r.Seen)
	if !ok {
		if seen, ok = nanos(r.Time); !ok {
			seen = w.latest
		}
	}
	w.latest = seen
	if pubTime, ok = nanos(r.Time); !ok {
		pubTime = seen
	}
	return seen, pubTime
}

func nanos(t time.Time) (uint64, bool) {
	if t.IsZero() || t.Unix() < 0 || t.Unix() > math.MaxInt64/int64(time.Second)-1 {
		return 0, false
	}
	return uint64(t.UnixNano()), true
}

// Stats returns the account so far.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Bytes = w.f.size
	return s
}

// usable returns the error that ended the writer, if one did.
func (w *Writer) usable() error {
	if w.err == nil && w.closed {
		return &probes.Error{Target: w.path, Op: "writing the capture", Kind: probes.ErrUsage, Err: errClosed}
	}
	return w.err
}

// fail makes an error final.
func (w *Writer) fail(op string, err error) error {
	if w.err == nil {
		w.err = &probes.Error{Target: w.path, Op: op, Kind: probes.ErrIncomplete, Err: err,
			Hint: "what was written before is in " + w.f.name() + " and can be read"}
	}
	return w.err
}
