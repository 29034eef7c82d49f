package protobuf

import (
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/inspectors/emit"
)

// knownForm writes a message in a JSON form of its own. done is false where
// the value does not fit that form and is to be written as an object.
type knownForm func(d *decoder, b []byte, base int, md protoreflect.MessageDescriptor) (done bool, err error)

// known returns the form of the well-known types
// (https://protobuf.dev/programming-guides/json/), nil for other messages.
func known(name protoreflect.FullName) knownForm {
	short, ok := strings.CutPrefix(string(name), "google.protobuf.")
	if !ok {
		if name == "confluent.type.Decimal" {
			return (*decoder).confluentDecimal
		}
		return nil
	}
	switch short {
	case "Timestamp":
		return (*decoder).timestamp
	case "Duration":
		return (*decoder).duration
	case "Any":
		return (*decoder).any
	case "FieldMask":
		return (*decoder).fieldMask
	case "Struct":
		return (*decoder).structure
	case "Value":
		return (*decoder).dynamic
	case "ListValue":
		return (*decoder).dynamicList
	case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue":
		return wrapper(short)
	}
	return nil
}

// numbers reads the two numbers that times, durations and decimals have.
func numbers(b []byte, base int, first, second protowire.Number) (a, c uint64, err error) {
	err = each(b, base, func(v value) {
		switch {
		case v.typ != protowire.VarintType:
		case v.num == first:
			a = v.n
		case v.num == second:
			c = v.n
		}
	})
	return a, c, err
}

// Seconds of the years 1 to 9999, and of a duration: what the types allow.
const (
	minSeconds  = -62135596800
	maxSeconds  = 253402300799
	maxDuration = 315576000000
)

func (d *decoder) timestamp(b []byte, base int, _ protoreflect.MessageDescriptor) (bool, error) {
	s, n, err := numbers(b, base, 1, 2)
	seconds, nanos := int64(s), int32(n)
	if err != nil || seconds < minSeconds || seconds > maxSeconds || nanos < 0 || nanos > 999999999 {
		return false, err
	}
	layout := "2006-01-02T15:04:05"
	d.w.String(time.Unix(seconds, 0).UTC().Format(layout) + fraction(nanos) + "Z")
	if d.w.Noting() {
		d.w.Note(strconv.FormatInt(seconds, 10) + " s since 1970")
	}
	return true, nil
}

// fraction writes nanoseconds with three, six or nine digits.
func fraction(nanos int32) string {
	if nanos == 0 {
		return ""
	}
	s := strconv.Itoa(1e9 + int(nanos))[1:]
	s = strings.TrimSuffix(strings.TrimSuffix(s, "000"), "000")
	return "." + s
}

func (d *decoder) duration(b []byte, base int, _ protoreflect.MessageDescriptor) (bool, error) {
	s, n, err := numbers(b, base, 1, 2)
	seconds, nanos := int64(s), int32(n)
	mixed := seconds > 0 && nanos < 0 || seconds < 0 && nanos > 0
	if err != nil || mixed || seconds < -maxDuration || seconds > maxDuration || nanos < -999999999 || nanos > 999999999 {
		return false, err
	}
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	d.w.String(sign + strconv.FormatInt(seconds, 10) + fraction(nanos) + "s")
	return true, nil
}

func (d *decoder) fieldMask(b []byte, base int, _ protoreflect.MessageDescriptor) (bool, error) {
	var paths []string
	err := each(b, base, func(v value) {
		if v.num == 1 && v.typ == protowire.BytesType {
			paths = append(paths, string(v.b))
		}
	})
	if err == nil {
		d.w.String(strings.Join(paths, ","))
	}
	return true, err
}

// any writes the message inside with its type beside its fields, where the
// type is known.
func (d *decoder) any(b []byte, base int, _ protoreflect.MessageDescriptor) (bool, error) {
	var url, inner value
	err := each(b, base, func(v value) {
		switch {
		case v.typ != protowire.BytesType:
		case v.num == 1:
			url = v
		case v.num == 2:
			inner = v
		}
	})
	if err != nil || len(url.b) == 0 {
		return false, err
	}
	if err := d.open('{', base); err != nil {
		return true, err
	}
	d.w.Key("@type")
	d.w.String(string(url.b))
	name := protoreflect.FullName(url.b[strings.LastIndexByte(string(url.b), '/')+1:])
	md := d.types.message(name)
	switch {
	case md == nil:
		d.w.Note("this type is not in the schema")
		d.w.Key("value")
		d.w.Bytes(inner.b)
	case known(name) != nil:
		d.w.Key("value")
		err = d.message(inner.b, inner.base, md)
	default:
		err = d.fields(inner.b, inner.base, md)
	}
	if err == nil {
		d.w.Close()
	}
	return true, err
}

