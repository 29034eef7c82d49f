package kafka

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/segmentio/kafka-go/compress"
)

// forged describes a record batch to build byte by byte.
type forged struct {
	base     int64
	last     int32 // last offset delta; -1: that of the last record
	codec    compress.Compression
	attrs    int16 // beside the codec
	producer int64 // 0: none
	newest   int64
	records  []forgedRecord
	count    int32 // -1 lies; 0: the number of records
}

type forgedRecord struct {
	delta, time int64
	key, value  []byte
	headers     []rawHeader
}

// bytes builds the batch with a right checksum.
func (f forged) bytes(t testing.TB) []byte {
	t.Helper()
	var body []byte
	for _, r := range f.records {
		body = append(body, r.bytes()...)
		f.last = max(f.last, int32(r.delta))
	}
	if f.codec != compress.None {
		body = deflate(t, f.codec, body)
	}
	if f.count == 0 {
		f.count = int32(len(f.records))
	}
	if f.producer == 0 {
		f.producer = -1
	}
	be := binary.BigEndian
	b := be.AppendUint64(nil, uint64(f.base))
	b = be.AppendUint32(b, uint32(batchHead-entryHead+len(body)))
	b = be.AppendUint32(b, 7)            // leader epoch
	b = be.AppendUint32(append(b, 2), 0) // magic, checksum
	b = be.AppendUint16(b, uint16(int16(f.codec)|f.attrs))
	b = be.AppendUint32(b, uint32(f.last))
	b = be.AppendUint64(b, 1000) // first timestamp
	b = be.AppendUint64(b, uint64(f.newest))
	b = be.AppendUint64(b, uint64(f.producer))
	b = be.AppendUint16(b, 3)  // producer epoch
	b = be.AppendUint32(b, 40) // base sequence
	b = be.AppendUint32(b, uint32(f.count))
	return seal(append(b, body...))
}

// seal gives a batch the checksum of what it holds.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[attrsAt:], castagnoli))
	return b
}

func (r forgedRecord) bytes() []byte {
	b := []byte{0}
	b = binary.AppendVarint(b, r.time)
	b = binary.AppendVarint(b, r.delta)
	b = appendNullable(appendNullable(b, r.key), r.value)
	b = binary.AppendVarint(b, int64(len(r.headers)))
	for _, h := range r.headers {
		b = appendNullable(appendNullable(b, h.name), h.value)
	}
	return append(binary.AppendVarint(nil, int64(len(b))), b...)
}

func appendNullable(b, v []byte) []byte {
	if v == nil {
		return binary.AppendVarint(b, -1)
	}
	return append(binary.AppendVarint(b, int64(len(v))), v...)
}

func deflate(t testing.TB, c compress.Compression, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := c.Codec().NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// marker builds the control batch that ends a transaction.
func marker(t testing.TB, base, producer int64, commit bool) []byte {
	kind := byte(0)
	if commit {
		kind = 1
	}
	return forged{base: base, attrs: attrTxn | attrMarker, producer: producer,
		records: []forgedRecord{{key: []byte{0, 0, 0, kind}, value: []byte{0, 0, 0, 0, 0, 0}}}}.bytes(t)
}

// message is a record with that body.
func message(delta int64, body string) forgedRecord {
	return forgedRecord{delta: delta, time: delta, value: []byte(body)}
}

// legacy builds an entry of a message set.
func legacyEntry(magic int8, attrs byte, offset, time int64, key, value []byte) []byte {
	be := binary.BigEndian
	m := []byte{byte(magic), attrs}
	if magic == 1 {
		m = be.AppendUint64(m, uint64(time))
	}
	for _, v := range [][]byte{key, value} {
		if v == nil {
			m = be.AppendUint32(m, 0xffffffff)
			continue
		}
		m = append(be.AppendUint32(m, uint32(len(v))), v...)
	}
	m = append(be.AppendUint32(nil, crc32.ChecksumIEEE(m)), m...)
	b := be.AppendUint64(nil, uint64(offset))
	return append(be.AppendUint32(b, uint32(len(m))), m...)
}
