package protobuf

import (
	"math"
	"sort"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/inspectors/emit"
)

// Decode writes the JSON of one message. Its fields have their JSON names and
// come in the order of the schema; numbers are numbers, whatever their size. A
// field that has no presence and is not on the wire is written with its zero,
// which is what it means. Fields the schema does not have follow by number. It
// stops early, without an error, when w is full. Errors are *emit.Fault.
func (s *Schema) Decode(w *emit.Writer, b []byte, md protoreflect.MessageDescriptor) error {
	d := decoder{w: w, types: s}
	return d.message(b, 0, md)
}

type decoder struct {
	w       *emit.Writer
	types   *Schema // nil: no descriptors
	entries []entry
	guesses int // levels of messages that were guessed
	// strangers are fields that the schema does not have.
	strangers int
}

func (d *decoder) open(bracket byte, base int) error {
	if !d.w.Open(bracket) {
		return &emit.Fault{Offset: base, Reason: "nested deeper than " + strconv.Itoa(emit.MaxDepth) + " levels"}
	}
	return nil
}

// message writes a message in its own JSON form, or as an object.
func (d *decoder) message(b []byte, base int, md protoreflect.MessageDescriptor) error {
	if write := known(md.FullName()); write != nil {
		if done, err := write(d, b, base, md); done || err != nil {
			return err
		}
	}
	if err := d.open('{', base); err != nil {
		return err
	}
	if err := d.fields(b, base, md); err != nil {
		return err
	}
	d.w.Close()
	return nil
}

func (d *decoder) fields(b []byte, base int, md protoreflect.MessageDescriptor) error {
	fields := md.Fields()
	es, err := d.scan(b, base, func(num protowire.Number, typ protowire.Type) uint32 {
		fd := fields.ByNumber(num)
		if fd == nil || !fits(fd, typ) {
			return unknown + uint32(num)
		}
		return uint32(fd.Index())
	})
	if err != nil {
		return err
	}
	defer d.drop(es)
	all := es
	for i := range fields.Len() {
		if d.w.Full() {
			return nil
		}
		n := 0
		if len(es) > 0 && es[0].rank == uint32(i) {
			n = run(es)
		}
		fd := fields.Get(i)
		mine := es[:n]
		if o := fd.ContainingOneof(); n > 0 && o != nil && !o.IsSynthetic() {
			mine = effective(all, mine, o)
		}
		if err := d.field(b, base, mine, fd, fd.JSONName()); err != nil {
			return inField(err, fd)
		}
		es = es[n:]
	}
	return d.rest(b, base, es, md)
}

// effective leaves those occurrences of a member that no later member of its
// oneof has replaced.
func effective(all, mine []entry, o protoreflect.OneofDescriptor) []entry {
	for i := range o.Fields().Len() {
		rank := uint32(o.Fields().Get(i).Index())
		if rank == mine[0].rank {
			continue
		}
		end := sort.Search(len(all), func(i int) bool { return all[i].rank > rank })
		if end == 0 || all[end-1].rank != rank {
			continue
		}
		for len(mine) > 1 && mine[0].at < all[end-1].at {
			mine = mine[1:]
		}
		if mine[0].at < all[end-1].at {
			return nil
		}
	}
	return mine
}

// inField adds where in the schema a fault is, innermost first.
func inField(err error, fd protoreflect.FieldDescriptor) error {
	f, ok := err.(*emit.Fault)
	if !ok || len(f.Reason) > 300 {
		return err
	}
	return &emit.Fault{Offset: f.Offset, Reason: f.Reason + ", in " + string(fd.Name()), Short: f.Short}
}

// rest writes the fields a schema does not have: extensions by their name,
// others by number and guess.
func (d *decoder) rest(b []byte, base int, es []entry, md protoreflect.MessageDescriptor) error {
	for len(es) > 0 && !d.w.Full() {
		n := run(es)
		num := protowire.Number(es[0].rank - unknown)
		fd := d.types.extension(md.FullName(), num)
		first := read(b, int(es[0].at), base)
		if fd != nil && fits(fd, first.typ) {
			if err := d.field(b, base, es[:n], fd, "["+string(fd.FullName())+"]"); err != nil {
				return inField(err, fd)
			}
		} else {
			d.strangers++
			d.w.Key(strconv.Itoa(int(num)))
			if err := d.guess(b, base, es[:n], "not in the schema"); err != nil {
				return err
			}
		}
		es = es[n:]
	}
	return nil
}

