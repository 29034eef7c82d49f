package grpcapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// render writes a message as compact canonical protobuf JSON. What has no such
// form (an Any of unknown type, a timestamp out of range, text that is not
// UTF-8) becomes {"@type","@value","@error"} at its place; the rest of the
// message stays readable. It never fails.
//
// Only messages without an Any are left to protojson, which follows an Any into
// an Any as deep as a hostile server likes, at the cost of the whole rest each
// time.
func render(m proto.Message, t resolver) []byte {
	if b, err := marshal(m); err == nil {
		return compact(b)
	}
	return renderer{types: t}.message(m.ProtoReflect())
}

// marshal is protojson's way. It fails on the first Any.
func marshal(m proto.Message) ([]byte, error) {
	return protojson.MarshalOptions{AllowPartial: true, Resolver: noTypes}.Marshal(m)
}

var noTypes = new(protoregistry.Types)

// anyDepth is how many Any are opened inside one another.
const anyDepth = 32

type renderer struct {
	types resolver
	depth int // Any opened around here
}

func (r renderer) message(m protoreflect.Message) []byte {
	md := m.Descriptor()
	switch name := md.FullName(); {
	case name == "google.protobuf.Any":
		return r.any(m)
	case name == "google.protobuf.Struct", name == "google.protobuf.ListValue":
		only := md.Fields().ByNumber(1)
		return r.value(only, m.Get(only))
	case name == "google.protobuf.Value":
		kind := m.WhichOneof(md.Oneofs().Get(0))
		if kind != nil && kind.Message() != nil {
			return r.message(m.Get(kind).Message())
		}
		return leaf(m)
	case wellKnown[name] != "":
		return leaf(m)
	}
	return r.fields(m)
}

// leaf writes a well-known message without others inside.
func leaf(m protoreflect.Message) []byte {
	b, err := marshal(m.Interface())
	if err != nil {
		return opaque(string(m.Descriptor().FullName()), wireOf(m), protoText(err))
	}
	return compact(b)
}

// compact also undoes the spaces that protojson varies from build to build.
func compact(b []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(b))
	if err := json.Compact(&out, b); err != nil { // protojson writes valid JSON
		return b
	}
	return out.Bytes()
}

// fields writes a message field by field.
func (r renderer) fields(m protoreflect.Message) []byte {
	var set []protoreflect.FieldDescriptor
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		set = append(set, fd)
		return true
	})
	slices.SortFunc(set, func(a, b protoreflect.FieldDescriptor) int {
		return int(a.Number()) - int(b.Number())
	})
	out := []byte{'{'}
	for _, fd := range set {
		name := fd.JSONName()
		if fd.IsExtension() {
			name = "[" + string(fd.FullName()) + "]"
		}
		out = member(out, name, r.value(fd, m.Get(fd)))
	}
	return append(out, '}')
}

// member appends "name": value to an unfinished object.
func member(out []byte, name string, value []byte) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	return append(append(append(out, quote(name)...), ':'), value...)
}

func (r renderer) value(fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch {
	case fd.IsMap():
		return r.entries(fd, v.Map())
	case fd.IsList():
		out := []byte{'['}
		for i := range v.List().Len() {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, r.single(fd, v.List().Get(i))...)
		}
		return append(out, ']')
	}
	return r.single(fd, v)
}

func (r renderer) entries(fd protoreflect.FieldDescriptor, m protoreflect.Map) []byte {
	var keys []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	out := []byte{'{'}
	for _, k := range keys {
		out = member(out, k.String(), r.single(fd.MapValue(), m.Get(k)))
	}
	return append(out, '}')
}

// single writes one value of the field's kind.
func (r renderer) single(fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return r.message(v.Message())
	case protoreflect.StringKind:
		if s := v.String(); !utf8.ValidString(s) {
			return opaque("string", []byte(s), "the text is not UTF-8")
		}
		return quote(v.String())
	case protoreflect.BytesKind:
		return quote(base64.StdEncoding.EncodeToString(v.Bytes()))
	case protoreflect.EnumKind:
		return enumJSON(fd.Enum(), v.Enum())
	case protoreflect.FloatKind:
		return floatJSON(v.Float(), 32)
	case protoreflect.DoubleKind:
		return floatJSON(v.Float(), 64)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind,
		protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return quote(v.String())
	default: // bool and the 32-bit integers
		return []byte(v.String())
	}
}

func enumJSON(ed protoreflect.EnumDescriptor, n protoreflect.EnumNumber) []byte {
	if ed.FullName() == "google.protobuf.NullValue" {
		return []byte("null")
	}
	if v := ed.Values().ByNumber(n); v != nil {
		return quote(string(v.Name()))
	}
	return strconv.AppendInt(nil, int64(n), 10)
}

func floatJSON(f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return quote("NaN")
	case math.IsInf(f, 1):
		return quote("Infinity")
	case math.IsInf(f, -1):
		return quote("-Infinity")
	}
	return strconv.AppendFloat(nil, f, 'g', -1, bits)
}

// any opens an Any.
func (r renderer) any(m protoreflect.Message) []byte {
	fds := m.Descriptor().Fields()
	url, value := m.Get(fds.ByNumber(1)).String(), m.Get(fds.ByNumber(2)).Bytes()
	if r.depth == anyDepth {
		return opaque(url, value, "too deep inside other messages of this kind")
	}
	r.depth++
	mt, err := r.types.FindMessageByURL(url)
	switch {
	case err != nil && notKnown(err):
		return opaque(url, value, "nobody describes this type")
	case err != nil:
		return opaque(url, value, "looking up the type: "+cause(err))
	}
	inner := mt.New()
	if err := unmarshal(value, inner.Interface(), r.types); err != nil {
		return opaque(url, value, protoText(err))
	}
	body := r.message(inner)
	out := member([]byte{'{'}, "@type", quote(url))
	if wellKnown[inner.Descriptor().FullName()] != "" || body[0] != '{' {
		return append(member(out, "value", body), '}')
	}
	if len(body) > len("{}") {
		out = append(append(out, ','), body[1:len(body)-1]...)
	}
	return append(out, '}')
}

// opaque is the form of what cannot be shown.
func opaque(name string, value []byte, why string) []byte {
	out := member([]byte{'{'}, "@type", quote(name))
	out = member(out, "@value", quote(base64.StdEncoding.EncodeToString(value)))
	return append(member(out, "@error", quote(why)), '}')
}

func wireOf(m protoreflect.Message) []byte {
	b, err := proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(m.Interface())
	if err != nil { // text that is not UTF-8, in a message of ours
		return nil
	}
	return b
}

// protoText removes the prefix of protobuf-go's errors, whose space varies from
// build to build.
func protoText(err error) string {
	s := strings.TrimPrefix(err.Error(), "proto:")
	return strings.TrimLeft(s, " \u00a0")
}
