// Package cbor decodes CBOR into JSON (RFC 8949).
package cbor

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"

	"iscope/inspectors/emit"
)

// Decode writes the JSON of one data item that takes all of b, keeping the
// order and the duplicates of keys. Tags are in notes, beside the values they
// give a meaning to. It stops early, without an error, when w is full. Errors
// are *emit.Fault.
func Decode(w *emit.Writer, b []byte) error {
	d := decoder{b: b, w: w}
	if err := d.value(0); err != nil {
		return err
	}
	if d.i < len(b) && !w.Full() {
		return d.fail("%s left over after the item", emit.Counted(len(b)-d.i, "byte"))
	}
	return nil
}

// Looks reports whether bytes of unknown origin are CBOR rather than anything
// else: they say so themselves (tag 55799, RFC 8949 §3.4.6), or are one map
// with names for keys, or an array with such a map in it, that ends with the
// bytes.
func Looks(b []byte) bool {
	if len(b) < 3 {
		return false
	}
	said := b[0] == 0xd9 && b[1] == 0xd9 && b[2] == 0xf7
	if major := b[0] >> 5; !said && (major != majorArray && major != majorMap || b[0]&0x1f == 0) {
		return false
	}
	d := decoder{b: b, w: emit.Dry(), strict: true}
	return d.value(0) == nil && d.i == len(b) && (said || d.named > 0)
}

// Major types (RFC 8949 §3.1).
const (
	majorUint = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple
)

type decoder struct {
	b      []byte
	i      int
	w      *emit.Writer
	strict bool // refuse what guessing should not believe
	named  int  // maps whose keys are names
	inside int  // how often this is embedded, or in a key
	bytes  byte // how bytes are to be written: 0 base64, else the tag that says
}

func (d *decoder) fail(format string, args ...any) error {
	return &emit.Fault{Offset: d.i, Reason: fmt.Sprintf(format, args...)}
}

// head reads the head of an item. For lengths without end n is 0 and open is
// true.
func (d *decoder) head() (major, info byte, n uint64, open bool, err error) {
	if d.i >= len(d.b) {
		return 0, 0, 0, false, &emit.Fault{Offset: d.i, Reason: "it ends where an item should be", Short: true}
	}
	at := d.i
	major, info = d.b[d.i]>>5, d.b[d.i]&0x1f
	d.i++
	switch {
	case info < 24:
		return major, info, uint64(info), false, nil
	case info == 31 && major != majorUint && major != majorNegative && major != majorTag:
		return major, info, 0, true, nil
	case info > 27:
		d.i = at
		return 0, 0, 0, false, d.fail("reserved length %d", info)
	}
	size := 1 << (info - 24)
	b, err := d.take(uint64(size), "a number")
	if err != nil {
		return 0, 0, 0, false, err
	}
	var full [8]byte
	copy(full[8-size:], b)
	n = binary.BigEndian.Uint64(full[:])
	if d.strict && major < majorSimple && (n < 24 || size > 1 && n < 1<<(4*size)) {
		return 0, 0, 0, false, d.fail("a number longer than it need be")
	}
	return major, info, n, false, nil
}

func (d *decoder) take(n uint64, what string) ([]byte, error) {
	if n > uint64(len(d.b)-d.i) {
		return nil, &emit.Fault{Offset: d.i, Short: true,
			Reason: fmt.Sprintf("%s of %d bytes, but %s left", what, n, emit.Counted(len(d.b)-d.i, "byte"))}
	}
	b := d.b[d.i : d.i+int(n)]
	d.i += int(n)
	return b, nil
}

// value reads one item; tags counts those directly in front of it.
func (d *decoder) value(tags int) error {
	at := d.i
	major, info, n, open, err := d.head()
	if err != nil {
		return err
	}
	switch major {
	case majorUint:
		d.w.Uint(n)
	case majorNegative:
		d.negative(n)
	case majorBytes, majorText:
		b, err := d.chunks(major, n, open)
		if err != nil {
			return err
		}
		return d.content(major, b)
	case majorArray:
		return d.array(n, open)
	case majorMap:
		return d.mapping(n, open)
	case majorTag:
		if tags >= maxTags {
			d.i = at
			return d.fail("more than %d tags on one item", maxTags)
		}
		return d.tag(n, tags)
	default:
		return d.simple(info, n, open, at)
	}
	return nil
}

// maxTags bounds how many tags may follow one another: they cost a level of
// recursion each, which no bracket bounds.
const maxTags = 16

// negative writes -1-n, which needs one bit more than 64.
func (d *decoder) negative(n uint64) {
	if n <= math.MaxInt64 {
		d.w.Int(-1 - int64(n))
		return
	}
	if n == math.MaxUint64 {
		d.w.Raw([]byte("-18446744073709551616"))
		return
	}
	d.w.Raw(strconv.AppendUint([]byte("-"), n+1, 10))
}

