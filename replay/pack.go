package replay

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/foxglove/mcap/go/mcap"
	"github.com/klauspost/compress/zstd"
)

// limits bound what a file can make the reader allocate.
type limits struct {
	record uint64 // bytes of one MCAP record
	chunk  uint64 // bytes of one chunk, decompressed
}

// standard holds a chunk at its size limit plus one record of maximal size.
var standard = limits{record: 256 << 20, chunk: 256 << 20}

// message is one MCAP message inside a chunk.
type message struct {
	seq              uint32
	logTime, pubTime uint64
	data             []byte // valid until the next chunk is read
	at               uint32 // place in the decompressed chunk
}

// pack is a chunk as read.
type pack struct {
	offset, end int64 // in the file
	raw         []byte
}

// packer reads chunks. It reuses its buffers.
type packer struct {
	f    io.ReaderAt
	size int64
	lim  limits
	zr   *zstd.Decoder
	in   []byte
	out  []byte
}

func newPacker(f io.ReaderAt, size int64, lim limits) (*packer, error) {
	zr, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(lim.chunk))
	if err != nil {
		return nil, err
	}
	return &packer{f: f, size: size, lim: lim, zr: zr}, nil
}

// headCost is what looking at a chunk's head costs a search.
const headCost = int64(packHead)

// A chunk record up to its compressed bytes, for the compression "zstd":
// opcode, length, start and end time, size, CRC, the name, and the length of
// what follows.
const (
	packSize   = recordHead + 8 + 8
	packCRC    = packSize + 8
	packName   = packCRC + 4
	packLength = packName + 4 + 4 // the name: "zstd" with its length
	packHead   = packLength + 8
)

// packSign is what every chunk of ours has in its head, and the point from
// which it is found when everything else is in doubt.
var packSign = append([]byte{byte(len(compression)), 0, 0, 0}, compression...)

// read reads the chunk whose record starts at an offset. Lenient ignores the
// opcode and length of the record: with the rest intact they say nothing new.
// cost is how many bytes it has looked at.
func (p *packer) read(at int64, lenient bool) (k pack, cost int64, err error) {
	var head [packHead]byte
	if err := p.readAt(head[:], at); err != nil {
		return k, headCost, err
	}
	if string(head[packName:packLength]) != string(packSign) {
		return k, headCost, fmt.Errorf("its head is damaged")
	}
	size := binary.LittleEndian.Uint64(head[packSize:])
	length := binary.LittleEndian.Uint64(head[packLength:])
	if !lenient && (mcap.OpCode(head[0]) != mcap.OpChunk || binary.LittleEndian.Uint64(head[1:]) != packHead-recordHead+length) {
		return k, headCost, fmt.Errorf("its length is damaged")
	}
	if size > p.lim.chunk || length > p.lim.record {
		return k, headCost, fmt.Errorf("it claims %d bytes (%d packed)", size, length)
	}
	if length+packHead > uint64(p.size-at) {
		return k, headCost, fmt.Errorf("the file ends within it")
	}
	if uint64(cap(p.in)) < length {
		p.in = make([]byte, length)
	}
	in := p.in[:length]
	if err := p.readAt(in, at+packHead); err != nil {
		return k, headCost, err
	}
	if err := p.unpack(in, size); err != nil {
		return k, int64(length + size), err
	}
	if crc32.ChecksumIEEE(p.out) != binary.LittleEndian.Uint32(head[packCRC:]) {
		return k, int64(length + size), fmt.Errorf("its checksum is wrong")
	}
	return pack{offset: at, end: at + packHead + int64(length), raw: p.out}, int64(length + size), nil
}

// unpack decompresses into p.out. Two announced sizes have to agree before that
// much is allocated at once; the decoder itself stops at the limit.
func (p *packer) unpack(in []byte, size uint64) error {
	var h zstd.Header
	if err := h.Decode(in); err != nil {
		return fmt.Errorf("its content is damaged: %w", err)
	}
	if h.HasFCS && h.FrameContentSize != size {
		return fmt.Errorf("its sizes disagree")
	}
	if h.HasFCS && uint64(cap(p.out)) < size {
		p.out = make([]byte, 0, size)
	}
	out, err := p.zr.DecodeAll(in, p.out[:0])
	if err != nil {
		return fmt.Errorf("its content is damaged: %w", err)
	}
	p.out = out
	if uint64(len(out)) != size {
		return fmt.Errorf("its sizes disagree")
	}
	return nil
}

func (p *packer) readAt(b []byte, at int64) error {
	n, err := p.f.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return fmt.Errorf("the file ends within it")
	}
	return fmt.Errorf("reading the file: %w", err)
}

func (p *packer) close() { p.zr.Close() }

// capture returns the id of the capture a chunk belongs to, "" if it is none of
// ours.
func (k *pack) capture() string {
	c := cursor{b: k.raw}
	op, body := c.u8(), c.take(c.u64())
	if c.bad || mcap.OpCode(op) != mcap.OpChannel {
		return ""
	}
	ch, ok := parseChannel(body)
	if !ok {
		return ""
	}
	return ch.Metadata["capture"]
}

// each calls fn for every message. It returns false if the content is no
// sequence of records, which an intact checksum makes a fault of the writer.
func (k *pack) each(fn func(message) bool) (ok bool) {
	c := cursor{b: k.raw}
	for len(c.b) > 0 {
		at := len(k.raw) - len(c.b)
		op, body := c.u8(), c.take(c.u64())
		if c.bad {
			return false
		}
		if mcap.OpCode(op) != mcap.OpMessage {
			continue
		}
		m, ok := parseMessage(body)
		if !ok {
			return false
		}
		m.at = uint32(at)
		if !fn(m) {
			return true
		}
	}
	return true
}

// messageAt returns the message at a place in a decompressed chunk.
func messageAt(raw []byte, at uint32) (message, bool) {
	if uint64(at) > uint64(len(raw)) {
		return message{}, false
	}
	c := cursor{b: raw[at:]}
	op, body := c.u8(), c.take(c.u64())
	if c.bad || mcap.OpCode(op) != mcap.OpMessage {
		return message{}, false
	}
	return parseMessage(body)
}

func parseMessage(body []byte) (message, bool) {
	c := cursor{b: body}
	c.u16() // the channel repeats what the envelope says
	m := message{seq: c.u32(), logTime: c.u64(), pubTime: c.u64()}
	m.data = c.b
	return m, !c.bad
}

func parseChannel(body []byte) (mcap.Channel, bool) {
	c := cursor{b: body}
	ch := mcap.Channel{ID: c.u16(), SchemaID: c.u16(), Topic: c.text(), MessageEncoding: c.text()}
	ch.Metadata = c.pairs()
	return ch, c.done()
}
