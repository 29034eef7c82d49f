package replay

import (
	"bytes"
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"iscope/probes"
)

var errEnvelope = errors.New("the record's envelope is malformed")

// interner keeps one copy of the strings that repeat in every record: targets,
// subjects, header and attribute names.
type interner map[string]string

// Limits of an interner: longer strings rarely repeat, and a file with ever new
// ones must not grow it without end.
const (
	internLen   = 64
	internCount = 4096
)

func (in interner) text(b []byte) string {
	if s, ok := in[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) <= internLen && len(in) < internCount {
		in[s] = s
	}
	return s
}

// decodeRecord is the inverse of appendRecord. The record owns its bytes. Times
// come back as UTC. Fields it does not know are skipped: a newer iscope may
// have written them.
func decodeRecord(data []byte, in interner) (probes.Record, error) {
	b := bytes.Clone(data)
	var r probes.Record
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return r, errEnvelope
		}
		b = b[n:]
		switch typ {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return r, errEnvelope
			}
			b = b[n:]
			setNumber(&r, num, v)
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			if n < 0 || !setBytes(&r, num, v[:len(v):len(v)], in) {
				return r, errEnvelope
			}
			b = b[n:]
		default:
			n := protowire.ConsumeFieldValue(num, typ, b)
			if n < 0 {
				return r, errEnvelope
			}
			b = b[n:]
		}
	}
	return r, nil
}

func setNumber(r *probes.Record, num protowire.Number, v uint64) {
	switch num {
	case fKind:
		r.Kind = probes.Kind(v)
	case fCut:
		r.Cut = int64(v)
	}
}

func setBytes(r *probes.Record, num protowire.Number, v []byte, in interner) bool {
	ok := true
	switch num {
	case fID, fID + rawText:
		r.ID = string(v)
	case fCall, fCall + rawText:
		r.Call = string(v)
	case fTarget, fTarget + rawText:
		r.Source.Target = in.text(v)
	case fSubject, fSubject + rawText:
		r.Source.Subject = in.text(v)
	case fTime:
		r.Time, ok = decodeTime(v)
	case fSeen:
		r.Seen, ok = decodeTime(v)
	case fKey:
		r.Key = v
	case fBody:
		r.Body = v
	case fHeader:
		var f probes.Field
		var name []byte
		name, f.Value, ok = decodePair(v)
		f.Name = in.text(name)
		r.Header = append(r.Header, f)
	case fAttrs:
		var name, value []byte
		name, value, ok = decodePair(v)
		r.Attrs = append(r.Attrs, probes.Attr{Name: in.text(name), Value: string(value)})
	case fSchema, fSchema + rawText:
		r.Schema = in.text(v)
	case fNative:
		r.Native = v
	case fErr, fErr + rawText:
		r.Err = string(v)
	}
	return ok
}

// decodePair reads a Field or an Attr; a missing value is nil.
func decodePair(b []byte) (name, value []byte, ok bool) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, nil, false
		}
		b = b[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
				return nil, nil, false
			}
			b = b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return nil, nil, false
		}
		b = b[n:]
		switch num {
		case fName, fName + rawText:
			name = v
		case fValue, fValue + rawText:
			value = v[:len(v):len(v)]
		}
	}
	return name, value, true
}

func decodeTime(b []byte) (time.Time, bool) {
	var sec, nsec int64
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 || typ != protowire.VarintType {
			return time.Time{}, false
		}
		v, m := protowire.ConsumeVarint(b[n:])
		if m < 0 {
			return time.Time{}, false
		}
		b = b[n+m:]
		switch num {
		case 1:
			sec = int64(v)
		case 2:
			nsec = int64(int32(v))
		}
	}
	return time.Unix(sec, nsec).UTC(), true
}
