package replay

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/foxglove/mcap/go/mcap"
)

// summary is the index at the end of a finished file.
type summary struct {
	start       int64 // of the summary section
	records     uint64
	first, last uint64 // log times
	counts      map[uint16]uint64
	channels    []mcap.Channel
	metadata    []place
	attachments []place
	offsets     []int64 // of everything indexed in the data section, sorted
}

const (
	footerLen  = 8 + 8 + 4
	dataEndLen = recordHead + 4
)

// readSummary returns the summary if it is there and its checksum is right,
// else nil: then everything in it is found by walking.
func readSummary(p *packer) *summary {
	tail := make([]byte, recordHead+footerLen+len(mcap.Magic))
	at := p.size - int64(len(tail))
	if at < int64(len(mcap.Magic)) || p.readAt(tail, at) != nil {
		return nil
	}
	c := cursor{b: tail}
	op, length, start, _, sum := mcap.OpCode(c.u8()), c.u64(), c.u64(), c.u64(), c.u32()
	if op != mcap.OpFooter || length != footerLen || !bytes.Equal(c.b, mcap.Magic) ||
		start < uint64(len(mcap.Magic)+dataEndLen) || start > uint64(at) || uint64(at)-start > p.lim.record {
		return nil
	}
	// The checksum covers the section and the footer up to itself.
	b := make([]byte, uint64(at)-start+recordHead+16)
	if p.readAt(b, int64(start)) != nil || crc32.ChecksumIEEE(b) != sum {
		return nil
	}
	s := &summary{start: int64(start), counts: map[uint16]uint64{}}
	if !s.parse(b[:uint64(at)-start]) {
		return nil
	}
	slices.Sort(s.offsets)
	return s
}

func (s *summary) parse(b []byte) bool {
	c := cursor{b: b}
	stats := false
	for len(c.b) > 0 && !c.bad {
		op, body := mcap.OpCode(c.u8()), cursor{b: c.take(c.u64())}
		ok := true
		switch op {
		case mcap.OpChannel:
			var ch mcap.Channel
			ch, ok = parseChannel(body.b)
			s.channels = append(s.channels, ch)
		case mcap.OpStatistics:
			ok, stats = s.parseStatistics(body), true
		case mcap.OpChunkIndex:
			body.take(16)
			ok = s.index(body.u64()) && !body.bad
		case mcap.OpAttachmentIndex:
			at, length := body.u64(), body.u64()
			body.take(24)
			ok = s.index(at)
			s.attachments = append(s.attachments, place{int64(at), int64(length), body.text()})
			ok = ok && !body.bad
		case mcap.OpMetadataIndex:
			at, length := body.u64(), body.u64()
			ok = s.index(at)
			s.metadata = append(s.metadata, place{int64(at), int64(length), body.text()})
			ok = ok && body.done()
		}
		if !ok {
			return false
		}
	}
	return stats && c.done()
}

// index notes where something is; it must lie in the data section.
func (s *summary) index(at uint64) bool {
	s.offsets = append(s.offsets, int64(at))
	return at < uint64(s.start)
}

func (s *summary) parseStatistics(c cursor) bool {
	s.records = c.u64()
	c.take(2 + 4 + 4 + 4 + 4)
	s.first, s.last = c.u64(), c.u64()
	in := cursor{b: c.take(uint64(c.u32()))}
	for len(in.b) > 0 && !in.bad {
		id := in.u16()
		s.counts[id] = in.u64()
	}
	return c.done() && in.done()
}

// next returns the offset of the first indexed thing after an offset, else that
// of the end of the data section.
func (s *summary) next(after int64) int64 {
	end := s.start - dataEndLen
	i, _ := slices.BinarySearch(s.offsets, after+1)
	if i < len(s.offsets) && s.offsets[i] < end {
		return s.offsets[i]
	}
	if after < end {
		return end
	}
	return s.start
}

// metaRecord is one metadata record, read through the index.
func (p *packer) metaRecord(at place) (string, map[string]string, bool) {
	if at.length < recordHead || at.length > maxSmall {
		return "", nil, false
	}
	b := make([]byte, at.length)
	if p.readAt(b, at.offset) != nil || mcap.OpCode(b[0]) != mcap.OpMetadata ||
		binary.LittleEndian.Uint64(b[1:]) != uint64(at.length-recordHead) {
		return "", nil, false
	}
	c := cursor{b: b[recordHead:]}
	name, pairs := c.text(), c.pairs()
	return name, pairs, c.done() && (!ours(name) || intact(pairs))
}
