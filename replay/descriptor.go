package replay

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Names in the file that other tools see.
const (
	profile     = "iscope"
	envelope    = "iscope.trace.v1.Record"
	msgEncoding = "protobuf"
)

// descriptorSet is the envelope's schema as MCAP wants it: a serialized
// FileDescriptorSet with everything it imports
// (https://mcap.dev/spec/registry#protobuf).
func descriptorSet() ([]byte, error) {
	timestamp := protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto)
	file := &descriptorpb.FileDescriptorProto{
		Name:       proto.String("iscope/trace/v1/record.proto"),
		Package:    proto.String("iscope.trace.v1"),
		Syntax:     proto.String("proto3"),
		Dependency: []string{timestamp.GetName()},
		EnumType:   []*descriptorpb.EnumDescriptorProto{kindEnum()},
		MessageType: []*descriptorpb.DescriptorProto{
			recordMessage(),
			messageType("Field", text("name", fName), optionalBytes("value", fValue)),
			messageType("Attr", text("name", fName), text("value", fValue)),
		},
	}
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{timestamp, file}}
	return proto.MarshalOptions{Deterministic: true}.Marshal(set)
}

func recordMessage() *descriptorpb.DescriptorProto {
	return messageType("Record",
		text("id", fID), text("call", fCall), typed("kind", fKind, descriptorpb.FieldDescriptorProto_TYPE_ENUM, ".iscope.trace.v1.Kind"),
		text("target", fTarget), text("subject", fSubject),
		typed("time", fTime, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".google.protobuf.Timestamp"),
		typed("seen", fSeen, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".google.protobuf.Timestamp"),
		optionalBytes("key", fKey), optionalBytes("body", fBody),
		repeated(typed("header", fHeader, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".iscope.trace.v1.Field")),
		repeated(typed("attrs", fAttrs, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, ".iscope.trace.v1.Attr")),
		text("schema", fSchema), optionalBytes("native", fNative),
		field("cut", fCut, descriptorpb.FieldDescriptorProto_TYPE_INT64), text("err", fErr))
}

func kindEnum() *descriptorpb.EnumDescriptorProto {
	e := &descriptorpb.EnumDescriptorProto{Name: proto.String("Kind")}
	for i, name := range []string{"KIND_UNSPECIFIED", "MESSAGE", "REQUEST", "RESPONSE", "END", "EVENT", "GAP", "NOTICE"} {
		e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String(name), Number: proto.Int32(int32(i))})
	}
	return e
}

// messageType assembles a message type. Every text field gets its twin for bytes
// that are not UTF-8, and every optional field the one-field oneof by which
// proto3 tells absent from empty.
func messageType(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	m := &descriptorpb.DescriptorProto{Name: proto.String(name)}
	for _, f := range fields {
		m.Field = append(m.Field, f)
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING {
			m.Field = append(m.Field, field(f.GetName()+"_raw", protowire.Number(f.GetNumber())+rawText,
				descriptorpb.FieldDescriptorProto_TYPE_BYTES))
		}
	}
	for _, f := range m.Field {
		if f.GetProto3Optional() {
			f.OneofIndex = proto.Int32(int32(len(m.OneofDecl)))
			m.OneofDecl = append(m.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String("_" + f.GetName())})
		}
	}
	return m
}

func field(name string, num protowire.Number, typ descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
	return &descriptorpb.FieldDescriptorProto{Name: proto.String(name), Number: proto.Int32(int32(num)), Type: typ.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
}

func text(name string, num protowire.Number) *descriptorpb.FieldDescriptorProto {
	return field(name, num, descriptorpb.FieldDescriptorProto_TYPE_STRING)
}

func optionalBytes(name string, num protowire.Number) *descriptorpb.FieldDescriptorProto {
	f := field(name, num, descriptorpb.FieldDescriptorProto_TYPE_BYTES)
	f.Proto3Optional = proto.Bool(true)
	return f
}

func typed(name string, num protowire.Number, typ descriptorpb.FieldDescriptorProto_Type, ref string) *descriptorpb.FieldDescriptorProto {
	f := field(name, num, typ)
	f.TypeName = proto.String(ref)
	return f
}

func repeated(f *descriptorpb.FieldDescriptorProto) *descriptorpb.FieldDescriptorProto {
	f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	return f
}
