package grpcapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Bounds of a template. Messages that contain each other widely would make it
// unreadable, or endless, without them.
const (
	templateDepth = 6
	templateBytes = 16 << 10
)

// template is a request in canonical protobuf JSON with every field at its
// default: one element in lists and maps of messages, the first member of a
// oneof. A message type is not repeated inside itself, and optional messages
// are left out beyond the bounds. It can be sent as it is.
func template(md protoreflect.MessageDescriptor) json.RawMessage {
	w := &templateWriter{}
	v, ok := w.message(md)
	if !ok {
		v = []byte("{}")
	}
	var out bytes.Buffer
	if err := json.Indent(&out, v, "", "  "); err != nil {
		return json.RawMessage("{}")
	}
	return out.Bytes()
}

type templateWriter struct {
	path []protoreflect.FullName // messages being written, outermost first
	size int
}

// wellKnown are the messages with a JSON form of their own, at their defaults.
var wellKnown = map[protoreflect.FullName]string{
	"google.protobuf.Timestamp":   `"1970-01-01T00:00:00Z"`,
	"google.protobuf.Duration":    `"0s"`,
	"google.protobuf.FieldMask":   `""`,
	"google.protobuf.Struct":      `{}`,
	"google.protobuf.Value":       `null`,
	"google.protobuf.ListValue":   `[]`,
	"google.protobuf.Empty":       `{}`,
	"google.protobuf.Any":         `{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}}`,
	"google.protobuf.BoolValue":   `false`,
	"google.protobuf.StringValue": `""`,
	"google.protobuf.BytesValue":  `""`,
	"google.protobuf.Int32Value":  `0`,
	"google.protobuf.UInt32Value": `0`,
	"google.protobuf.Int64Value":  `"0"`,
	"google.protobuf.UInt64Value": `"0"`,
	"google.protobuf.FloatValue":  `0`,
	"google.protobuf.DoubleValue": `0`,
}

func isWellKnown(name protoreflect.FullName) bool {
	return strings.HasPrefix(string(name), "google.protobuf.") && wellKnown[name] != ""
}

// message writes md, or reports that it must be left out.
func (w *templateWriter) message(md protoreflect.MessageDescriptor) ([]byte, bool) {
	if s, ok := wellKnown[md.FullName()]; ok {
		return []byte(s), true
	}
	if md.IsPlaceholder() || slices.Contains(w.path, md.FullName()) {
		return nil, false
	}
	w.path = append(w.path, md.FullName())
	defer func() { w.path = w.path[:len(w.path)-1] }()

	out := []byte{'{'}
	done := map[protoreflect.FullName]bool{} // oneofs with a member written
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		oneof := fd.ContainingOneof()
		if oneof != nil && done[oneof.FullName()] {
			continue
		}
		v, ok := w.field(fd)
		if !ok {
			if fd.Cardinality() == protoreflect.Required {
				return nil, false // without it the message would be refused
			}
			continue
		}
		if oneof != nil {
			done[oneof.FullName()] = true
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		name := quote(fd.JSONName())
		out = append(append(append(out, name...), ':'), v...)
		w.size += len(name) + 2
	}
	return append(out, '}'), true
}

func (w *templateWriter) field(fd protoreflect.FieldDescriptor) ([]byte, bool) {
	switch {
	case fd.IsMap():
		v, ok := w.element(fd.MapValue())
		if !ok {
			return []byte("{}"), true
		}
		return []byte("{" + templateKey(fd.MapKey()) + ":" + string(v) + "}"), true
	case fd.IsList():
		v, ok := w.element(fd)
		if !ok {
			return []byte("[]"), true
		}
		return []byte("[" + string(v) + "]"), true
	case fd.Message() == nil:
		v := scalarTemplate(fd)
		w.size += len(v)
		return v, true
	}
	// Required messages are written whatever the bounds: they are few.
	if fd.Cardinality() != protoreflect.Required && w.full() {
		return nil, false
	}
	return w.message(fd.Message())
}

// element is the one example in a list or map: messages show their fields
// there, scalars would only be noise.
func (w *templateWriter) element(fd protoreflect.FieldDescriptor) ([]byte, bool) {
	if fd.Message() == nil || wellKnown[fd.Message().FullName()] != "" || w.full() {
		return nil, false
	}
	return w.message(fd.Message())
}

func (w *templateWriter) full() bool { return len(w.path) >= templateDepth || w.size >= templateBytes }
