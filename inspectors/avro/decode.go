package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"iscope/inspectors/emit"
)

// maxEmpty is how many items that take no bytes a body may claim.
const maxEmpty = 1 << 16

// Decode writes the JSON of one datum that takes all of b. Unions are written
// as their value, with the branch in a note where it is not obvious. It stops
// early, without an error, when w is full. Errors are *emit.Fault.
func (s *Schema) Decode(w *emit.Writer, b []byte) error {
	d := decoder{b: b, w: w, empty: maxEmpty}
	if err := d.value(s.root); err != nil {
		return err
	}
	if d.i < len(b) && !w.Full() {
		return d.fail("%s left over after %s", emit.Counted(len(b)-d.i, "byte"), s.name)
	}
	return nil
}

type decoder struct {
	b     []byte
	i     int
	w     *emit.Writer
	empty int // items without bytes that are still allowed
}

func (d *decoder) fail(format string, args ...any) error {
	return &emit.Fault{Offset: d.i, Reason: fmt.Sprintf(format, args...)}
}

func (d *decoder) short(what string) error {
	return &emit.Fault{Offset: len(d.b), Reason: "it ends inside " + what, Short: true}
}

func (d *decoder) value(n *node) error {
	switch n.kind {
	case "null":
		d.w.Null()
		return nil
	case "record":
		return d.record(n)
	case "array":
		return d.array(n)
	case "map":
		return d.mapping(n)
	case "union":
		return d.union(n)
	case "enum":
		return d.enum(n)
	case "boolean":
		return d.boolean()
	case "int", "long":
		return d.whole(n)
	case "float", "double":
		return d.float(n)
	case "fixed":
		b, err := d.take(n.size, n.name)
		if err != nil {
			return err
		}
		return d.fixed(n, b)
	}
	b, err := d.block(n.kind)
	if err != nil {
		return err
	}
	if n.kind == "string" {
		d.w.String(string(b))
		return nil
	}
	d.bytes(n, b)
	return nil
}

// open bounds the recursion, too: unions hold no unions, so that every second
// level is an object or an array.
func (d *decoder) open(bracket byte) error {
	if !d.w.Open(bracket) {
		return d.fail("nested deeper than %d levels", emit.MaxDepth)
	}
	return nil
}

func (d *decoder) record(n *node) error {
	if err := d.open('{'); err != nil {
		return err
	}
	for i := range n.fields {
		if d.w.Full() {
			return nil
		}
		d.w.QuotedKey(n.fields[i].key)
		if err := d.value(n.fields[i].node); err != nil {
			return inField(err, n.fields[i].key)
		}
	}
	d.w.Close()
	return nil
}

// inField adds where in the schema a fault is, innermost first.
func inField(err error, key []byte) error {
	f, ok := err.(*emit.Fault)
	if !ok || len(f.Reason) > 300 {
		return err
	}
	return &emit.Fault{Offset: f.Offset, Reason: f.Reason + ", field " + string(key), Short: f.Short}
}

func (d *decoder) array(n *node) error {
	if err := d.open('['); err != nil {
		return err
	}
	return d.blocks(func() error { return d.value(n.items) })
}

func (d *decoder) mapping(n *node) error {
	if err := d.open('{'); err != nil {
		return err
	}
	return d.blocks(func() error {
		key, err := d.block("a key")
		if err != nil {
			return err
		}
		d.w.Key(string(key))
		return d.value(n.items)
	})
}

// blocks reads the runs of items that arrays and maps are written in. A
// negative count comes with the size of the run, which only skipping needs.
func (d *decoder) blocks(item func() error) error {
	for {
		count, err := d.long("a count of items")
		if err != nil {
			return err
		}
		if count == 0 {
			d.w.Close()
			return nil
		}
		if count < 0 {
			if _, err := d.long("the size of a block"); err != nil {
				return err
			}
			if count = -count; count < 0 {
				return d.fail("impossible count of items")
			}
		}
		for ; count > 0; count-- {
			if d.w.Full() {
				return nil
			}
			before := d.i
			if err := item(); err != nil {
				return err
			}
			if d.i > before {
				continue
			}
			if d.empty--; d.empty < 0 {
				return d.fail("more than %d items without content", maxEmpty)
			}
		}
	}
}

func (d *decoder) union(n *node) error {
	at := d.i
	index, err := d.long("the branch of a union")
	if err != nil {
		return err
	}
	if index < 0 || index >= int64(len(n.branches)) {
		d.i = at
		return d.fail("branch %d of a union of %d", index, len(n.branches))
	}
	branch := n.branches[index]
	if err := d.value(branch); err != nil {
		return err
	}
	if !n.nullable && branch.kind != "null" && d.w.Noting() {
		d.w.Note(branch.name)
	}
	return nil
}

func (d *decoder) enum(n *node) error {
	at := d.i
	index, err := d.long("an enum")
	if err != nil {
		return err
	}
	if index < 0 || index >= int64(len(n.symbols)) {
		d.i = at
		return d.fail("symbol %d of %s, which has %d", index, n.name, len(n.symbols))
	}
	d.w.String(n.symbols[index])
	return nil
}

func (d *decoder) boolean() error {
	b, err := d.take(1, "a boolean")
	if err != nil {
		return err
	}
	if b[0] > 1 {
		d.i--
		return d.fail("a boolean of value %d", b[0])
	}
	d.w.Bool(b[0] == 1)
	return nil
}

func (d *decoder) whole(n *node) error {
	at := d.i
	v, err := d.long(n.kind)
	if err != nil {
		return err
	}
	if n.kind == "int" && int64(int32(v)) != v {
		d.i = at
		return d.fail("%d is too large for an int", v)
	}
	d.w.Int(v)
	if n.logical != "" && d.w.Noting() {
		d.w.Note(moment(n.logical, v))
	}
	return nil
}

func (d *decoder) float(n *node) error {
	size := 8
	if n.kind == "float" {
		size = 4
	}
	b, err := d.take(size, n.kind)
	if err != nil {
		return err
	}
	if size == 4 {
		d.w.Float(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32)
	} else {
		d.w.Float(math.Float64frombits(binary.LittleEndian.Uint64(b)), 64)
	}
	return nil
}

// long reads a zig-zag number of variable length.
func (d *decoder) long(what string) (int64, error) {
	v, n := binary.Varint(d.b[d.i:])
	if n == 0 {
		return 0, d.short(what)
	}
	if n < 0 {
		return 0, d.fail("a number of more than 64 bits for %s", what)
	}
	d.i += n
	return v, nil
}

// block reads a length and as many bytes.
func (d *decoder) block(what string) ([]byte, error) {
	at := d.i
	n, err := d.long("the length of " + what)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		d.i = at
		return nil, d.fail("length %s for %s", strconv.FormatInt(n, 10), what)
	}
	if n > int64(len(d.b)-d.i) {
		return nil, &emit.Fault{Offset: at, Short: true,
			Reason: fmt.Sprintf("length %d for %s, but %s left", n, what, emit.Counted(len(d.b)-d.i, "byte"))}
	}
	return d.take(int(n), what)
}

func (d *decoder) take(n int, what string) ([]byte, error) {
	if n > len(d.b)-d.i {
		return nil, d.short(what)
	}
	b := d.b[d.i : d.i+n]
	d.i += n
	return b, nil
}
