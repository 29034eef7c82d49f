package kafka

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/compress"

	"iscope/probes"
)

const (
	// slabBytes is the most memory that one record, kept alone, keeps alive
	// beyond its own.
	slabBytes = 32 << 10
	slabText  = 1 << 10
	slabCount = 64
	// maxNames bounds the header names remembered; beyond that each is its own.
	maxNames = 256
)

// maker turns decoded records into probes.Records, copying their bytes into
// slabs that many records share.
type maker struct {
	source  probes.Ref
	maxBody int
	alone   bool // each record in memory of its own: for those who keep few of many
	lend    bool // no record is kept beyond the next portion
	own     bool // fields of the current record need no copy

	prefix string // "partition/"
	bytes  []byte
	text   strings.Builder
	attrs  []probes.Attr
	fields []probes.Field
	names  map[string]string
	recent [8]string // names of the first headers of the record before
}

func newMaker(target string, pt part, maxBody int, alone, lend bool) *maker {
	return &maker{source: probes.Ref{Target: target, Subject: pt.topic}, maxBody: maxBody, alone: alone, lend: lend && maxBody == 0,
		prefix: strconv.Itoa(int(pt.id)) + "/", names: map[string]string{}}
}

// copies reports that each field is copied, because only some of what was read is
// kept: of the bodies, or of the records.
func (m *maker) copies() bool { return m.maxBody > 0 || m.alone }

// again takes back what was lent.
func (m *maker) again() {
	if m.lend {
		m.attrs, m.fields = m.attrs[:0], m.fields[:0]
	}
}

// fill makes rec of r. Unless the fields are records' own memory already, they are
// copied. ahead is how many bytes of records follow in the batch, which bounds the
// slabs worth making.
func (m *maker) fill(rec *probes.Record, r *rawRecord, native json.RawMessage, ahead int, own bool) {
	*rec = probes.Record{} // not with its fields: that would be built elsewhere and copied
	rec.Kind, rec.Source, rec.Native = probes.Message, m.source, native
	if r.time >= 0 {
		rec.Time = time.UnixMilli(r.time).UTC()
	}
	body := r.value
	if m.maxBody > 0 && len(body) > m.maxBody {
		rec.Cut = int64(len(body) - m.maxBody)
		body = body[:m.maxBody]
	}
	m.own = own && !m.copies()
	rec.Key, rec.Body = m.copy(r.key, ahead), m.copy(body, ahead)
	rec.Header = m.header(r.headers, ahead)
	rec.ID, rec.Attrs = m.identify(r.offset, r.value == nil)
}

// copy keeps nil and empty apart.
func (m *maker) copy(b []byte, ahead int) []byte {
	if b == nil || m.own {
		return b
	}
	if len(b) == 0 {
		return []byte{}
	}
	if len(b) > slabBytes/4 || m.alone {
		return append(make([]byte, 0, len(b)), b...)
	}
	if len(b) > cap(m.bytes)-len(m.bytes) {
		m.bytes = make([]byte, 0, max(len(b), min(slabBytes, len(b)+ahead)))
	}
	n := len(m.bytes)
	m.bytes = append(m.bytes, b...)
	return m.bytes[n:len(m.bytes):len(m.bytes)]
}

func (m *maker) header(hs []rawHeader, ahead int) []probes.Field {
	if len(hs) == 0 {
		return nil
	}
	if len(hs) > cap(m.fields)-len(m.fields) || m.alone {
		m.fields = make([]probes.Field, 0, max(len(hs), m.share(ahead)))
	}
	n := len(m.fields)
	for i, h := range hs {
		m.fields = append(m.fields, probes.Field{Name: m.nameAt(i, h.name), Value: m.copy(h.value, ahead)})
	}
	return m.fields[n:len(m.fields):len(m.fields)]
}

// nameAt guesses that a record's i-th header is called like the one before's.
func (m *maker) nameAt(i int, b []byte) string {
	if i < len(m.recent) && m.recent[i] == string(b) {
		return m.recent[i]
	}
	s := m.name(b)
	if i < len(m.recent) {
		m.recent[i] = s
	}
	return s
}

// name interns: a topic's records carry the same few header names.
func (m *maker) name(b []byte) string {
	if s, ok := m.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(m.names) < maxNames {
		m.names[s] = s
	}
	return s
}

// identify names the record "partition/offset"; the attributes are parts of the
// name.
func (m *maker) identify(offset int64, tombstone bool) (string, []probes.Attr) {
	var buf [40]byte
	id := strconv.AppendInt(append(buf[:0], m.prefix...), offset, 10)
	if m.text.Cap()-m.text.Len() < len(id) || m.alone {
		m.text.Reset() // strings handed out keep the old memory
		m.text.Grow(max(len(id), min(slabText, m.share(slabText)*len(id))))
	}
	n := m.text.Len()
	m.text.Write(id)
	s := m.text.String()[n:]
	at := len(m.prefix)
	if cap(m.attrs)-len(m.attrs) < 3 || m.alone {
		m.attrs = make([]probes.Attr, 0, 3*m.share(slabText))
	}
	n = len(m.attrs)
	m.attrs = append(m.attrs, probes.Attr{Name: probes.AttrPartition, Value: s[:at-1]}, probes.Attr{Name: probes.AttrOffset, Value: s[at:]})
	if tombstone {
		m.attrs = append(m.attrs, probes.Attr{Name: probes.AttrTombstone, Value: "true"})
	}
	return s, m.attrs[n:len(m.attrs):len(m.attrs)]
}

// share is how many records to make room for when that many bytes of them
// follow: no record is smaller than 8 bytes.
func (m *maker) share(ahead int) int {
	if m.alone {
		return 1
	}
	return max(1, min(slabCount, ahead/8))
}

// native is what a faithful replay needs to know of a batch's records, and what
// people may want to see. All records of a batch share it.
type native struct {
	Partition     int32  `json:"partition"`
	TimestampType string `json:"timestamp_type"` // as in the topic's message.timestamp.type
	Compression   string `json:"compression,omitempty"`
	LeaderEpoch   *int32 `json:"leader_epoch,omitempty"`
	ProducerID    *int64 `json:"producer_id,omitempty"`
	ProducerEpoch *int16 `json:"producer_epoch,omitempty"`
	BaseSequence  *int32 `json:"base_sequence,omitempty"` // of the batch's first record
	Transactional bool   `json:"transactional,omitempty"`
}

func nativeOf(pt part, b *batch) json.RawMessage {
	n := native{Partition: pt.id, TimestampType: "CreateTime"}
	attrs := b.attrs
	if b.magic < 2 {
		attrs = int16(b.raw[legacyAttrs])
	}
	if attrs&attrAppend != 0 {
		n.TimestampType = "LogAppendTime"
	}
	if c := compress.Compression(attrs & attrCodec); c != compress.None {
		n.Compression = c.String()
	}
	if b.magic == 2 {
		n.Transactional = attrs&attrTxn != 0
		if b.epoch >= 0 {
			n.LeaderEpoch = &b.epoch
		}
		if b.pid >= 0 {
			n.ProducerID, n.ProducerEpoch, n.BaseSequence = &b.pid, &b.pepoch, &b.seq
		}
	}
	out, err := json.Marshal(n)
	if err != nil {
		return nil // no field of native can fail
	}
	return out
}
