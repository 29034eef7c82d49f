// Package msgpack decodes MessagePack into JSON
// (https://github.com/msgpack/msgpack/blob/master/spec.md).
package msgpack

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"iscope/inspectors/emit"
)

// Decode writes the JSON of one value that takes all of b, keeping the order
// and the duplicates of keys. It stops early, without an error, when w is full.
// Errors are *emit.Fault.
func Decode(w *emit.Writer, b []byte) error {
	d := decoder{b: b, w: w}
	if err := d.value(); err != nil {
		return err
	}
	if d.i < len(b) && !w.Full() {
		return d.fail("%s left over after the value", emit.Counted(len(b)-d.i, "byte"))
	}
	return nil
}

// Looks reports whether bytes of unknown origin are MessagePack rather than
// anything else: one map with names for keys, or an array with such a map in
// it, that ends with the bytes.
func Looks(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	first := b[0]
	if !(first > 0x80 && first <= 0x9f || first >= 0xdc && first <= 0xdf) {
		return false // neither a map nor an array with something in it
	}
	d := decoder{b: b, w: emit.Dry(), strict: true}
	return d.value() == nil && d.i == len(b) && d.named > 0
}

type decoder struct {
	b      []byte
	i      int
	w      *emit.Writer
	strict bool // refuse what guessing should not believe
	named  int  // maps whose keys are names
	inside int  // how often this is in a key
}

func (d *decoder) fail(format string, args ...any) error {
	return &emit.Fault{Offset: d.i, Reason: fmt.Sprintf(format, args...)}
}

func (d *decoder) take(n int, what string) ([]byte, error) {
	if n > len(d.b)-d.i {
		return nil, &emit.Fault{Offset: d.i, Short: true,
			Reason: fmt.Sprintf("%s of %s, but %s left", what, emit.Counted(n, "byte"), emit.Counted(len(d.b)-d.i, "byte"))}
	}
	b := d.b[d.i : d.i+n]
	d.i += n
	return b, nil
}

// number reads a big-endian number of n bytes.
func (d *decoder) number(n int, what string) (uint64, error) {
	b, err := d.take(n, what)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[8-n:], b)
	return binary.BigEndian.Uint64(full[:]), nil
}

func (d *decoder) value() error {
	if d.i >= len(d.b) {
		return &emit.Fault{Offset: d.i, Reason: "it ends where a value should be", Short: true}
	}
	c := d.b[d.i]
	d.i++
	switch {
	case c < 0x80:
		d.w.Int(int64(c))
	case c < 0x90:
		return d.mapping(int(c & 0x0f))
	case c < 0xa0:
		return d.array(int(c & 0x0f))
	case c < 0xc0:
		return d.text(int(c & 0x1f))
	case c >= 0xe0:
		d.w.Int(int64(int8(c)))
	case c == 0xc0:
		d.w.Null()
	case c == 0xc2, c == 0xc3:
		d.w.Bool(c == 0xc3)
	case c >= 0xca && c <= 0xd3:
		return d.numeric(c)
	case c >= 0xd4 && c <= 0xd8:
		return d.extension(1 << (c - 0xd4))
	case c == 0xc1:
		d.i--
		return d.fail("byte 0xc1 is never used")
	default:
		return d.sized(c)
	}
	return nil
}

func (d *decoder) numeric(c byte) error {
	size := [...]int{4, 8, 1, 2, 4, 8, 1, 2, 4, 8}[c-0xca]
	n, err := d.number(size, "a number")
	if err != nil {
		return err
	}
	switch {
	case c == 0xca: // exactly as a double, which holds it
		d.w.Float(float64(math.Float32frombits(uint32(n))), 64)
	case c == 0xcb:
		d.w.Float(math.Float64frombits(n), 64)
	case c <= 0xcf:
		d.w.Uint(n)
	default:
		shift := 64 - 8*size
		d.w.Int(int64(n<<shift) >> shift)
	}
	return nil
}

