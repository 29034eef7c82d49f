package grpcapi

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

// methodNamed builds a method with an idempotency level, or none.
func methodNamed(t *testing.T, name string, level *descriptorpb.MethodOptions_IdempotencyLevel) protoreflect.MethodDescriptor {
	t.Helper()
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("m.proto"), Package: proto.String("m"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("E")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: &name, InputType: proto.String(".m.E"), OutputType: proto.String(".m.E"),
			Options: &descriptorpb.MethodOptions{IdempotencyLevel: level},
		}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fd.Services().Get(0).Methods().Get(0)
}

func TestEffectOfNames(t *testing.T) {
	for name, want := range map[string]probes.Effect{
		"GetOrder": probes.EffectRead, "Get": probes.EffectRead, "get_order": probes.EffectRead, "ListOrders": probes.EffectRead,
		"WatchOrders": probes.EffectRead, "Check": probes.EffectRead, "QueryIDs": probes.EffectRead, "HealthCheck": probes.EffectRead,
		"Getaway": probes.EffectUnknown, "Listen": probes.EffectUnknown, "Checkout": probes.EffectUnknown, "CheckOut": probes.EffectUnknown,
		"CheckIn": probes.EffectUnknown, "GetOrCreate": probes.EffectUnknown, "ReadAndDelete": probes.EffectUnknown,
		"GetNextAndReset": probes.EffectUnknown, "FindDelete": probes.EffectUnknown, "Negotiate": probes.EffectUnknown,
		"CreateOrder": probes.EffectWrite, "DeleteOrder": probes.EffectWrite, "ImportOrders": probes.EffectWrite,
	} {
		if got := effectOf(methodNamed(t, name, nil)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestEffectOfDeclarations(t *testing.T) {
	for level, want := range map[descriptorpb.MethodOptions_IdempotencyLevel]probes.Effect{
		descriptorpb.MethodOptions_NO_SIDE_EFFECTS:     probes.EffectRead,
		descriptorpb.MethodOptions_IDEMPOTENT:          probes.EffectWrite,
		descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN: probes.EffectRead, // GetX says it
	} {
		if got := effectOf(methodNamed(t, "GetX", level.Enum())); got != want {
			t.Errorf("%v: %v, want %v", level, got, want)
		}
	}
}
