package protobuf

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func (d *differ) fields(a, b protoreflect.MessageDescriptor) {
	for i := range a.Fields().Len() {
		f := a.Fields().Get(i)
		g := b.Fields().ByNumber(f.Number())
		if g == nil {
			d.fieldGone(f, b)
			continue
		}
		d.field(f, g)
	}
	for i := range b.Fields().Len() {
		if g := b.Fields().Get(i); a.Fields().ByNumber(g.Number()) == nil {
			d.fine("FIELD_ADDED", nil, g, "", spelled(g), "a new field, number %d", g.Number())
		}
	}
}

func (d *differ) fieldGone(f protoreflect.FieldDescriptor, b protoreflect.MessageDescriptor) {
	number, name := b.ReservedRanges().Has(f.Number()), b.ReservedNames().Has(f.Name())
	text := fmt.Sprintf("field %d is gone", f.Number())
	if d.generated() {
		d.add("FIELD_NO_DELETE", f, nil, spelled(f), "", "%s", text)
		return
	}
	told := false
	if !number {
		told = true
		d.add("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", f, nil, spelled(f), "", "%s, and its number is not reserved: it may come to mean something else", text)
	}
	if !name && d.level == WireJSON {
		told = true
		d.add("FIELD_NO_DELETE_UNLESS_NAME_RESERVED", f, nil, spelled(f), "", "%s, and its name is not reserved: in JSON it may come to mean something else", text)
	}
	if !told {
		d.add("FIELD_NO_DELETE", f, nil, spelled(f), "", "%s; it is reserved, but generated code misses it", text)
	}
}

// spelled is the type of a field as in a .proto file.
func spelled(f protoreflect.FieldDescriptor) string {
	if f.IsMap() {
		return "map<" + typeName(f.MapKey()) + ", " + typeName(f.MapValue()) + ">"
	}
	switch {
	case f.Cardinality() == protoreflect.Repeated:
		return "repeated " + typeName(f)
	case f.Cardinality() == protoreflect.Required:
		return "required " + typeName(f)
	case f.HasOptionalKeyword():
		return "optional " + typeName(f)
	}
	return typeName(f)
}

func typeName(f protoreflect.FieldDescriptor) string {
	switch {
	case f.Message() != nil:
		return string(f.Message().FullName())
	case f.Enum() != nil:
		return string(f.Enum().FullName())
	}
	return f.Kind().String()
}

func (d *differ) field(a, b protoreflect.FieldDescriptor) {
	if a.Name() != b.Name() && !a.IsExtension() {
		d.add("FIELD_SAME_NAME", a, b, string(a.Name()), string(b.Name()), "field %d was called %s and is called %s", a.Number(), a.Name(), b.Name())
	}
	if a.JSONName() != b.JSONName() && !a.IsExtension() {
		d.add("FIELD_SAME_JSON_NAME", a, b, a.JSONName(), b.JSONName(), "in JSON it was called %s and is called %s", a.JSONName(), b.JSONName())
	}
	d.cardinality(a, b)
	d.typeOf(a, b)
	d.oneofOf(a, b)
	if x, y := dflt(a), dflt(b); x != y {
		d.add("FIELD_SAME_DEFAULT", a, b, x, y, "left out, it was %s and is %s", orZero(x), orZero(y))
	}
	x, _ := a.Options().(*descriptorpb.FieldOptions)
	y, _ := b.Options().(*descriptorpb.FieldOptions)
	if x.GetJstype() != y.GetJstype() {
		d.add("FIELD_SAME_JSTYPE", a, b, x.GetJstype().String(), y.GetJstype().String(), "in JavaScript it was %s and is %s", x.GetJstype(), y.GetJstype())
	}
	if x.GetCtype() != y.GetCtype() {
		d.add("FIELD_SAME_CPP_STRING_TYPE", a, b, x.GetCtype().String(), y.GetCtype().String(), "in C++ it was %s and is %s", x.GetCtype(), y.GetCtype())
	}
	if a.Kind() == protoreflect.StringKind && b.Kind() == protoreflect.StringKind && utf8(a) != utf8(b) {
		d.add("FIELD_SAME_UTF8_VALIDATION", a, b, fmt.Sprint(utf8(a)), fmt.Sprint(utf8(b)), "whether it must be valid UTF-8 was %v and is %v", utf8(a), utf8(b))
	}
	if a.Kind() == protoreflect.StringKind && b.Kind() == protoreflect.StringKind && javaUTF8(a) != javaUTF8(b) {
		d.add("FIELD_SAME_JAVA_UTF8_VALIDATION", a, b, fmt.Sprint(javaUTF8(a)), fmt.Sprint(javaUTF8(b)), "whether Java checks for valid UTF-8 was %v and is %v", javaUTF8(a), javaUTF8(b))
	}
	if !x.GetDeprecated() && y.GetDeprecated() {
		d.fine("FIELD_DEPRECATED", a, b, "", "", "deprecated")
	}
}

func dflt(f protoreflect.FieldDescriptor) string {
	if !f.HasDefault() {
		return ""
	}
	if ev := f.DefaultEnumValue(); ev != nil {
		return string(ev.Name())
	}
	return fmt.Sprint(f.Default().Interface())
}

func orZero(s string) string {
	if s == "" {
		return "the zero value"
	}
	return s
}

// utf8 reports whether strings are checked: always in proto3, never in proto2, as
// declared in editions.
func utf8(f protoreflect.FieldDescriptor) bool {
	switch f.ParentFile().Syntax() {
	case protoreflect.Proto2:
		return false
	case protoreflect.Proto3:
		return true
	}
	if o, ok := f.Options().(*descriptorpb.FieldOptions); ok && o.GetFeatures().GetUtf8Validation() != descriptorpb.FeatureSet_UTF8_VALIDATION_UNKNOWN {
		return o.GetFeatures().GetUtf8Validation() == descriptorpb.FeatureSet_VERIFY
	}
	o, ok := f.ParentFile().Options().(*descriptorpb.FileOptions)
	return !ok || o.GetFeatures().GetUtf8Validation() != descriptorpb.FeatureSet_NONE
}

