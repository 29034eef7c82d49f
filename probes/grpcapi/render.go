package grpcapi

import (
	"cmp"
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
// It is not left to protojson, which fails on what it cannot write, follows an
// Any into an Any as deep as a hostile server likes, and varies its spaces from
// build to build; and it writes into one buffer, because answers may be large.
func render(m proto.Message, t resolver) []byte {
	return renderer{types: t}.message(nil, m.ProtoReflect())
}

// marshal is protojson's way, for well-known messages. It fails on an Any.
func marshal(m proto.Message) ([]byte, error) {
	return protojson.MarshalOptions{AllowPartial: true, Resolver: noTypes}.Marshal(m)
}

var noTypes = new(protoregistry.Types)

// anyDepth is how many Any are opened inside one another.
const anyDepth = 32

// renderer appends JSON to a buffer that it is given.
type renderer struct {
	types resolver
	depth int // Any opened around here
}

func (r renderer) message(out []byte, m protoreflect.Message) []byte {
	md := m.Descriptor()
	switch name := md.FullName(); {
	case name == "google.protobuf.Any":
		return r.any(out, m)
	case name == "google.protobuf.Struct", name == "google.protobuf.ListValue":
		only := md.Fields().ByNumber(1)
		return r.value(out, only, m.Get(only))
	case name == "google.protobuf.Value":
		kind := m.WhichOneof(md.Oneofs().Get(0))
		if kind != nil && kind.Message() != nil {
			return r.message(out, m.Get(kind).Message())
		}
		return leaf(out, m)
	case isWellKnown(name):
		return leaf(out, m)
	}
	return r.fields(out, m)
}

// leaf writes a well-known message without others inside.
func leaf(out []byte, m protoreflect.Message) []byte {
	b, err := marshal(m.Interface())
	if err != nil {
		return opaque(out, string(m.Descriptor().FullName()), wireOf(m), protoText(err))
	}
	return append(out, b...)
}

// fields writes a message field by field: its own in the order of the contract,
// then extensions by name.
func (r renderer) fields(out []byte, m protoreflect.Message) []byte {
	out = append(out, '{')
	start := len(out)
	md := m.Descriptor()
	for i := range md.Fields().Len() {
		if fd := md.Fields().Get(i); m.Has(fd) {
			out = r.value(member(out, start, fd.JSONName()), fd, m.Get(fd))
		}
	}
	if md.ExtensionRanges().Len() > 0 {
		for _, fd := range extensionsOf(m) {
			out = r.value(member(out, start, "["+string(fd.FullName())+"]"), fd, m.Get(fd))
		}
	}
	return append(out, '}')
}

func extensionsOf(m protoreflect.Message) []protoreflect.FieldDescriptor {
	var set []protoreflect.FieldDescriptor
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if fd.IsExtension() {
			set = append(set, fd)
		}
		return true
	})
	slices.SortFunc(set, func(a, b protoreflect.FieldDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	return set
}

// member starts a member of the object whose members begin at start.
func member(out []byte, start int, name string) []byte {
	if len(out) > start {
		out = append(out, ',')
	}
	return append(appendQuote(out, name), ':')
}

func (r renderer) value(out []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch {
	case fd.IsMap():
		return r.entries(out, fd, v.Map())
	case fd.IsList():
		out = append(out, '[')
		for i := range v.List().Len() {
			if i > 0 {
				out = append(out, ',')
			}
			out = r.single(out, fd, v.List().Get(i))
		}
		return append(out, ']')
	}
	return r.single(out, fd, v)
}

func (r renderer) entries(out []byte, fd protoreflect.FieldDescriptor, m protoreflect.Map) []byte {
	keys := make([]protoreflect.MapKey, 0, m.Len())
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, compareKeys(fd.MapKey().Kind()))
	out = append(out, '{')
	start := len(out)
	for _, k := range keys {
		out = r.single(member(out, start, k.String()), fd.MapValue(), m.Get(k))
	}
	return append(out, '}')
}

// compareKeys orders a map's keys as protojson does: numbers by value.
func compareKeys(kind protoreflect.Kind) func(a, b protoreflect.MapKey) int {
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return func(a, b protoreflect.MapKey) int { return cmp.Compare(a.Int(), b.Int()) }
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return func(a, b protoreflect.MapKey) int { return cmp.Compare(a.Uint(), b.Uint()) }
	}
	return func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) }
}

// single writes one value of the field's kind.
func (r renderer) single(out []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return r.message(out, v.Message())
	case protoreflect.StringKind:
		if s := v.String(); !utf8.ValidString(s) {
			return opaque(out, "string", []byte(s), "the text is not UTF-8")
		}
		return appendQuote(out, v.String())
	case protoreflect.BytesKind:
		return appendBytes(out, v.Bytes())
	case protoreflect.EnumKind:
		return appendEnum(out, fd.Enum(), v.Enum())
	case protoreflect.FloatKind:
		return appendFloat(out, v.Float(), 32)
	case protoreflect.DoubleKind:
		return appendFloat(out, v.Float(), 64)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return append(strconv.AppendInt(append(out, '"'), v.Int(), 10), '"')
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return append(strconv.AppendUint(append(out, '"'), v.Uint(), 10), '"')
	case protoreflect.BoolKind:
		return strconv.AppendBool(out, v.Bool())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return strconv.AppendUint(out, v.Uint(), 10)
	default: // the signed integers of 32 bits
		return strconv.AppendInt(out, v.Int(), 10)
	}
}

// any opens an Any.
func (r renderer) any(out []byte, m protoreflect.Message) []byte {
	fds := m.Descriptor().Fields()
	url, value := m.Get(fds.ByNumber(1)).String(), m.Get(fds.ByNumber(2)).Bytes()
	if r.depth == anyDepth {
		return opaque(out, url, value, "too deep inside other messages of this kind")
	}
	r.depth++
	mt, err := r.types.FindMessageByURL(url)
	switch {
	case err != nil && notKnown(err):
		return opaque(out, url, value, "nobody describes this type")
	case err != nil:
		return opaque(out, url, value, "looking up the type: "+cause(err))
	}
	inner := mt.New()
	if err := unmarshal(value, inner.Interface(), r.types); err != nil {
		return opaque(out, url, value, protoText(err))
	}
	out = append(out, '{')
	out = appendQuote(member(out, len(out), "@type"), url)
	if name := inner.Descriptor().FullName(); isWellKnown(name) {
		return append(r.message(append(out, `,"value":`...), inner), '}')
	}
	out = append(out, ',')
	at := len(out)
	out = r.fields(out, inner)
	if len(out) == at+len("{}") {
		return append(out[:at-1], '}') // no members: nor a comma
	}
	return append(out[:at], out[at+1:]...) // the members join those of the Any
}

// opaque is the form of what cannot be shown.
func opaque(out []byte, name string, value []byte, why string) []byte {
	out = append(appendQuote(append(out, `{"@type":`...), strings.ToValidUTF8(name, "\ufffd")), `,"@value":`...)
	out = append(appendBytes(out, value), `,"@error":`...)
	return append(appendQuote(out, strings.ToValidUTF8(why, "\ufffd")), '}')
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