// fits reports whether a wire type can hold a field. Repeated numbers may be
// packed or not, whatever the schema says.
func fits(fd protoreflect.FieldDescriptor, typ protowire.Type) bool {
	want := wireType(fd.Kind())
	return typ == want || typ == protowire.BytesType && fd.IsList() && want != protowire.StartGroupType
}

func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	}
	return protowire.VarintType
}

// field writes all occurrences of one field.
func (d *decoder) field(b []byte, base int, es []entry, fd protoreflect.FieldDescriptor, name string) error {
	switch {
	case fd.IsMap() && len(es) > 0:
		d.w.Key(name)
		return d.mapping(b, base, es, fd)
	case fd.IsList() && len(es) > 0:
		d.w.Key(name)
		return d.list(b, base, es, fd)
	case len(es) > 0:
		d.w.Key(name)
		return d.single(b, base, es, fd)
	case fd.IsList() || fd.IsMap() || fd.HasPresence():
		return nil
	}
	d.w.Key(name)
	d.scalar(fd, value{})
	if d.w.Noting() {
		d.w.Note("not on the wire")
	}
	return nil
}

// single writes a field that is not repeated: the last occurrence counts, and
// those of messages are merged, which is what their bytes in a row mean.
func (d *decoder) single(b []byte, base int, es []entry, fd protoreflect.FieldDescriptor) error {
	v := read(b, int(es[len(es)-1].at), base)
	if fd.Message() == nil {
		d.scalar(fd, v)
		d.noteOneof(fd)
		return nil
	}
	if len(es) > 1 {
		v.b = nil
		for _, e := range es {
			v.b = append(v.b, read(b, int(e.at), base).b...)
		}
	}
	return d.message(v.b, v.base, fd.Message())
}

func (d *decoder) noteOneof(fd protoreflect.FieldDescriptor) {
	if o := fd.ContainingOneof(); o != nil && !o.IsSynthetic() && d.w.Noting() {
		d.w.Note("oneof " + string(o.Name()))
	}
}

func (d *decoder) list(b []byte, base int, es []entry, fd protoreflect.FieldDescriptor) error {
	if err := d.open('[', base); err != nil {
		return err
	}
	for _, e := range es {
		if d.w.Full() {
			return nil
		}
		v := read(b, int(e.at), base)
		switch {
		case fd.Message() != nil:
			if err := d.message(v.b, v.base, fd.Message()); err != nil {
				return err
			}
		case v.typ == protowire.BytesType && wireType(fd.Kind()) != protowire.BytesType:
			if err := d.packed(v, fd); err != nil {
				return err
			}
		default:
			d.scalar(fd, v)
		}
	}
	d.w.Close()
	return nil
}

func (d *decoder) packed(v value, fd protoreflect.FieldDescriptor) error {
	typ := wireType(fd.Kind())
	for i := 0; i < len(v.b) && !d.w.Full(); {
		size := protowire.ConsumeFieldValue(1, typ, v.b[i:])
		if size < 0 {
			return faultAt(v.base+i, "packed numbers", size)
		}
		d.scalar(fd, number(typ, v.b[i:]))
		i += size
	}
	return nil
}

// number parses a number that is known to be right.
func number(typ protowire.Type, b []byte) value {
	v := value{typ: typ}
	switch typ {
	case protowire.Fixed32Type:
		n, _ := protowire.ConsumeFixed32(b)
		v.n = uint64(n)
	case protowire.Fixed64Type:
		v.n, _ = protowire.ConsumeFixed64(b)
	default:
		v.n, _ = protowire.ConsumeVarint(b)
	}
	return v
}

