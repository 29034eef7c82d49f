package replay

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/foxglove/mcap/go/mcap"
)

// maxSmall bounds the records that are read whole besides chunks: head,
// schemas, channels, metadata.
const maxSmall = 16 << 20

// place is where an attachment or a metadata record is.
type place struct {
	offset, length int64
	name           string
}

// visitor is told what a walk finds. Any function may be nil; chunk returns
// false to end the walk.
type visitor struct {
	chunk      func(*pack) bool
	metadata   func(name string, pairs map[string]string)
	attachment func(place)
}

// walk goes through a file's data section record by record, in file order, and
// keeps an account of what it could not read.
type walk struct {
	p    *packer
	sum  *summary // nil unless its checksum is right
	head bool     // the file starts as it should
	id   string   // of the capture, once known
	loss losses

	pos     int64
	lenient bool   // the chunk at pos is good but for its record head
	ended   bool   // reached the end of the data section
	total   uint64 // records written, by the end note; 0 unknown
	hasNote bool
	budget  int64 // bytes that searching may still look at
}

// found is one record of the data section, verified as far as it can be.
type found struct {
	op    mcap.OpCode
	end   int64
	pack  pack
	name  string
	pairs map[string]string
}

func (w *walk) run(ctx context.Context, v visitor) error {
	w.budget = 8*w.p.size + 64<<20
	w.pos = int64(len(mcap.Magic))
	if !w.head {
		w.pos = 0
		w.recover("head", fmt.Errorf("it is not as it was written"))
	}
	for !w.ended && w.pos < w.limit() {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, what, err := w.examine(w.pos)
		if err != nil {
			w.recover(what, err)
			continue
		}
		w.lenient = false
		if !w.visit(v, &rec) {
			return nil
		}
		w.pos = rec.end
	}
	w.close()
	return nil
}

// limit is where the data section must have ended.
func (w *walk) limit() int64 {
	if w.sum != nil {
		return w.sum.start
	}
	return w.p.size
}

func (w *walk) visit(v visitor, rec *found) bool {
	switch rec.op {
	case mcap.OpChunk:
		w.number(&rec.pack)
		return v.chunk == nil || v.chunk(&rec.pack)
	case mcap.OpMetadata:
		w.note(rec.name, rec.pairs)
		if v.metadata != nil {
			v.metadata(rec.name, rec.pairs)
		}
	case mcap.OpAttachment:
		if v.attachment != nil {
			v.attachment(place{w.pos, rec.end - w.pos, rec.name})
		}
	case mcap.OpDataEnd:
		w.ended = true
	}
	return true
}

// number tells the account which records a chunk holds.
func (w *walk) number(k *pack) {
	if w.id == "" {
		w.id = k.capture()
	}
	var first uint32
	var count uint64
	ok := k.each(func(m message) bool {
		if count == 0 {
			first = m.seq
		}
		count++
		return true
	})
	if count > 0 {
		w.loss.chunkAt(k.offset, first, count)
	}
	if !ok {
		w.loss.add(Damage{Offset: k.offset, Bytes: k.end - k.offset, Records: -1, What: "chunk",
			Reason: "its content is no sequence of records"})
	}
}

func (w *walk) note(name string, pairs map[string]string) {
	switch name {
	case metaCapture:
		if w.id == "" {
			w.id = pairs["id"]
		}
	case metaEnd:
		_, err := fmt.Sscan(pairs["records"], &w.total)
		w.hasNote = err == nil
	}
}

// examine reads and verifies the record at an offset. what names it as far as
// it is known.
func (w *walk) examine(at int64) (rec found, what string, err error) {
	var head [recordHead]byte
	if err := w.p.readAt(head[:], at); err != nil {
		return rec, "record", err
	}
	rec.op = mcap.OpCode(head[0])
	length := binary.LittleEndian.Uint64(head[1:])
	what = whatOf(rec.op)
	if w.lenient && at == w.pos {
		rec.op, what = mcap.OpChunk, "chunk"
	} else if length > uint64(w.p.size-at-recordHead) {
		return rec, what, fmt.Errorf("the file ends within it")
	}
	rec.end = at + recordHead + int64(length)
	switch rec.op {
	case mcap.OpChunk:
		rec.pack, _, err = w.p.read(at, w.lenient)
		rec.end = rec.pack.end
	case mcap.OpMessageIndex:
		err = w.checkIndex(at+recordHead, length)
	case mcap.OpAttachment:
		rec.name, err = w.checkAttachment(at+recordHead, int64(length))
	case mcap.OpDataEnd:
		err = w.checkDataEnd(rec.end, length)
	case mcap.OpHeader, mcap.OpSchema, mcap.OpChannel, mcap.OpMetadata:
		err = w.checkSmall(&rec, at, length)
	default:
		err = fmt.Errorf("nothing known")
	}
	return rec, what, err
}

