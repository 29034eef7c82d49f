package grpcapi

import (
	"encoding/base64"
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
		return appendFloat(nil, v.Float(), 64)
	case protoreflect.StringKind:
		return quote(v.String())
	case protoreflect.BytesKind:
		return appendBytes(nil, v.Bytes())
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

// quote writes a JSON string.
func quote(s string) []byte { return appendQuote(nil, s) }

// appendQuote writes a JSON string as protojson does. s is UTF-8.
func appendQuote(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(append(out, s[start:i]...), '\\')
		start = i + 1
		switch c {
		case '"', '\\':
			out = append(out, c)
		case '\n':
			out = append(out, 'n')
		case '\r':
			out = append(out, 'r')
		case '\t':
			out = append(out, 't')
		case '\b':
			out = append(out, 'b')
		case '\f':
			out = append(out, 'f')
		default:
			out = append(out, 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(out, s[start:]...), '"')
}

// appendBytes writes base64 in a JSON string.
func appendBytes(out, b []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(out, '"'), b), '"')
}

func appendEnum(out []byte, ed protoreflect.EnumDescriptor, n protoreflect.EnumNumber) []byte {
	if ed.FullName() == "google.protobuf.NullValue" {
		return append(out, "null"...)
	}
	if v := ed.Values().ByNumber(n); v != nil {
		return appendQuote(out, string(v.Name()))
	}
	return strconv.AppendInt(out, int64(n), 10)
}

// appendFloat writes a number as encoding/json and protojson do.
func appendFloat(out []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(out, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(out, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(out, `"-Infinity"`...)
	}
	small, large := 1e-6, 1e21
	if bits == 32 { // compared as the type would
		small, large = float64(float32(1e-6)), float64(float32(1e21))
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < small || abs >= large) {
		format = 'e'
	}
	start := len(out)
	out = strconv.AppendFloat(out, f, format, -1, bits)
	if n := len(out); format == 'e' && n-start >= 4 && out[n-4] == 'e' && out[n-3] == '-' && out[n-2] == '0' {
		out[n-2] = out[n-1] // e-09 is e-9
		out = out[:n-1]
	}
	return out
}
