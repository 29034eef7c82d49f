package grpcapi

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func templateKey(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return `"key"`
	case protoreflect.BoolKind:
		return `"false"`
	default:
		return `"0"`
	}
}

// scalarTemplate is the field's default: its own in proto2, else zero, or the
// first value of an enum.
func scalarTemplate(fd protoreflect.FieldDescriptor) []byte {
	v := fd.Default()
	switch fd.Kind() {
	case protoreflect.EnumKind:
		if fd.Enum().FullName() == "google.protobuf.NullValue" {
			return []byte("null")
		}
		return enumTemplate(fd)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return quote(strconv.FormatInt(v.Int(), 10))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return quote(strconv.FormatUint(v.Uint(), 10))
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return floatTemplate(v.Float())
	case protoreflect.StringKind:
		return quote(v.String())
	case protoreflect.BytesKind:
		return quote(base64.StdEncoding.EncodeToString(v.Bytes()))
	default: // bool and the 32-bit integers
		return []byte(v.String())
	}
}

func enumTemplate(fd protoreflect.FieldDescriptor) []byte {
	value := fd.DefaultEnumValue()
	if values := fd.Enum().Values(); value == nil && values.Len() > 0 {
		value = values.Get(0)
	}
	if value == nil { // the enum's file is missing
		return []byte("0")
	}
	return quote(string(value.Name()))
}

func floatTemplate(f float64) []byte {
	switch {
	case math.IsNaN(f):
		return quote("NaN")
	case math.IsInf(f, 1):
		return quote("Infinity")
	case math.IsInf(f, -1):
		return quote("-Infinity")
	}
	return strconv.AppendFloat(nil, f, 'g', -1, 64)
}

// quote writes a JSON string.
func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return []byte(`""`)
	}
	return b
}