func whatOf(op mcap.OpCode) string {
	switch op {
	case mcap.OpChunk:
		return "chunk"
	case mcap.OpMessageIndex:
		return "index"
	case mcap.OpMetadata:
		return "metadata"
	case mcap.OpAttachment:
		return "attachment"
	case mcap.OpHeader, mcap.OpSchema, mcap.OpChannel:
		return "head"
	}
	return "record"
}

// checkIndex verifies a message index by its shape: the records it points to
// are read from the chunk anyway.
func (w *walk) checkIndex(at int64, length uint64) error {
	var b [6]byte
	if length < uint64(len(b)) {
		return fmt.Errorf("it is too short")
	}
	if err := w.p.readAt(b[:], at); err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint32(b[2:]); uint64(n) != length-uint64(len(b)) || n%16 != 0 {
		return fmt.Errorf("its length is damaged")
	}
	return nil
}

func (w *walk) checkDataEnd(end int64, length uint64) error {
	if length != 4 || w.sum != nil && end != w.sum.start {
		return fmt.Errorf("it is damaged")
	}
	var op [1]byte
	if end < w.p.size && w.p.readAt(op[:], end) == nil && mcap.OpCode(op[0]) > mcap.OpDataEnd {
		return fmt.Errorf("it is damaged")
	}
	return nil
}

func (w *walk) checkSmall(rec *found, at int64, length uint64) error {
	if length > maxSmall {
		return fmt.Errorf("it claims %d bytes", length)
	}
	b := make([]byte, length)
	if err := w.p.readAt(b, at+recordHead); err != nil {
		return err
	}
	c, ok := cursor{b: b}, false
	switch rec.op {
	case mcap.OpHeader:
		c.text()
		c.text()
		ok = c.done() && at == int64(len(mcap.Magic))
	case mcap.OpSchema:
		c.u16()
		c.text()
		c.text()
		c.take(uint64(c.u32()))
		ok = c.done()
	case mcap.OpChannel:
		_, ok = parseChannel(b)
	case mcap.OpMetadata:
		rec.name, rec.pairs = c.text(), c.pairs()
		ok = c.done() && (!ours(rec.name) || intact(rec.pairs))
	}
	if !ok {
		return fmt.Errorf("it is damaged")
	}
	return nil
}

// ours reports whether we wrote metadata of that name, with a checksum.
func ours(name string) bool {
	return name == metaCapture || name == metaTarget || name == metaEnd
}

// checkAttachment verifies an attachment's checksum and returns its name.
func (w *walk) checkAttachment(at, length int64) (string, error) {
	const fixed = 8 + 8 + 4 + 4 + 8 + 4
	if length < fixed {
		return "", fmt.Errorf("it is too short")
	}
	h := crc32.NewIEEE()
	if _, err := io.Copy(h, io.NewSectionReader(w.p.f, at, length-4)); err != nil {
		return "", fmt.Errorf("reading the file: %w", err)
	}
	head := make([]byte, min(length-4, 8+8+4+maxName))
	var sum [4]byte
	if err := w.p.readAt(sum[:], at+length-4); err != nil {
		return "", err
	}
	if err := w.p.readAt(head, at); err != nil {
		return "", err
	}
	if h.Sum32() != binary.LittleEndian.Uint32(sum[:]) {
		return "", fmt.Errorf("its checksum is wrong")
	}
	c := cursor{b: head}
	c.u64()
	c.u64()
	return c.text(), nil
}

// maxName bounds the name of an attachment.
const maxName = 64 << 10

// attachmentData verifies an attachment and returns its content.
func (w *walk) attachmentData(at place) ([]byte, error) {
	length := at.length - recordHead
	if length > int64(w.p.lim.record) {
		return nil, fmt.Errorf("it claims %d bytes", length)
	}
	if _, err := w.checkAttachment(at.offset+recordHead, length); err != nil {
		return nil, err
	}
	b := make([]byte, length)
	if err := w.p.readAt(b, at.offset+recordHead); err != nil {
		return nil, err
	}
	c := cursor{b: b}
	c.take(16)
	c.text()
	c.text()
	data := c.take(c.u64())
	if c.bad {
		return nil, fmt.Errorf("it is damaged")
	}
	return data, nil
}
