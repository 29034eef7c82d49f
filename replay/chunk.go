package replay

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/foxglove/mcap/go/mcap"
	"github.com/klauspost/compress/zstd"

	"iscope/probes"
)

// Sizes of records inside a chunk, by the MCAP specification.
const (
	recordHead  = 1 + 8         // opcode, length
	messageHead = 2 + 4 + 8 + 8 // channel, sequence, log time, publish time
)

// chunk collects records until they are worth writing. Every chunk carries the
// descriptions of its channels, so that it can be read when all others are
// lost.
type chunk struct {
	buf         []byte
	indexes     map[uint16]*mcap.MessageIndex // reused from chunk to chunk
	used        []uint16                      // channels with messages in this chunk
	first, last uint64                        // log times
	count       uint64
	born        time.Time // when the first record came
	zw          *zstd.Encoder
	packed      []byte
}

func newChunk() (*chunk, error) {
	zw, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)) // MCAP's own CRC covers it
	if err != nil {
		return nil, err
	}
	return &chunk{indexes: map[uint16]*mcap.MessageIndex{}, first: math.MaxUint64, zw: zw}, nil
}

// add appends one message and reports its encoded size.
func (c *chunk) add(ch *mcap.Channel, seq uint32, logTime, pubTime uint64, r *probes.Record) int {
	idx := c.index(ch)
	idx.Add(logTime, uint64(len(c.buf)))
	at := len(c.buf)
	b := append(c.buf, byte(mcap.OpMessage), 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, ch.ID)
	b = binary.LittleEndian.AppendUint32(b, seq)
	b = binary.LittleEndian.AppendUint64(b, logTime)
	b = binary.LittleEndian.AppendUint64(b, pubTime)
	b = appendRecord(b, r)
	size := len(b) - at - recordHead
	binary.LittleEndian.PutUint64(b[at+1:], uint64(size))
	c.buf = b
	c.first, c.last = min(c.first, logTime), max(c.last, logTime)
	c.count++
	return size
}

// index returns the channel's message index for this chunk, writing the
// channel's description before its first message.
func (c *chunk) index(ch *mcap.Channel) *mcap.MessageIndex {
	idx, ok := c.indexes[ch.ID]
	if !ok {
		idx = &mcap.MessageIndex{ChannelID: ch.ID}
		c.indexes[ch.ID] = idx
	}
	if idx.IsEmpty() {
		c.used = append(c.used, ch.ID)
		c.buf = appendChannel(c.buf, ch)
	}
	return idx
}

// seal compresses what was collected. The result is valid until the next seal.
func (c *chunk) seal() (*mcap.Chunk, []*mcap.MessageIndex) {
	c.packed = c.zw.EncodeAll(c.buf, c.packed[:0])
	indexes := make([]*mcap.MessageIndex, len(c.used))
	for i, id := range c.used {
		indexes[i] = c.indexes[id]
	}
	return &mcap.Chunk{MessageStartTime: c.first, MessageEndTime: c.last, UncompressedSize: uint64(len(c.buf)),
		UncompressedCRC: crc32.ChecksumIEEE(c.buf), Compression: compression, Records: c.packed}, indexes
}

// keepBuffer is the largest buffer kept for the next chunk: one huge record
// must not hold its memory for the rest of the capture.
const keepBuffer = 4 << 20

// reset makes room for the next chunk.
func (c *chunk) reset() {
	for _, id := range c.used {
		c.indexes[id].Reset()
	}
	c.used, c.buf = c.used[:0], c.buf[:0]
	if cap(c.buf) > keepBuffer {
		c.buf, c.packed = nil, nil
	}
	c.first, c.last, c.count = math.MaxUint64, 0, 0
}

func appendChannel(b []byte, ch *mcap.Channel) []byte {
	at := len(b)
	b = append(b, byte(mcap.OpChannel), 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, ch.ID)
	b = binary.LittleEndian.AppendUint16(b, ch.SchemaID)
	b = appendPrefixed(b, ch.Topic)
	b = appendPrefixed(b, ch.MessageEncoding)
	mapAt := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, k := range channelKeys {
		b = appendPrefixed(b, k)
		b = appendPrefixed(b, ch.Metadata[k])
	}
	binary.LittleEndian.PutUint32(b[mapAt:], uint32(len(b)-mapAt-4))
	binary.LittleEndian.PutUint64(b[at+1:], uint64(len(b)-at-recordHead))
	return b
}

func appendPrefixed(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
