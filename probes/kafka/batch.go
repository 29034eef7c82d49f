package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// Layout of a record batch, KIP-98. Offset 16 holds the format's version
// ("magic") in the older message sets too.
const (
	entryHead  = 12 // base offset and length; the length counts what follows
	magicAt    = 16
	crcAt      = 17
	attrsAt    = 21 // the checksum covers everything from here
	batchHead  = 61
	attrCodec  = 7
	attrAppend = 1 << 3 // timestamps are the broker's
	attrTxn    = 1 << 4
	attrMarker = 1 << 5 // control batch: a transaction's end
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch is one record batch, or one entry of an older message set.
type batch struct {
	raw     []byte // all of it
	magic   int8
	base    int64 // offset of its first record as it was written
	last    int64 // offset of its last record as it was written: kept when compaction removes records
	epoch   int32 // leader's
	attrs   int16
	first   int64 // timestamp of the first record, or all records', see attrAppend
	newest  int64 // largest timestamp
	pid     int64 // producer's; -1 none
	pepoch  int16
	seq     int32
	count   int32
	records []byte // as stored: perhaps compressed
}

var (
	// errTruncated says that the bytes end within a batch. Brokers cut the last
	// batch of an answer wherever the size limit falls.
	errTruncated = errors.New("truncated batch")
	errChecksum  = errors.New("checksum mismatch")
)

// cutBatch takes the first batch off a record set, looking only at its head.
// need is the number of bytes it takes, even when there are fewer.
func cutBatch(set []byte) (b batch, rest []byte, need int, err error) {
	if len(set) < magicAt+1 {
		return b, nil, magicAt + 1, errTruncated
	}
	size := int64(int32(binary.BigEndian.Uint32(set[8:]))) + entryHead
	if size < magicAt+1 || size > maxFrame {
		return b, nil, 0, fmt.Errorf("a batch of %d bytes cannot be", size)
	}
	b.base = int64(binary.BigEndian.Uint64(set))
	b.magic = int8(set[magicAt])
	if b.magic == 2 && size < batchHead {
		return b, nil, 0, fmt.Errorf("a batch of %d bytes cannot be", size)
	}
	if int64(len(set)) < size {
		return b, nil, int(size), errTruncated
	}
	b.raw, rest = set[:size:size], set[size:]
	b.last = b.base
	if b.magic == 2 {
		b.last += int64(int32(binary.BigEndian.Uint32(b.raw[23:])))
	}
	if b.base < 0 || b.last < b.base {
		return b, rest, int(size), fmt.Errorf("a batch from offset %d to %d cannot be", b.base, b.last)
	}
	return b, rest, int(size), nil
}

// soundUpTo counts the bytes of whole batches with right checksums that a record
// set begins with.
func soundUpTo(set []byte) int {
	n := 0
	for {
		b, rest, _, err := cutBatch(set)
		if err != nil || b.magic == 2 && !b.sound() {
			return n
		}
		n, set = n+len(b.raw), rest
	}
}

func (b *batch) sound() bool {
	return crc32.Checksum(b.raw[attrsAt:], castagnoli) == binary.BigEndian.Uint32(b.raw[crcAt:])
}

// open checks the batch, unless that has been done, and reads the rest of its head.
func (b *batch) open(checked bool) error {
	if b.magic < 0 || b.magic > 2 {
		return fmt.Errorf("unknown record format %d", b.magic)
	}
	if b.magic < 2 {
		return nil // message sets have a checksum for each message
	}
	if !checked && !b.sound() {
		return errChecksum
	}
	be := binary.BigEndian
	b.epoch = int32(be.Uint32(b.raw[12:]))
	b.attrs = int16(be.Uint16(b.raw[attrsAt:]))
	b.first, b.newest = int64(be.Uint64(b.raw[27:])), int64(be.Uint64(b.raw[35:]))
	b.pid, b.pepoch = int64(be.Uint64(b.raw[43:])), int16(be.Uint16(b.raw[51:]))
	b.seq, b.count = int32(be.Uint32(b.raw[53:])), int32(be.Uint32(b.raw[57:]))
	b.records = b.raw[batchHead:]
	if b.count < 0 {
		return fmt.Errorf("%d records cannot be", b.count)
	}
	return nil
}

// isAbort reports whether a control batch voids its producer's transaction.
// Its one record's key is version and type, 0 for abort (KIP-98).
func (b *batch) isAbort() bool {
	rr := recordReader{b: b.records, left: int(b.count), base: b.base}
	var r rawRecord
	if ok, err := rr.next(&r); err != nil || !ok || len(r.key) < 4 {
		return false
	}
	return binary.BigEndian.Uint16(r.key[2:]) == 0
}

// rawRecord aliases the decompressed batch.
type rawRecord struct {
	offset, time int64 // milliseconds, -1 unknown
	key, value   []byte
	headers      []rawHeader // overwritten by the next record
}

type rawHeader struct{ name, value []byte }

// recordReader walks the decompressed records of a batch.
type recordReader struct {
	b    []byte
	left int // records still to come
	base int64
	time int64 // deltas' origin
	// fixed replaces every record's own time where the broker set it.
	fixed bool
}

var errRecord = errors.New("malformed record")

// next reads one record. After an error there is no way on in this batch.
func (rr *recordReader) next(r *rawRecord) (bool, error) {
	if rr.left == 0 {
		return false, nil
	}
	rr.left--
	size, n := varint(rr.b)
	if n <= 0 || size < 1 || size > int64(len(rr.b)-n) {
		return false, errRecord
	}
	rec := rr.b[n : n+int(size) : n+int(size)]
	rr.b = rr.b[n+int(size):]
	c := varints{b: rec[1:]} // the record's own attributes have no meaning yet
	r.time = rr.time + c.varint()
	r.offset = rr.base + c.varint()
	if rr.fixed {
		r.time = rr.time
	}
	r.key, r.value = c.bytes(), c.bytes()
	c.headers(r)
	if c.bad {
		return false, errRecord
	}
	return true, nil
}

// portion takes the next whole records off, as many as fit into a size, but one at
// least, into memory of their own: one copy of many records costs less than one of
// each field. It takes none where the next is malformed.
//
// It copies before it looks: going through cold memory from record to record would
// wait for each, a copy does not.
//
// buf is memory to use, whose old content is no longer needed; it may grow.
func (rr *recordReader) portion(size int, buf *[]byte) recordReader {
	piece := append((*buf)[:0], rr.b[:min(size, len(rr.b))]...)
	n, count := 0, 0
	for count < rr.left && n < len(piece) {
		length, w := varint(piece[n:])
		if w <= 0 || length < 1 || length > int64(len(piece)-n-w) {
			break
		}
		n, count = n+w+int(length), count+1
	}
	if length, w := binary.Varint(rr.b); count == 0 && w > 0 && length > 0 && length <= int64(len(rr.b)-w) {
		n, count = w+int(length), 1 // larger than size
		piece = append((*buf)[:0], rr.b[:n]...)
	}
	*buf = piece
	own := *rr
	own.b, own.left = piece[:n:n], count
	rr.b, rr.left = rr.b[n:], rr.left-count
	return own
}

// varint is binary.Varint, fast for the one or two bytes that most lengths have.
func varint(b []byte) (v int64, n int) {
	switch {
	case len(b) > 0 && b[0] < 0x80:
		return unzigzag(uint64(b[0])), 1
	case len(b) > 1 && b[1] < 0x80:
		return unzigzag(uint64(b[0]&0x7f) | uint64(b[1])<<7), 2
	}
	return binary.Varint(b)
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// varints reads the fields within a record. bad stays set once they end early.
type varints struct {
	b   []byte
	bad bool
}

func (c *varints) varint() int64 {
	if len(c.b) > 0 && c.b[0] < 0x80 { // here, without a call
		u := c.b[0]
		c.b = c.b[1:]
		return unzigzag(uint64(u))
	}
	v, n := varint(c.b)
	if n <= 0 {
		c.bad, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

// bytes is nil for null.
func (c *varints) bytes() []byte {
	n := c.varint()
	if n < 0 || c.bad {
		return nil
	}
	if n > int64(len(c.b)) {
		c.bad, c.b = true, nil
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *varints) headers(r *rawRecord) {
	r.headers = r.headers[:0]
	n := c.varint()
	if n < 0 || n > math.MaxInt32 || n > int64(len(c.b))/2 { // a header takes two bytes at least
		c.bad = true
		return
	}
	for range n {
		r.headers = append(r.headers, rawHeader{name: c.bytes(), value: c.bytes()})
	}
}
