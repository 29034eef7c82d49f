package replay

import (
	"bytes"
	"io"

	"github.com/foxglove/mcap/go/mcap"
)

// recover writes down that the record at pos cannot be read and moves pos to
// the next thing that can: by the summary's index, by the record's own length
// if something sensible follows, or by searching for a chunk.
func (w *walk) recover(what string, cause error) {
	start := w.pos
	next, lenient := w.findNext(start)
	w.pos, w.lenient = next, lenient
	w.loss.add(Damage{Offset: start, Bytes: max(next-start, min(recordHead, w.p.size-start)), Records: -1,
		What: what, Reason: cause.Error()})
}

func (w *walk) findNext(start int64) (next int64, lenient bool) {
	if !w.lenient && w.chunkAt(start) {
		return start, true
	}
	if w.sum != nil {
		return w.sum.next(start), false
	}
	if next, ok := w.follower(start); ok {
		return next, false
	}
	if at, ok := w.search(start+1, w.p.size); ok {
		return at, true
	}
	return w.p.size, false
}

// chunkAt reports whether there is a chunk of this capture at an offset, never
// mind its opcode and length.
func (w *walk) chunkAt(at int64) bool {
	if w.budget < 0 {
		return false
	}
	k, cost, err := w.p.read(at, true)
	w.budget -= cost
	if err != nil {
		return false
	}
	id := k.capture()
	if id == "" || w.id != "" && id != w.id {
		return false // perhaps a capture file inside a captured payload
	}
	w.id = id
	return true
}

// follower trusts the length of a damaged record if what follows is in order.
func (w *walk) follower(start int64) (int64, bool) {
	var b [recordHead]byte
	if w.p.readAt(b[:], start) != nil {
		return 0, false
	}
	c := cursor{b: b[1:]}
	length := c.u64()
	if length > uint64(w.p.size-start-recordHead) {
		return 0, false
	}
	next := start + recordHead + int64(length)
	_, _, err := w.examine(next)
	return next, err == nil
}

const searchWindow = 1 << 20

// search looks for the next chunk of this capture between two offsets.
func (w *walk) search(from, until int64) (int64, bool) {
	window := max(0, min(searchWindow, until-from))
	buf := make([]byte, window+int64(len(packSign))-1) // a sign may lie across two windows
	for base := from; base < until && w.budget >= 0; base += window {
		n, err := w.p.f.ReadAt(buf, base)
		if err != nil && err != io.EOF {
			return 0, false
		}
		for off := 0; off < n; {
			i := bytes.Index(buf[off:n], packSign)
			if i < 0 {
				break
			}
			at := base + int64(off+i) - packName
			if at >= from && w.chunkAt(at) {
				return at, true
			}
			off += i + 1
		}
	}
	return 0, false
}

// close ends the account.
func (w *walk) close() {
	if w.sum != nil {
		w.loss.end(w.sum.records, true)
		return
	}
	size := w.p.size
	switch n := len(w.loss.list); {
	case w.ended:
		w.loss.add(Damage{Offset: w.pos, Bytes: size - w.pos, Records: 0, What: "summary",
			Reason: "the index at the end of the file is missing or damaged"})
	case n > 0 && w.loss.list[n-1].Offset+w.loss.list[n-1].Bytes >= size && w.loss.list[n-1].Bytes > 0:
		// that place reaches to the end of the file and says enough
	case w.hasNote:
		w.loss.add(Damage{Offset: w.pos, Bytes: size - w.pos, Records: 0, What: "summary",
			Reason: "the file ends before its index"})
	default:
		w.loss.add(Damage{Offset: w.pos, Bytes: size - w.pos, Records: -1, What: "end",
			Reason: "the capture was not closed: what came later is not in the file"})
	}
	w.loss.end(w.total, w.hasNote)
}

// startsRight reports whether a file begins as a capture does. A file cut
// within its head counts: it is a capture of nothing.
func startsRight(p *packer) (right, cut bool) {
	head := append(bytes.Clone(mcap.Magic), byte(mcap.OpHeader))
	if p.size < int64(len(head)) {
		b := make([]byte, p.size)
		return false, p.readAt(b, 0) == nil && bytes.HasPrefix(head, b)
	}
	b := make([]byte, len(head)+8+4+len(profile))
	if p.size < int64(len(b)) {
		b = b[:p.size]
	}
	if p.readAt(b, 0) != nil || !bytes.HasPrefix(b, head) {
		return false, false
	}
	if len(b) < len(head)+8+4+len(profile) {
		return false, true
	}
	return string(b[len(b)-len(profile):]) == profile, false
}
