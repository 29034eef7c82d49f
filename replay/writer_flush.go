package replay

import (
	"errors"
	"fmt"
	"time"
)

var errClosed = errors.New("the capture is closed")

// flush writes the collected chunk. The caller holds the lock.
func (w *Writer) flush() error {
	if w.err != nil || len(w.chunk.buf) == 0 {
		return w.err
	}
	chunk, indexes := w.chunk.seal()
	if err := w.mw.WriteChunkWithIndexes(chunk, indexes); err != nil {
		return w.fail("writing the capture", err)
	}
	if err := w.f.flush(w.opt.Sync); err != nil {
		return w.fail("writing the capture", err)
	}
	w.chunk.reset()
	w.stats.Chunks++
	w.stats.Pending = 0
	return nil
}

// flushInTime writes chunks that grow too slowly to fill up. It sleeps while
// there is nothing to write.
func (w *Writer) flushInTime() {
	defer close(w.done)
	for {
		select {
		case <-w.stop:
			return
		case <-w.armed:
		}
		for wait := w.opt.FlushEvery; wait > 0; {
			timer := time.NewTimer(wait)
			select {
			case <-w.stop:
				timer.Stop()
				return
			case <-timer.C:
			}
			wait = w.flushDue()
		}
	}
}

// flushDue writes the chunk if its oldest record has waited long enough, and
// returns how much longer to wait otherwise; 0 when nothing is waiting. An
// error is kept for the next Write.
func (w *Writer) flushDue() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.chunk.buf) == 0 || w.err != nil || w.closed {
		return 0
	}
	if rest := w.opt.FlushEvery - time.Since(w.chunk.born); rest > 0 {
		return rest
	}
	_ = w.flush() // kept in w.err
	return 0
}

// Close writes what is pending and the index, and gives the file its final
// name. After an error the file stays as PATH.part. Closing twice returns the
// same.
func (w *Writer) Close() (Summary, error) {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	w.mu.Unlock()
	if first {
		close(w.stop)
	}
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if first {
		w.finish()
	}
	s := Summary{Path: w.path, Stats: w.stats, Channels: len(w.chans.byKey), Ended: w.ended}
	s.Bytes = w.f.size
	if w.err != nil {
		s.Path = w.f.name()
	}
	return s, w.err
}

// finish ends the file; what goes wrong is kept in w.err.
func (w *Writer) finish() {
	w.ended = time.Now()
	if w.flush() != nil {
		w.f.abandonQuietly()
		return
	}
	end := map[string]string{"ended": formatTime(w.ended), "records": fmt.Sprint(w.stats.Records)}
	if err := w.writeMetadata(metaEnd, end); err != nil {
		w.f.abandonQuietly()
		return
	}
	if err := w.mw.Close(); err != nil {
		_ = w.fail("finishing the capture", err)
		w.f.abandonQuietly()
		return
	}
	if err := w.f.commit(w.path); err != nil {
		_ = w.fail("finishing the capture", err)
	}
}
