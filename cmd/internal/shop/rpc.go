package shop

import (
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// No code is generated from the protos: messages are dynamic, and the parts
// exchange them with Go structs by way of their JSON. At the shop's rate that
// costs nothing one could measure.

// toProto fills a new message of the type md from v's JSON.
func toProto(md protoreflect.MessageDescriptor, v any) (*dynamicpb.Message, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", md.FullName(), err)
	}
	msg := dynamicpb.NewMessage(md)
	if err := protojson.Unmarshal(text, msg); err != nil {
		return nil, fmt.Errorf("filling %s: %w", md.FullName(), err)
	}
	return msg, nil
}

// fromProto fills v from the message's JSON. What does not fit (an unknown
// enum number, a time beyond year 9999) is the sender's mistake.
func fromProto(msg *dynamicpb.Message, v any) error {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(msg)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "reading %s: %v", msg.Descriptor().FullName(), err)
	}
	return nil
}

// unary serves one method with a plain function.
func unary[Req, Res any](m protoreflect.MethodDescriptor, fn func(context.Context, Req) (Res, error)) grpc.MethodDesc {
	serve := func(ctx context.Context, msg any) (any, error) {
		var req Req
		if err := fromProto(msg.(*dynamicpb.Message), &req); err != nil {
			return nil, err
		}
		res, err := fn(ctx, req)
		if err != nil {
			return nil, err
		}
		return toProto(m.Output(), res)
	}
	handler := func(_ any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
		msg := dynamicpb.NewMessage(m.Input())
		if err := decode(msg); err != nil {
			return nil, err
		}
		if around == nil {
			return serve(ctx, msg)
		}
		return around(ctx, msg, &grpc.UnaryServerInfo{FullMethod: fullMethod(m)}, serve)
	}
	return grpc.MethodDesc{MethodName: string(m.Name()), Handler: handler}
}

// stream is one streaming call; Recv gives io.EOF after the last message.
type stream[Req, Res any] struct {
	grpc.ServerStream
	method protoreflect.MethodDescriptor
}

func (s stream[Req, Res]) recv() (req Req, err error) {
	msg := dynamicpb.NewMessage(s.method.Input())
	if err := s.RecvMsg(msg); err != nil {
		return req, err
	}
	return req, fromProto(msg, &req)
}

func (s stream[Req, Res]) send(res Res) error {
	msg, err := toProto(s.method.Output(), res)
	if err != nil {
		return err
	}
	return s.SendMsg(msg)
}

// streaming serves one method of any of the three streaming kinds.
func streaming[Req, Res any](m protoreflect.MethodDescriptor, fn func(stream[Req, Res]) error) grpc.StreamDesc {
	return grpc.StreamDesc{
		StreamName:    string(m.Name()),
		ServerStreams: m.IsStreamingServer(),
		ClientStreams: m.IsStreamingClient(),
		Handler: func(_ any, s grpc.ServerStream) error {
			return fn(stream[Req, Res]{s, m})
		},
	}
}

// call makes a unary call and carries the context's trace along.
func call(ctx context.Context, conn grpc.ClientConnInterface, m protoreflect.MethodDescriptor, req, res any) error {
	in, err := toProto(m.Input(), req)
	if err != nil {
		return err
	}
	out := dynamicpb.NewMessage(m.Output())
	ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", traceFrom(ctx).header())
	if err := conn.Invoke(ctx, fullMethod(m), in, out); err != nil {
		return err
	}
	return fromProto(out, res)
}

func fullMethod(m protoreflect.MethodDescriptor) string {
	return "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
}