// mapping writes a map. Of a key that comes more than once the last value
// counts.
func (d *decoder) mapping(b []byte, base int, es []entry, fd protoreflect.FieldDescriptor) error {
	if err := d.open('{', base); err != nil {
		return err
	}
	last := map[string]uint32{}
	pairs := make([]pair, 0, len(es))
	for _, e := range es {
		p, err := d.pair(read(b, int(e.at), base), fd)
		if err != nil {
			return err
		}
		last[p.key] = e.at
		pairs = append(pairs, p)
	}
	for i, p := range pairs {
		if d.w.Full() {
			return nil
		}
		if last[p.key] != es[i].at {
			continue
		}
		d.w.Key(p.key)
		if m := fd.MapValue().Message(); m != nil {
			if err := d.message(p.v.b, p.v.base, m); err != nil {
				return err
			}
			continue
		}
		d.scalar(fd.MapValue(), p.v)
	}
	d.w.Close()
	return nil
}

// pair is one entry of a map.
type pair struct {
	key string // as JSON needs it
	v   value
}

func (d *decoder) pair(entry value, fd protoreflect.FieldDescriptor) (pair, error) {
	var key value
	p := pair{v: value{base: entry.base}}
	err := each(entry.b, entry.base, func(v value) {
		switch {
		case v.num == 1 && v.typ == wireType(fd.MapKey().Kind()):
			key = v
		case v.num == 2 && v.typ == wireType(fd.MapValue().Kind()):
			p.v = v
		}
	})
	if fd.MapKey().Kind() == protoreflect.StringKind {
		p.key = string(key.b)
		return p, err
	}
	w := emit.New(64, false)
	(&decoder{w: w}).scalar(fd.MapKey(), key)
	p.key = string(w.Text())
	return p, err
}

// each calls f for every field of a message.
func each(b []byte, base int, f func(value)) error {
	for i := 0; i < len(b); {
		num, typ, n := protowire.ConsumeTag(b[i:])
		if n < 0 {
			return faultAt(base+i, "the tag of a field", n)
		}
		size := protowire.ConsumeFieldValue(num, typ, b[i+n:])
		if size < 0 {
			return faultAt(base+i, "field "+strconv.Itoa(int(num)), size)
		}
		f(read(b, i, base))
		i += n + size
	}
	return nil
}

// scalar writes a value that is no message.
func (d *decoder) scalar(fd protoreflect.FieldDescriptor, v value) {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		d.w.Bool(v.n != 0)
	case protoreflect.Int32Kind:
		d.w.Int(int64(int32(v.n)))
	case protoreflect.Sint32Kind:
		d.w.Int(protowire.DecodeZigZag(v.n & math.MaxUint32))
	case protoreflect.Sfixed32Kind:
		d.w.Int(int64(int32(v.n)))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		d.w.Uint(uint64(uint32(v.n)))
	case protoreflect.Int64Kind, protoreflect.Sfixed64Kind:
		d.w.Int(int64(v.n))
	case protoreflect.Sint64Kind:
		d.w.Int(protowire.DecodeZigZag(v.n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		d.w.Uint(v.n)
	case protoreflect.FloatKind:
		d.w.Float(float64(math.Float32frombits(uint32(v.n))), 32)
	case protoreflect.DoubleKind:
		d.w.Float(math.Float64frombits(v.n), 64)
	case protoreflect.StringKind:
		d.w.String(string(v.b))
	case protoreflect.BytesKind:
		d.w.Bytes(v.b)
	case protoreflect.EnumKind:
		d.enum(fd, protoreflect.EnumNumber(int32(v.n)))
	}
}

func (d *decoder) enum(fd protoreflect.FieldDescriptor, n protoreflect.EnumNumber) {
	if fd.Enum().FullName() == "google.protobuf.NullValue" {
		d.w.Null()
		return
	}
	name := fd.Enum().Values().ByNumber(n)
	if name == nil {
		d.w.Int(int64(n))
		d.w.Note("not in enum " + string(fd.Enum().Name()))
		return
	}
	d.w.String(string(name.Name()))
	if d.w.Noting() {
		d.w.Note(strconv.Itoa(int(n)))
	}
}
