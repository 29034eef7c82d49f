package kafka

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Message sets of before Kafka 0.11, which old topics may still hold
// (https://kafka.apache.org/documentation/#messageset). An entry is one
// message; compressed, its value is a message set of its own.
const (
	legacyAttrs = 17
	legacyHead0 = 18 // magic 0
	legacyHead1 = 26 // magic 1 has a timestamp
)

// legacy reads all messages of an entry. They alias the entry or the inflater's
// buffer.
func (b *batch) legacy(f *inflater) ([]rawRecord, error) {
	outer, err := legacyMessage(b.raw, b.magic)
	if err != nil {
		return nil, err
	}
	attrs := b.raw[legacyAttrs]
	if attrs&attrCodec == 0 {
		return []rawRecord{outer}, nil
	}
	inner, err := f.inflate(int8(attrs&attrCodec), outer.value)
	if err != nil {
		return nil, err
	}
	var out []rawRecord
	for len(inner) > 0 {
		e, rest, _, err := cutBatch(inner)
		if err != nil {
			return nil, err
		}
		if e.magic != b.magic {
			return nil, fmt.Errorf("a message of format %d within one of format %d", e.magic, b.magic)
		}
		r, err := legacyMessage(e.raw, e.magic)
		if err != nil {
			return nil, err
		}
		if attrs&attrAppend != 0 {
			r.time = outer.time
		}
		out, inner = append(out, r), rest
	}
	if b.magic == 1 && len(out) > 0 {
		// Inner offsets count from 0; the entry's own is the last one's.
		shift := b.base - out[len(out)-1].offset
		for i := range out {
			out[i].offset += shift
		}
	}
	return out, nil
}

func legacyMessage(raw []byte, magic int8) (rawRecord, error) {
	r := rawRecord{time: -1}
	head := legacyHead0
	if magic == 1 {
		head = legacyHead1
	}
	if len(raw) < head {
		return r, errRecord
	}
	if crc32.ChecksumIEEE(raw[magicAt:]) != binary.BigEndian.Uint32(raw[entryHead:]) {
		return r, errChecksum
	}
	r.offset = int64(binary.BigEndian.Uint64(raw))
	if magic == 1 {
		r.time = int64(binary.BigEndian.Uint64(raw[legacyHead0:]))
	}
	w := &wire{b: raw[head:]}
	r.key, r.value = w.bytes(), w.bytes()
	return r, w.err
}