func wrapped(name string) protowire.Type {
	switch name {
	case "DoubleValue":
		return protowire.Fixed64Type
	case "FloatValue":
		return protowire.Fixed32Type
	case "StringValue", "BytesValue":
		return protowire.BytesType
	}
	return protowire.VarintType
}

// wrapper writes google.protobuf.Int64Value and its like as their value.
func wrapper(name string) knownForm {
	return func(d *decoder, b []byte, base int, _ protoreflect.MessageDescriptor) (bool, error) {
		var v value
		if err := each(b, base, func(f value) {
			if f.num == 1 && f.typ == wrapped(name) {
				v = f
			}
		}); err != nil {
			return false, err
		}
		switch name {
		case "DoubleValue":
			d.w.Float(math.Float64frombits(v.n), 64)
		case "FloatValue":
			d.w.Float(float64(math.Float32frombits(uint32(v.n))), 32)
		case "Int64Value":
			d.w.Int(int64(v.n))
		case "UInt64Value":
			d.w.Uint(v.n)
		case "Int32Value":
			d.w.Int(int64(int32(v.n)))
		case "UInt32Value":
			d.w.Uint(uint64(uint32(v.n)))
		case "BoolValue":
			d.w.Bool(v.n != 0)
		case "StringValue":
			d.w.String(string(v.b))
		default:
			d.w.Bytes(v.b)
		}
		return true, nil
	}
}

func (d *decoder) structure(b []byte, base int, md protoreflect.MessageDescriptor) (bool, error) {
	fields := md.Fields().ByNumber(1)
	if fields == nil || !fields.IsMap() {
		return false, nil // another file's idea of a Struct
	}
	es, err := d.scan(b, base, func(num protowire.Number, typ protowire.Type) uint32 {
		if num == 1 && typ == protowire.BytesType {
			return 0
		}
		return unknown
	})
	if err != nil {
		return true, err
	}
	defer d.drop(es)
	n := 0
	if len(es) > 0 && es[0].rank == 0 {
		n = run(es)
	}
	return true, d.mapping(b, base, es[:n], fields)
}

// dynamic writes a google.protobuf.Value: the last of its fields counts.
func (d *decoder) dynamic(b []byte, base int, md protoreflect.MessageDescriptor) (bool, error) {
	var v value
	if err := each(b, base, func(f value) {
		if fd := md.Fields().ByNumber(f.num); fd != nil && fd.Number() <= 6 && fits(fd, f.typ) {
			v = f
		}
	}); err != nil {
		return true, err
	}
	switch v.num {
	case 2:
		d.w.Float(math.Float64frombits(v.n), 64)
	case 3:
		d.w.String(string(v.b))
	case 4:
		d.w.Bool(v.n != 0)
	case 5, 6:
		if inner := md.Fields().ByNumber(v.num).Message(); inner != nil && known(inner.FullName()) != nil {
			return true, d.message(v.b, v.base, inner)
		}
		return false, nil
	default:
		d.w.Null()
	}
	return true, nil
}

func (d *decoder) dynamicList(b []byte, base int, md protoreflect.MessageDescriptor) (bool, error) {
	values := md.Fields().ByNumber(1)
	if values == nil || values.Message() == nil {
		return false, nil
	}
	if err := d.open('[', base); err != nil {
		return true, err
	}
	var failed error
	err := each(b, base, func(v value) {
		if v.num == 1 && v.typ == protowire.BytesType && failed == nil && !d.w.Full() {
			failed = d.message(v.b, v.base, values.Message())
		}
	})
	if err != nil || failed != nil {
		return true, firstOf(failed, err)
	}
	d.w.Close()
	return true, nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// confluentDecimal writes confluent.type.Decimal, which Connect and ksqlDB use:
// unscaled bytes, precision, scale.
func (d *decoder) confluentDecimal(b []byte, base int, _ protoreflect.MessageDescriptor) (bool, error) {
	var unscaled []byte
	if err := each(b, base, func(v value) {
		if v.num == 1 && v.typ == protowire.BytesType {
			unscaled = v.b
		}
	}); err != nil {
		return true, err
	}
	_, scale, err := numbers(b, base, 2, 3)
	if err != nil || len(unscaled) == 0 || int32(scale) < -emit.MaxScale || int32(scale) > emit.MaxScale {
		return false, err
	}
	return d.w.Big(unscaled, int(int32(scale))), nil
}
