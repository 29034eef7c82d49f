package inspectors

import (
	"encoding/binary"

	"iscope/inspectors/schema"
	"iscope/probes"
)

// frame names the schema of a body in a registry, in the wire format of
// Confluent's serializers
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format):
// in front of the payload a zero byte and four bytes of id; or in a header,
// that or a one and the sixteen bytes of a GUID. Of Protobuf the path to the
// message follows.
type frame struct {
	id   uint32
	guid [16]byte
	size int    // bytes of the body in front of the payload
	path []byte // what follows in the header
}

const (
	frameHead = 5
	guidHead  = 17
	// maxSchemaID keeps other binary formats that start with a zero out:
	// registries count ids up from 1.
	maxSchemaID = 1 << 24
)

const (
	valueHeader = "__value_schema_id"
	keyHeader   = "__key_schema_id"
)

// frameOf returns the frame of a body, false if it has none.
func frameOf(r *probes.Record, env Env) (frame, bool) {
	if r.Kind != probes.Message || len(r.Body) == 0 {
		return frame{}, false
	}
	name := valueHeader
	if env.key {
		name = keyHeader
	}
	if v, ok := r.HeaderValue(name); ok {
		if f, ok := headerFrame(v); ok {
			return f, true
		}
	}
	id, ok := schemaID(r)
	return frame{id: id, size: frameHead}, ok
}

func headerFrame(v []byte) (f frame, ok bool) {
	switch {
	case len(v) >= frameHead && v[0] == 0:
		f.id = binary.BigEndian.Uint32(v[1:])
		f.path = v[frameHead:]
	case len(v) >= guidHead && v[0] == 1:
		copy(f.guid[:], v[1:])
		f.path = v[guidHead:]
	}
	return f, f.id != 0 || f.guid != [16]byte{}
}

func schemaID(r *probes.Record) (uint32, bool) {
	if r.Kind != probes.Message || len(r.Body) <= frameHead || r.Body[0] != 0 {
		return 0, false
	}
	id := binary.BigEndian.Uint32(r.Body[1:])
	return id, id > 0 && id < maxSchemaID
}

// maxPath is how deep the messages of a Protobuf schema may nest in a frame.
const maxPath = 32

// messagePath reads the indexes in front of a Protobuf payload: their number
// and each of them as a zig-zag varint; a single zero stands for the first
// message.
func messagePath(b []byte) (path []int, size int, ok bool) {
	n, i := binary.Varint(b)
	if i <= 0 || n < 0 || n > maxPath {
		return nil, 0, false
	}
	if n == 0 {
		return []int{0}, i, true
	}
	for range n {
		v, k := binary.Varint(b[i:])
		if k <= 0 || v < 0 || v > 1<<20 {
			return nil, 0, false
		}
		path = append(path, int(v))
		i += k
	}
	return path, i, true
}

// query asks for the schema that a frame names, or without one for the schema
// that is assigned.
func (f frame) query(r *probes.Record, env Env) schema.Query {
	q := schema.Query{ID: f.id, GUID: f.guid, Subject: r.Source.Subject, Key: env.key}
	if v, ok := r.Attr(probes.AttrDestination); ok {
		q.Subject = v
	}
	if !q.Framed() {
		q.Ref = r.Schema
	}
	return q
}
