package grpcapi

import (
	"encoding/json"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"iscope/probes"
)

// contentType is what calls are sent with.
const contentType = "application/grpc"

// nativeLimit is the size up to which a decoded response keeps its wire bytes
// beside its JSON. Requests and undecodable responses always do.
const nativeLimit = 1 << 20

// nativeMessage is Record.Native of a request or response.
type nativeMessage struct {
	Path        string `json:"path"`
	ContentType string `json:"content_type"`
	Wire        []byte `json:"wire,omitempty"` // base64; absent if empty or left out
}

// nativeEnd is Record.Native of an End. Record.Header holds Headers fields of
// the response headers and then Trailers fields of the trailers.
type nativeEnd struct {
	Code     uint32 `json:"code"`
	Message  string `json:"message,omitempty"`
	Headers  int    `json:"headers"`
	Trailers int    `json:"trailers"`
}

func native(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // plain structs always marshal
		return nil
	}
	return b
}

func sizes(index, wire int) []probes.Attr {
	return []probes.Attr{{Name: attrIndex, Value: strconv.Itoa(index)}, {Name: probes.AttrWireSize, Value: strconv.Itoa(wire)}}
}

// response turns a received message into a record; onWire is its size before
// unpacking. One that does not fit its
// descriptor is a record with Err and the bytes in Native, not a failed call.
func (c *call) response(index int, b []byte, onWire int) probes.Record {
	r := c.record(probes.Response, fmt.Sprintf("response/%d", index))
	r.Schema = string(c.method.Output().FullName())
	r.Attrs = append(r.Attrs, sizes(index, onWire)...)
	nat := nativeMessage{Path: path(c.method), ContentType: contentType}
	m, err := decodeMessage(b, c.method.Output(), c.types)
	if err != nil {
		r.Err = fmt.Sprintf("undecodable as %s: %s", r.Schema, protoText(err))
		nat.Wire = b
		r.Native = native(nat)
		return r
	}
	if n := unknownBytes(m); n > 0 {
		r.Attrs = append(r.Attrs, probes.Attr{Name: attrUnknown, Value: strconv.Itoa(n)})
	}
	r.Body = render(m.Interface(), c.types)
	if keep := c.in.MaxBody; keep > 0 && len(r.Body) > keep {
		r.Cut = int64(len(r.Body) - keep)
		r.Body = append([]byte(nil), r.Body[:keep]...) // let go of the rest
	} else if len(b) <= nativeLimit {
		nat.Wire = b
	}
	r.Native = native(nat)
	return r
}

// decodeMessage parses wire bytes. It tolerates missing required fields: it is
// the server's business to complain, ours to show. Extensions are resolved in
// the same pass, because parsing them afterwards loses those beside a missing
// required field (protoreflect v2.0.0, protomessage.ReparseUnrecognized).
func decodeMessage(b []byte, md protoreflect.MessageDescriptor, t resolver) (protoreflect.Message, error) {
	m := dynamicpb.NewMessage(md)
	return m, unmarshal(b, m, t)
}

// unmarshal survives protobuf-go v1.36.12, which panics on a map entry whose
// key comes twice, the second time with another wire type. The bytes are a
// stranger's: they must not end the program.
func unmarshal(b []byte, m proto.Message, t resolver) (err error) {
	defer survive(&err)
	return proto.UnmarshalOptions{AllowPartial: true, Resolver: t}.Unmarshal(b, m)
}

// survive turns a panic of the protobuf runtime into an error.
func survive(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the protobuf runtime panicked: %v", r)
	}
}

func encodeMessage(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// unknownBytes counts what the schema does not explain: the sign that the
// server is newer than the descriptors.
func unknownBytes(m protoreflect.Message) int {
	n := len(m.GetUnknown())
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			if fd.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					n += unknownBytes(v.Message())
					return true
				})
			}
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				n += unknownBytes(v.List().Get(i).Message())
			}
		default:
			n += unknownBytes(v.Message())
		}
		return true
	})
	return n
}