// sized reads the types that start with a length of one, two or four bytes.
func (d *decoder) sized(c byte) error {
	var width int
	switch c {
	case 0xc4, 0xc7, 0xd9:
		width = 1
	case 0xc5, 0xc8, 0xda, 0xdc, 0xde:
		width = 2
	default:
		width = 4
	}
	n, err := d.number(width, "a length")
	if err != nil {
		return err
	}
	if n > uint64(len(d.b)) { // each item and each byte of data takes a byte
		return &emit.Fault{Offset: d.i, Short: true,
			Reason: fmt.Sprintf("length %d, but %s left", n, emit.Counted(len(d.b)-d.i, "byte"))}
	}
	size := int(n)
	switch {
	case c >= 0xde:
		return d.mapping(size)
	case c >= 0xdc:
		return d.array(size)
	case c >= 0xd9:
		return d.text(size)
	case c >= 0xc7:
		return d.extension(size)
	}
	b, err := d.take(size, "data")
	if err == nil {
		d.w.Bytes(b)
	}
	return err
}

func (d *decoder) text(n int) error {
	b, err := d.take(n, "text")
	if err != nil {
		return err
	}
	if d.strict && !emit.Printable(b) {
		return d.fail("text that is none")
	}
	d.w.String(string(b))
	return nil
}

func (d *decoder) open(bracket byte) error {
	if !d.w.Open(bracket) {
		return d.fail("nested deeper than %d levels", emit.MaxDepth)
	}
	return nil
}

func (d *decoder) array(n int) error {
	if err := d.open('['); err != nil {
		return err
	}
	for ; n > 0 && !d.w.Full(); n-- {
		if err := d.value(); err != nil {
			return err
		}
	}
	d.w.Close()
	return nil
}

func (d *decoder) mapping(n int) error {
	if err := d.open('{'); err != nil {
		return err
	}
	names := n > 0
	for ; n > 0 && !d.w.Full(); n-- {
		name, err := d.key()
		if err != nil {
			return err
		}
		names = names && name
		if err := d.value(); err != nil {
			return err
		}
	}
	if names {
		d.named++
	}
	d.w.Close()
	return nil
}

const (
	maxInside = 3       // maps as keys of maps as keys: nesting starts anew in each
	maxKey    = 1 << 20 // bytes of a key written as JSON
)

// key writes a key. JSON has only text for it; others are written as the text
// of their JSON.
func (d *decoder) key() (name bool, err error) {
	if d.inside >= maxInside {
		return false, d.fail("keys in keys")
	}
	w := emit.New(maxKey, false)
	inner := decoder{b: d.b, i: d.i, w: w, strict: d.strict, inside: d.inside + 1}
	at := d.i
	if err := inner.value(); err != nil {
		return false, err
	}
	if w.Full() {
		return false, d.fail("a key of more than %d bytes", maxKey)
	}
	d.i = inner.i
	text := w.Text()
	if len(text) > 0 && text[0] == '"' && isText(d.b[at]) {
		d.w.QuotedKey(text)
		return len(text) > 2, nil
	}
	d.w.Key(string(text))
	return false, nil
}

func isText(c byte) bool { return c >= 0xa0 && c < 0xc0 || c >= 0xd9 && c <= 0xdb }

// timestampType is the extension type of the timestamps in the specification.
const timestampType = -1

func (d *decoder) extension(n int) error {
	typ, err := d.number(1, "an extension type")
	if err != nil {
		return err
	}
	b, err := d.take(n, "an extension")
	if err != nil {
		return err
	}
	if int8(typ) == timestampType {
		if at, ok := timestamp(b); ok {
			d.w.String(at)
			d.w.Note("timestamp")
			return nil
		}
	}
	d.w.Bytes(b)
	if d.w.Noting() {
		d.w.Note(fmt.Sprintf("extension type %d", int8(typ)))
	}
	return nil
}

func timestamp(b []byte) (string, bool) {
	var seconds int64
	var nanos uint64
	switch len(b) {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(b))
	case 8:
		v := binary.BigEndian.Uint64(b)
		nanos, seconds = v>>34, int64(v&(1<<34-1))
	case 12:
		nanos, seconds = uint64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))
	default:
		return "", false
	}
	const lastSecond, firstSecond = 253402300799, -62135596800 // of the years 9999 and 1
	if nanos > 999999999 || seconds > lastSecond || seconds < firstSecond {
		return "", false
	}
	return time.Unix(seconds, int64(nanos)).UTC().Format(time.RFC3339Nano), true
}
