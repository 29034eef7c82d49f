package protobuf

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func (d *differ) enums() {
	for _, name := range d.a.order {
		a := d.a.enums[name]
		if a == nil {
			continue
		}
		b := d.b.enums[name]
		if b == nil {
			d.gone(a, nil, "ENUM")
			continue
		}
		d.gone(a, b, "ENUM")
		d.enum(a, b)
	}
	for _, name := range d.b.order {
		if b := d.b.enums[name]; b != nil && d.a.enums[name] == nil {
			d.fine("ENUM_ADDED", nil, b, "", "", "a new enum")
		}
	}
}

func (d *differ) enum(a, b protoreflect.EnumDescriptor) {
	if a.IsClosed() != b.IsClosed() {
		d.add("ENUM_SAME_TYPE", a, b, closed(a), closed(b), "it was %s and is %s: unknown values are treated otherwise", closed(a), closed(b))
	}
	if jsonFormat(a) != jsonFormat(b) && jsonFormat(a) == "ALLOW" {
		d.add("ENUM_SAME_JSON_FORMAT", a, b, jsonFormat(a), jsonFormat(b), "support for JSON was promised and is not any more")
	}
	now := numbers(b)
	was := numbers(a)
	for _, n := range was.order {
		names := now.names[n]
		if names == nil {
			d.valueGone(was.first[n], b)
			continue
		}
		if lost := without(was.names[n], names); len(lost) > 0 {
			d.add("ENUM_VALUE_SAME_NAME", was.first[n], now.first[n], strings.Join(was.names[n], ", "), strings.Join(names, ", "), "the value %d was called %s and is called %s", n,
				strings.Join(was.names[n], " and "), strings.Join(names, " and "))
		}
	}
	for _, n := range now.order {
		if was.names[n] == nil {
			d.fine("ENUM_VALUE_ADDED", nil, now.first[n], "", string(now.first[n].Name()), "a new value, number %d", n)
		}
	}
	d.reservedEnum(a, b)
}

func closed(e protoreflect.EnumDescriptor) string {
	if e.IsClosed() {
		return "closed"
	}
	return "open"
}

// values are an enum's values by number; aliases share one.
type values struct {
	names map[protoreflect.EnumNumber][]string
	first map[protoreflect.EnumNumber]protoreflect.EnumValueDescriptor
	order []protoreflect.EnumNumber
}

func numbers(e protoreflect.EnumDescriptor) values {
	v := values{names: map[protoreflect.EnumNumber][]string{}, first: map[protoreflect.EnumNumber]protoreflect.EnumValueDescriptor{}}
	for i := range e.Values().Len() {
		ev := e.Values().Get(i)
		if v.names[ev.Number()] == nil {
			v.first[ev.Number()] = ev
			v.order = append(v.order, ev.Number())
		}
		v.names[ev.Number()] = append(v.names[ev.Number()], string(ev.Name()))
	}
	return v
}

func without(a, b []string) (out []string) {
	in := make(map[string]bool, len(b))
	for _, v := range b {
		in[v] = true
	}
	for _, v := range a {
		if !in[v] {
			out = append(out, v)
		}
	}
	return out
}

func (d *differ) valueGone(v protoreflect.EnumValueDescriptor, b protoreflect.EnumDescriptor) {
	if d.generated() {
		d.add("ENUM_VALUE_NO_DELETE", v, nil, string(v.Name()), "", "the value %d is gone", v.Number())
		return
	}
	told := false
	if !b.ReservedRanges().Has(v.Number()) {
		told = true
		d.add("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", v, nil, string(v.Name()), "", "the value %d is gone, and its number is not reserved", v.Number())
	}
	if !b.ReservedNames().Has(v.Name()) && d.level == WireJSON {
		told = true
		d.add("ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", v, nil, string(v.Name()), "", "the value %d is gone, and its name is not reserved", v.Number())
	}
	if !told {
		d.add("ENUM_VALUE_NO_DELETE", v, nil, string(v.Name()), "", "the value %d is gone; it is reserved, but generated code misses it", v.Number())
	}
}

func (d *differ) reservedEnum(a, b protoreflect.EnumDescriptor) {
	var lost []string
	in := func(n int64) (int64, bool) {
		for i := range b.ReservedRanges().Len() {
			if r := b.ReservedRanges().Get(i); n >= int64(r[0]) && n <= int64(r[1]) {
				return int64(r[1]), true
			}
		}
		return 0, false
	}
	for i := range a.ReservedRanges().Len() {
		if r := a.ReservedRanges().Get(i); !covered(int64(r[0]), int64(r[1]), in) {
			lost = append(lost, span(int64(r[0]), int64(r[1])))
		}
	}
	for i := range a.ReservedNames().Len() {
		if n := a.ReservedNames().Get(i); !b.ReservedNames().Has(n) {
			lost = append(lost, string(n))
		}
	}
	if len(lost) > 0 {
		d.add("RESERVED_ENUM_NO_DELETE", a, b, strings.Join(lost, ", "), "", "no longer reserved: %s", strings.Join(lost, ", "))
	}
}

// jsonFormat is the feature that promises JSON: always in proto3, as far as
// possible in proto2, as declared in editions.
func jsonFormat(d protoreflect.Descriptor) string {
	f := d.ParentFile()
	if f.Syntax() == protoreflect.Proto2 {
		return "LEGACY_BEST_EFFORT"
	}
	var set *descriptorpb.FeatureSet
	switch o := d.Options().(type) {
	case *descriptorpb.MessageOptions:
		set = o.GetFeatures()
	case *descriptorpb.EnumOptions:
		set = o.GetFeatures()
	}
	if set.GetJsonFormat() != descriptorpb.FeatureSet_JSON_FORMAT_UNKNOWN {
		return set.GetJsonFormat().String()
	}
	if o, ok := f.Options().(*descriptorpb.FileOptions); ok && o.GetFeatures().GetJsonFormat() != descriptorpb.FeatureSet_JSON_FORMAT_UNKNOWN {
		return o.GetFeatures().GetJsonFormat().String()
	}
	return "ALLOW"
}
