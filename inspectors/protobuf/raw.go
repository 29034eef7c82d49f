package protobuf

import (
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"iscope/inspectors/emit"
)

// Raw writes a message of which no schema is known: fields by number, numbers
// unsigned as on the wire with their other readings in notes, content with a
// length as text, message or bytes, whichever it looks like. Errors are
// *emit.Fault.
func Raw(w *emit.Writer, b []byte) error {
	d := decoder{w: w}
	return d.raw(b, 0)
}

func (d *decoder) raw(b []byte, base int) error {
	if err := d.open('{', base); err != nil {
		return err
	}
	es, err := d.scan(b, base, func(num protowire.Number, _ protowire.Type) uint32 { return uint32(num) })
	if err != nil {
		return err
	}
	defer d.drop(es)
	for len(es) > 0 && !d.w.Full() {
		n := run(es)
		d.w.Key(strconv.Itoa(int(es[0].rank)))
		if err := d.guess(b, base, es[:n], ""); err != nil {
			return err
		}
		es = es[n:]
	}
	d.w.Close()
	return nil
}

// guess writes the occurrences of a field without a schema.
func (d *decoder) guess(b []byte, base int, es []entry, note string) error {
	if len(es) == 1 {
		err := d.guessOne(read(b, int(es[0].at), base))
		if note != "" && err == nil {
			d.w.Note(note)
		}
		return err
	}
	if err := d.open('[', base); err != nil {
		return err
	}
	d.w.Note(note)
	for _, e := range es {
		if d.w.Full() {
			return nil
		}
		if err := d.guessOne(read(b, int(e.at), base)); err != nil {
			return err
		}
	}
	d.w.Close()
	return nil
}

// maxGuesses is how deep messages are guessed. Bytes below are bytes.
const maxGuesses = 32

func (d *decoder) guessOne(v value) error {
	switch {
	case v.typ != protowire.BytesType && v.typ != protowire.StartGroupType:
		d.w.Uint(v.n)
		if d.w.Noting() {
			d.w.Note(readings(v))
		}
		return nil
	case v.typ == protowire.BytesType && emit.Printable(v.b):
		d.w.String(string(v.b))
		return nil
	case v.typ == protowire.BytesType && (!plausible(v.b) || d.guesses >= maxGuesses):
		d.w.Bytes(v.b)
		return nil
	}
	d.guesses++
	err := d.raw(v.b, v.base)
	d.guesses--
	return err
}

// readings are what a number may mean besides its unsigned value.
func readings(v value) string {
	switch v.typ {
	case protowire.Fixed32Type:
		return fmt.Sprintf("32 bits; as float %v", math.Float32frombits(uint32(v.n)))
	case protowire.Fixed64Type:
		return fmt.Sprintf("64 bits; as double %v", math.Float64frombits(v.n))
	}
	switch {
	case int64(v.n) < 0:
		return fmt.Sprintf("signed %d", int64(v.n))
	case v.n > 1 && v.n&1 == 1:
		return fmt.Sprintf("zig-zag %d", protowire.DecodeZigZag(v.n))
	}
	return ""
}

// maxPlausible is the highest field number a guess accepts: people number
// fields from 1 and leave gaps of hundreds, not of millions.
const maxPlausible = 4096

// plausible reports whether bytes are one message as encoders write them: no
// number longer than it need be, small field numbers, no groups, and each
// field with one wire type.
func plausible(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	var types [64]protowire.Type
	for i := 0; i < len(b); {
		num, typ, n := protowire.ConsumeTag(b[i:])
		if n < 0 || num > maxPlausible || n != protowire.SizeTag(num) || typ == protowire.StartGroupType || typ == protowire.EndGroupType {
			return false
		}
		if int(num) < len(types) {
			if was := types[num]; was != 0 && was != typ+1 {
				return false
			}
			types[num] = typ + 1
		}
		size := protowire.ConsumeFieldValue(num, typ, b[i+n:])
		if size < 0 || typ == protowire.VarintType && !shortest(b[i+n:i+n+size]) {
			return false
		}
		i += n + size
	}
	return true
}

// shortest reports whether a varint has no byte too many.
func shortest(b []byte) bool { return len(b) == 1 || b[len(b)-1] != 0 }

// Looks reports whether bytes of unknown origin are a Protobuf message rather
// than anything else: plausible, fields as good as in ascending order, and most
// of it text or messages that hold text.
func Looks(b []byte) bool {
	if len(b) < 4 || !plausible(b) {
		return false
	}
	fields, last, back := 0, protowire.Number(0), 0
	err := each(b, 0, func(v value) {
		fields++
		if v.num < last {
			back++
		}
		last = v.num
	})
	const mostBack = 2 // encoders for Go write oneofs last
	return err == nil && back <= mostBack && fields > 1 && 2*explained(b, 0) >= len(b)
}

// minText is the length from which text is taken for text: of shorter bytes
// too many are printable by chance.
const minText = 4

// explained counts the bytes that are in text, with their tags.
func explained(b []byte, depth int) int {
	n := 0
	_ = each(b, 0, func(v value) { // plausible has checked it
		switch {
		case v.typ != protowire.BytesType:
		case len(v.b) >= minText && emit.Printable(v.b):
			n += len(v.b) + 2
		case depth < maxGuesses && plausible(v.b):
			if inner := explained(v.b, depth+1); inner > 0 {
				n += inner + 2
			}
		}
	})
	return n
}
