// Package protobuf decodes Protobuf's wire format into JSON: by descriptors
// from .proto sources or descriptor sets, or without any, by field numbers
// (https://protobuf.dev/programming-guides/encoding/).
//
// The bytes are walked here instead of by the protobuf runtime, because a
// debugger has to say at which byte a body stops being a message, shows the
// fields its schema does not know, and must outlive bytes that make the runtime
// panic (protobuf-go v1.36.12, a map entry with two keys).
package protobuf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"iscope/inspectors/emit"
)

// entry is one occurrence of a field. Eight bytes, because a body of twelve
// megabytes may hold six million.
type entry struct {
	rank uint32 // what the fields of a message are ordered by
	at   uint32 // of its tag, in the message
}

// unknown is the rank of fields that the schema does not have.
const unknown = 1 << 31

// maxBody keeps offsets in an entry.
const maxBody = 1 << 31

// scan splits one message into its fields, ordered by rank and then as on the
// wire. Entries are taken from a stack that drop gives back to.
func (d *decoder) scan(b []byte, base int, rank func(protowire.Number, protowire.Type) uint32) ([]entry, error) {
	from, sorted, last := len(d.entries), true, uint32(0)
	if len(b) > maxBody {
		return nil, &emit.Fault{Offset: base, Reason: "too large"}
	}
	for i := 0; i < len(b); {
		num, typ, n := protowire.ConsumeTag(b[i:])
		if n < 0 {
			d.entries = d.entries[:from]
			return nil, faultAt(base+i, "the tag of a field", n)
		}
		size := protowire.ConsumeFieldValue(num, typ, b[i+n:])
		if size < 0 {
			d.entries = d.entries[:from]
			return nil, faultAt(base+i, fmt.Sprintf("field %d", num), size)
		}
		r := rank(num, typ)
		sorted, last = sorted && r >= last, r
		d.entries = append(d.entries, entry{rank: r, at: uint32(i)})
		i += n + size
	}
	out := d.entries[from:]
	if !sorted {
		slices.SortStableFunc(out, func(a, b entry) int { return cmp.Compare(a.rank, b.rank) })
	}
	return out, nil
}

// drop gives entries back that scan returned.
func (d *decoder) drop(es []entry) { d.entries = d.entries[:len(d.entries)-len(es)] }

func faultAt(at int, what string, code int) error {
	err := protowire.ParseError(code)
	const truncated = -1 // protowire: io.ErrUnexpectedEOF
	if code == truncated {
		return &emit.Fault{Offset: at, Reason: "it ends inside " + what, Short: true}
	}
	// The library varies the blank behind "proto:" so that nobody relies on it.
	reason := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
	return &emit.Fault{Offset: at, Reason: what + ": " + reason}
}

// value is one field as it is on the wire.
type value struct {
	num  protowire.Number
	typ  protowire.Type
	n    uint64 // of a number
	b    []byte // of anything with a length; the inside of a group
	base int    // of b in the body
}

// read parses the field at an offset that scan has found to be right.
func read(b []byte, at, base int) value {
	num, typ, n := protowire.ConsumeTag(b[at:])
	v := value{num: num, typ: typ, base: base + at + n}
	rest := b[at+n:]
	switch typ {
	case protowire.VarintType:
		v.n, _ = protowire.ConsumeVarint(rest)
	case protowire.Fixed32Type:
		n32, _ := protowire.ConsumeFixed32(rest)
		v.n = uint64(n32)
	case protowire.Fixed64Type:
		v.n, _ = protowire.ConsumeFixed64(rest)
	case protowire.BytesType:
		var size int
		v.b, size = protowire.ConsumeBytes(rest)
		v.base += size - len(v.b)
	case protowire.StartGroupType:
		v.b, _ = protowire.ConsumeGroup(num, rest)
	}
	return v
}

// run returns how many entries at the start have the rank of the first.
func run(es []entry) int {
	n := 1
	for n < len(es) && es[n].rank == es[0].rank {
		n++
	}
	return n
}
