package replay

import (
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"iscope/probes"
)

// Field numbers of iscope.trace.v1.Record. They never change meaning; new
// facts get new numbers.
const (
	fID      protowire.Number = 1
	fCall    protowire.Number = 2
	fKind    protowire.Number = 3
	fTarget  protowire.Number = 4
	fSubject protowire.Number = 5
	fTime    protowire.Number = 6
	fSeen    protowire.Number = 7
	fKey     protowire.Number = 8
	fBody    protowire.Number = 9
	fHeader  protowire.Number = 10
	fAttrs   protowire.Number = 11
	fSchema  protowire.Number = 12
	fNative  protowire.Number = 13
	fCut     protowire.Number = 14
	fErr     protowire.Number = 15
)

// Within Field and Attr.
const (
	fName  protowire.Number = 1
	fValue protowire.Number = 2
)

// rawText is added to the number of a text field when the text is not UTF-8:
// protobuf refuses such strings, the wire does not, and we keep what was there.
const rawText protowire.Number = 100

// appendRecord encodes a record. Absent and empty byte fields differ: absent
// ones are not written.
func appendRecord(b []byte, r *probes.Record) []byte {
	b = appendText(b, fID, r.ID)
	b = appendText(b, fCall, r.Call)
	b = protowire.AppendTag(b, fKind, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(r.Kind))
	b = appendText(b, fTarget, r.Source.Target)
	b = appendText(b, fSubject, r.Source.Subject)
	b = appendTime(b, fTime, r.Time)
	b = appendTime(b, fSeen, r.Seen)
	b = appendBytes(b, fKey, r.Key)
	b = appendBytes(b, fBody, r.Body)
	for i := range r.Header {
		b = appendField(b, &r.Header[i])
	}
	for i := range r.Attrs {
		b = appendAttr(b, &r.Attrs[i])
	}
	b = appendText(b, fSchema, r.Schema)
	b = appendBytes(b, fNative, r.Native)
	if r.Cut != 0 {
		b = protowire.AppendTag(b, fCut, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(r.Cut))
	}
	return appendText(b, fErr, r.Err)
}

func appendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	if !utf8.ValidString(s) {
		num += rawText
	}
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendString(b, s)
}

func appendBytes(b []byte, num protowire.Number, v []byte) []byte {
	if v == nil {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

// appendTime writes a google.protobuf.Timestamp: unlike nanoseconds in an
// int64 it holds any time a peer may claim.
func appendTime(b []byte, num protowire.Number, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	var msg [24]byte
	ts := msg[:0]
	if s := t.Unix(); s != 0 {
		ts = protowire.AppendTag(ts, 1, protowire.VarintType)
		ts = protowire.AppendVarint(ts, uint64(s))
	}
	if n := t.Nanosecond(); n != 0 {
		ts = protowire.AppendTag(ts, 2, protowire.VarintType)
		ts = protowire.AppendVarint(ts, uint64(n))
	}
	return appendBytes(b, num, ts)
}

func appendField(b []byte, f *probes.Field) []byte {
	size := textSize(fName, f.Name)
	if f.Value != nil {
		size += protowire.SizeTag(fValue) + protowire.SizeBytes(len(f.Value))
	}
	b = protowire.AppendTag(b, fHeader, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	b = appendText(b, fName, f.Name)
	return appendBytes(b, fValue, f.Value)
}

func appendAttr(b []byte, a *probes.Attr) []byte {
	b = protowire.AppendTag(b, fAttrs, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(textSize(fName, a.Name)+textSize(fValue, a.Value)))
	b = appendText(b, fName, a.Name)
	return appendText(b, fValue, a.Value)
}

func textSize(num protowire.Number, s string) int {
	if s == "" {
		return 0
	}
	if !utf8.ValidString(s) {
		num += rawText
	}
	return protowire.SizeTag(num) + protowire.SizeBytes(len(s))
}
