package grpcapi

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	spb "google.golang.org/genproto/googleapis/rpc/status"
)

// served is one call in progress at the fixture server.
type served struct {
	grpc.ServerStream
	method protoreflect.MethodDescriptor
	types  *registry
}

// register offers the fixture's services on s. All methods are registered as
// streams: on the wire the four kinds are one.
func register(s *grpc.Server, r *registry, only []string) {
	r.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		for i := range fd.Services().Len() {
			sd := fd.Services().Get(i)
			if !strings.HasPrefix(string(sd.FullName()), "probe.") || only != nil && !slices.Contains(only, string(sd.FullName())) {
				continue
			}
			desc := &grpc.ServiceDesc{ServiceName: string(sd.FullName()), HandlerType: (*any)(nil), Metadata: fd.Path()}
			for j := range sd.Methods().Len() {
				md := sd.Methods().Get(j)
				desc.Streams = append(desc.Streams, grpc.StreamDesc{
					StreamName: string(md.Name()), ServerStreams: true, ClientStreams: true,
					Handler: func(_ any, ss grpc.ServerStream) error { return (&served{ss, md, r}).handle() },
				})
			}
			s.RegisterService(desc, struct{}{})
		}
		return true
	})
}

func (s *served) read() (*dynamicpb.Message, error) {
	m := dynamicpb.NewMessage(s.method.Input())
	return m, s.RecvMsg(m)
}

func (s *served) message(name, json string) proto.Message {
	d, err := s.types.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		panic(err)
	}
	m := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
	if err := (protojson.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(json), m); err != nil {
		panic(err)
	}
	return m
}

func (s *served) number(n int64) proto.Message {
	return s.message("probe.v1.Number", fmt.Sprintf(`{"value":"%d"}`, n))
}

func get(m proto.Message, field string) protoreflect.Value {
	r := m.ProtoReflect()
	return r.Get(r.Descriptor().Fields().ByName(protoreflect.Name(field)))
}

func (s *served) handle() error {
	if s.method.Name() == "Echo" {
		if err := s.SendHeader(metadata.Pairs("x-served-by", "fixture", "x-raw-bin", "\x00\xff")); err != nil {
			return err
		}
		s.SetTrailer(metadata.Pairs("x-cost", "7"))
	}
	switch s.method.Name() {
	case "Sum":
		return s.sum()
	case "Chat", "Flood":
		return s.chat()
	}
	in, err := s.read()
	if err != nil {
		return err
	}
	switch s.method.Name() {
	case "Fail", "FailStream":
		return s.fail(in)
	case "GetBig":
		if md, _ := metadata.FromIncomingContext(s.Context()); md.Get("x-compress") != nil {
			if err := grpc.SetSendCompressor(s.Context(), "gzip"); err != nil {
				return err
			}
		}
		data := bytes.Repeat([]byte{'x'}, int(get(in, "value").Int()))
		m := dynamicpb.NewMessage(s.method.Output())
		m.Set(m.Descriptor().Fields().ByName("data"), protoreflect.ValueOfBytes(data))
		return s.SendMsg(m)
	case "GetAny":
		return s.SendMsg(s.strangeAnys())
	case "GetGarbage":
		return s.SendMsg(s.message("probe.v1.Blob", `{"data":"/w=="}`)) // no UTF-8 where text is declared
	case "GetNewer":
		return s.SendMsg(s.message("probe.v1.ItemNext", `{"sku":"a","added":"new"}`))
	case "Hang":
		<-s.Context().Done()
		return s.Context().Err()
	case "ServerDeadline":
		return status.Error(codes.DeadlineExceeded, "upstream took too long")
	case "ListNumbers":
		for i := range get(in, "value").Int() {
			if err := s.SendMsg(s.number(i + 1)); err != nil {
				return err
			}
		}
		return nil
	case "WatchForever":
		if err := s.SendMsg(s.number(1)); err != nil {
			return err
		}
		<-s.Context().Done()
		return status.FromContextError(s.Context().Err()).Err() // OK would be an answer, if it won the race
	}
	return s.SendMsg(in) // the echoing methods
}

func (s *served) sum() error {
	var total int64
	for {
		in, err := s.read()
		if err == io.EOF {
			return s.SendMsg(s.number(total))
		}
		if err != nil {
			return err
		}
		total += get(in, "value").Int()
	}
}

// chat answers each message before it reads the next, and the client's end
// with its own.
func (s *served) chat() error {
	for {
		in, err := s.read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.SendMsg(in); err != nil {
			return err
		}
	}
}

func (s *served) fail(in *dynamicpb.Message) error {
	for i := range get(in, "after").Int() {
		if err := s.SendMsg(s.number(i + 1)); err != nil {
			return err
		}
	}
	st := &spb.Status{Code: int32(get(in, "code").Int()), Message: get(in, "message").String()}
	details := get(in, "details").List()
	for i := range details.Len() {
		b, err := proto.Marshal(details.Get(i).Message().Interface())
		if err != nil {
			return err
		}
		sp := &spb.Status{}
		// An Any is copied through the wire into the generated type.
		if err := proto.Unmarshal(append([]byte{0x1a, byte(len(b))}, b...), sp); err != nil {
			return err
		}
		st.Details = append(st.Details, sp.GetDetails()...)
	}
	return status.ErrorProto(st)
}

// strangeAnys has every trouble an Any can be: a known type, an unknown one,
// bytes that do not fit, a known one with an unknown one inside.
func (s *served) strangeAnys() proto.Message {
	m := s.message("probe.v1.All", `{"name":"still here"}`)
	r := m.ProtoReflect()
	list := r.Mutable(r.Descriptor().Fields().ByName("anys")).List()
	add := func(url string, value []byte) {
		e := list.NewElement()
		fds := e.Message().Descriptor().Fields()
		e.Message().Set(fds.ByName("type_url"), protoreflect.ValueOfString(url))
		e.Message().Set(fds.ByName("value"), protoreflect.ValueOfBytes(value))
		list.Append(e)
	}
	const prefix = "type.googleapis.com/"
	item, _ := proto.Marshal(s.message("probe.v1.Item", `{"sku":"a","amount":"9007199254740993"}`))
	add(prefix+"probe.v1.Item", item)
	add(prefix+"unknown.Thing", []byte{1, 2, 3})
	add(prefix+"probe.v1.Item", []byte{0xff})
	add(prefix+"google.protobuf.Duration", []byte{0x08, 0x03})
	nested := append([]byte{0x0a, byte(len(prefix) + 9)}, prefix+"unknown.X"...)
	add(prefix+"google.protobuf.Any", nested)
	return m
}