// javaUTF8 is utf8 as Java's code generator sees it.
func javaUTF8(f protoreflect.FieldDescriptor) bool {
	o, ok := f.ParentFile().Options().(*descriptorpb.FileOptions)
	return utf8(f) || ok && o.GetJavaStringCheckUtf8()
}

// cardinality names as in buf's messages.
func cardinality(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsMap():
		return "map"
	case f.Cardinality() == protoreflect.Repeated:
		return "repeated"
	case f.Cardinality() == protoreflect.Required:
		return "required"
	case f.HasPresence():
		return "optional with explicit presence"
	}
	return "optional with implicit presence"
}

func (d *differ) cardinality(a, b protoreflect.FieldDescriptor) {
	x, y := cardinality(a), cardinality(b)
	if x == y {
		return
	}
	single := func(s string) bool { return s != "map" && s != "repeated" && s != "required" }
	many := (x == "map" || x == "repeated") && (y == "map" || y == "repeated")
	wire := single(x) && single(y) || many
	json := single(x) && single(y)
	rule := "FIELD_SAME_CARDINALITY"
	switch {
	case d.level == Wire && !wire:
		rule = "FIELD_WIRE_COMPATIBLE_CARDINALITY"
	case d.level == WireJSON && !json:
		rule = "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY"
	}
	d.add(rule, a, b, x, y, "it was %s and is %s", x, y)
}

func (d *differ) typeOf(a, b protoreflect.FieldDescriptor) {
	if a.IsMap() && b.IsMap() {
		d.part(a, b, a.MapKey(), b.MapKey(), "the key of the map")
		d.part(a, b, a.MapValue(), b.MapValue(), "the value of the map")
		return
	}
	d.part(a, b, a, b, "it")
}

// part compares the types of a field, or of the key or value of its map.
func (d *differ) part(a, b, x, y protoreflect.FieldDescriptor, what string) {
	from, to := typeName(x), typeName(y)
	if from == to && x.Kind() == y.Kind() {
		return
	}
	rule := "FIELD_SAME_TYPE"
	wire, json := wireCompatible(x, y), jsonCompatible(x, y)
	switch {
	case d.level == Wire && !wire:
		rule = "FIELD_WIRE_COMPATIBLE_TYPE"
	case d.level == WireJSON && !json:
		rule = "FIELD_WIRE_JSON_COMPATIBLE_TYPE"
	}
	more := "; what was written with one cannot be read as the other"
	switch {
	case json:
		more = "; messages of both can be read, binary and as JSON"
	case wire:
		more = "; binary messages of both can be read, JSON cannot"
	}
	d.add(rule, a, b, from, to, "%s was %s and is %s%s", what, from, to, more)
}

// wireCompatible follows https://protobuf.dev/programming-guides/proto3/#updating
// as buf reads it.
func wireCompatible(a, b protoreflect.FieldDescriptor) bool {
	x, y := a.Kind(), b.Kind()
	if x == protoreflect.EnumKind && y == protoreflect.EnumKind {
		return superset(a.Enum(), b.Enum())
	}
	if x == protoreflect.StringKind && y == protoreflect.BytesKind {
		return true
	}
	return alike(x, y, [][]protoreflect.Kind{
		{protoreflect.Int32Kind, protoreflect.Uint32Kind, protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.BoolKind},
		{protoreflect.Sint32Kind, protoreflect.Sint64Kind},
		{protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind},
		{protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind},
	})
}

func jsonCompatible(a, b protoreflect.FieldDescriptor) bool {
	if a.Kind() == protoreflect.EnumKind && b.Kind() == protoreflect.EnumKind {
		return superset(a.Enum(), b.Enum())
	}
	return alike(a.Kind(), b.Kind(), [][]protoreflect.Kind{
		{protoreflect.Int32Kind, protoreflect.Uint32Kind},
		{protoreflect.Int64Kind, protoreflect.Uint64Kind},
		{protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind},
		{protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind},
	})
}

func alike(a, b protoreflect.Kind, groups [][]protoreflect.Kind) bool {
	return slices.ContainsFunc(groups, func(g []protoreflect.Kind) bool { return slices.Contains(g, a) && slices.Contains(g, b) })
}

// superset reports whether an enum of the same short name has all values of
// another.
func superset(a, b protoreflect.EnumDescriptor) bool {
	if a.Name() != b.Name() || a.IsPlaceholder() || b.IsPlaceholder() {
		return false
	}
	for i := range a.Values().Len() {
		v := a.Values().Get(i)
		if w := b.Values().ByName(v.Name()); w == nil || w.Number() != v.Number() {
			return false
		}
	}
	return true
}

func (d *differ) oneofOf(a, b protoreflect.FieldDescriptor) {
	x, y := oneof(a), oneof(b)
	switch {
	case x == y:
	case x == "":
		d.add("FIELD_SAME_ONEOF", a, b, "", y, "it is in the oneof %s now: setting another of them clears it", y)
	case y == "":
		d.add("FIELD_SAME_ONEOF", a, b, x, "", "it is no longer in the oneof %s", x)
	default:
		d.add("FIELD_SAME_ONEOF", a, b, x, y, "it was in the oneof %s and is in %s", x, y)
	}
}

func oneof(f protoreflect.FieldDescriptor) string {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return string(o.Name())
	}
	return ""
}