// chunks reads a string, which may come in pieces (RFC 8949 §3.2.3).
func (d *decoder) chunks(major byte, n uint64, open bool) ([]byte, error) {
	what := "data"
	if major == majorText {
		what = "text"
	}
	if !open {
		return d.take(n, what)
	}
	var all []byte
	for {
		if d.breaks() {
			return all, nil
		}
		m, _, n, open, err := d.head()
		if err != nil {
			return nil, err
		}
		if m != major || open {
			return nil, d.fail("a piece of another type in %s", what)
		}
		piece, err := d.take(n, what)
		if err != nil {
			return nil, err
		}
		all = append(all, piece...)
	}
}

// breaks consumes the end of an item without a length.
func (d *decoder) breaks() bool {
	if d.i < len(d.b) && d.b[d.i] == 0xff {
		d.i++
		return true
	}
	return false
}

func (d *decoder) content(major byte, b []byte) error {
	if major == majorText {
		if d.strict && !emit.Printable(b) {
			return d.fail("text that is none")
		}
		d.w.String(string(b))
		return nil
	}
	switch d.bytes {
	case tagBase64URL:
		d.w.String(base64.RawURLEncoding.EncodeToString(b))
	case tagBase16:
		d.w.String(hex.EncodeToString(b))
	default:
		d.w.Bytes(b)
		return nil
	}
	if d.w.Noting() {
		d.w.Note(emit.Counted(len(b), "byte"))
	}
	return nil
}

func (d *decoder) open(bracket byte) error {
	if !d.w.Open(bracket) {
		return d.fail("nested deeper than %d levels", emit.MaxDepth)
	}
	return nil
}

func (d *decoder) array(n uint64, open bool) error {
	if err := d.open('['); err != nil {
		return err
	}
	for ; (open || n > 0) && !d.w.Full(); n-- {
		if open && d.breaks() {
			break
		}
		if err := d.value(0); err != nil {
			return err
		}
	}
	d.w.Close()
	return nil
}

func (d *decoder) mapping(n uint64, open bool) error {
	if err := d.open('{'); err != nil {
		return err
	}
	names := n > 0 || open
	for ; (open || n > 0) && !d.w.Full(); n-- {
		if open && d.breaks() {
			break
		}
		name, err := d.key()
		if err != nil {
			return err
		}
		names = names && name
		if err := d.value(0); err != nil {
			return err
		}
	}
	if names {
		d.named++
	}
	d.w.Close()
	return nil
}

// key writes a key. JSON has only text for it; others are written as the text
// of their JSON.
func (d *decoder) key() (name bool, err error) {
	at := d.i
	if d.inside >= maxEmbedded {
		return false, d.fail("keys in keys")
	}
	w := emit.New(maxKey, false)
	inner := decoder{b: d.b, i: d.i, w: w, strict: d.strict, inside: d.inside + 1}
	if err := inner.value(0); err != nil {
		return false, err
	}
	if w.Full() {
		return false, d.fail("a key of more than %d bytes", maxKey)
	}
	d.i = inner.i
	text := w.Text()
	if d.b[at]>>5 == majorText {
		d.w.QuotedKey(text)
		return len(text) > 2, nil
	}
	d.w.Key(string(text))
	return false, nil
}

// maxKey bounds a key written as JSON.
const maxKey = 1 << 20

// simple writes floats and simple values (RFC 8949 §3.3).
func (d *decoder) simple(info byte, n uint64, open bool, at int) error {
	switch {
	case open:
		d.i = at
		return d.fail("a break that ends nothing")
	case info == 25:
		d.w.Float(half(uint16(n)), 64)
	case info == 26: // exactly as a double, which holds it
		d.w.Float(float64(math.Float32frombits(uint32(n))), 64)
	case info == 27:
		d.w.Float(math.Float64frombits(n), 64)
	case info == 20, info == 21:
		d.w.Bool(info == 21)
	case info == 22:
		d.w.Null()
	case info == 23:
		d.w.Null()
		d.w.Note("undefined")
	case info == 24 && n < 32:
		d.i = at
		return d.fail("simple value %d in two bytes", n)
	default:
		d.w.String("simple(" + strconv.FormatUint(n, 10) + ")")
	}
	return nil
}

// half converts a number of 16 bits (RFC 8949 appendix D).
func half(v uint16) float64 {
	exp, mant := int(v>>10&0x1f), float64(v&0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(mant, -24)
	case 31:
		f = math.Inf(1)
		if mant != 0 {
			return math.NaN()
		}
	default:
		f = math.Ldexp(mant+1024, exp-25)
	}
	if v&0x8000 != 0 {
		return -f
	}
	return f
}
