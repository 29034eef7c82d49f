package shop

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// remote is a gRPC client that knows of a server what reflection told it.
type remote struct {
	conn  *grpc.ClientConn
	files *protoregistry.Files
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// reflect asks a server for the files behind a symbol.
func reflect(t *testing.T, address, symbol string) remote {
	t.Helper()
	conn := dial(t, address)
	st, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer st.CloseSend()
	ask := func(req *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		t.Helper()
		if err := st.Send(req); err != nil {
			t.Fatal(err)
		}
		res, err := st.Recv()
		if err != nil || res.GetErrorResponse() != nil {
			t.Fatalf("reflection of %v: %v %v", req, err, res.GetErrorResponse())
		}
		return res
	}
	res := ask(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}})
	set := &descriptorpb.FileDescriptorSet{}
	for _, raw := range res.GetFileDescriptorResponse().FileDescriptorProto {
		f := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(raw, f); err != nil {
			t.Fatal(err)
		}
		set.File = append(set.File, f)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return remote{conn, files}
}

func (r remote) method(t *testing.T, name string) protoreflect.MethodDescriptor {
	t.Helper()
	d, err := r.files.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		t.Fatal(err)
	}
	return d.(protoreflect.MethodDescriptor)
}

// exchange calls a method of any kind with JSON messages.
func (r remote) exchange(t *testing.T, name string, requests ...string) (responses []map[string]any, failure error) {
	t.Helper()
	m := r.method(t, name)
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	ctx, stop := context.WithCancel(within(t))
	defer stop()
	st, err := r.conn.NewStream(ctx, desc, "/"+string(m.Parent().FullName())+"/"+string(m.Name()))
	if err != nil {
		return nil, err
	}
	for _, text := range requests {
		msg := dynamicpb.NewMessage(m.Input())
		if err := protojson.Unmarshal([]byte(text), msg); err != nil {
			t.Fatal(err)
		}
		if err := st.SendMsg(msg); err != nil {
			break // RecvMsg tells why
		}
	}
	if err := st.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for {
		msg := dynamicpb.NewMessage(m.Output())
		if err := st.RecvMsg(msg); errors.Is(err, io.EOF) {
			return responses, nil
		} else if err != nil {
			return responses, err
		}
		text, err := protojson.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		responses = append(responses, v)
	}
}

func TestBothReflectionVersionsListTheServices(t *testing.T) {
	s := open(t, Options{})
	for target, want := range map[string]string{
		"shop-orders": "shop.orders.v1.Orders", "shop-payments": "shop.payments.v1.Payments", "staging-orders": "shop.orders.v1.Orders",
	} {
		conn := dial(t, s.Addresses()[target])
		for _, version := range []string{"v1", "v1alpha"} {
			names := listServices(t, conn, version)
			if !slices.Contains(names, want) || !slices.Contains(names, "grpc.health.v1.Health") {
				t.Errorf("%s lists %v with %s", target, names, version)
			}
		}
	}
}

// listServices asks a version of server reflection. The messages of the two
// are equal on the wire.
func listServices(t *testing.T, conn *grpc.ClientConn, version string) (names []string) {
	t.Helper()
	ctx, stop := context.WithCancel(within(t))
	defer stop()
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	st, err := conn.NewStream(ctx, desc, "/grpc.reflection."+version+".ServerReflection/ServerReflectionInfo")
	if err != nil {
		t.Fatal(err)
	}
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := st.SendMsg(list); err != nil {
		t.Fatal(err)
	}
	res := &reflectionv1.ServerReflectionResponse{}
	if err := st.RecvMsg(res); err != nil {
		t.Fatal(err)
	}
	for _, svc := range res.GetListServicesResponse().GetService() {
		names = append(names, svc.Name)
	}
	return names
}

func TestReflectionKeepsComments(t *testing.T) {
	s := open(t, Options{})
	r := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	m := r.method(t, "shop.orders.v1.Orders.GetOrder")
	comment := m.ParentFile().SourceLocations().ByDescriptor(m).LeadingComments
	if !strings.Contains(comment, "returns one order") {
		t.Errorf("the comment is %q", comment)
	}
}

func TestTheShopsTypesAreNotInTheProgram(t *testing.T) {
	open(t, Options{})
	if _, err := protoregistry.GlobalFiles.FindFileByPath("shop/orders/v1/orders.proto"); err == nil {
		t.Error("orders.proto is registered globally")
	}
}

func TestHealthIsServing(t *testing.T) {
	s := open(t, Options{})
	for target, service := range map[string]string{
		"shop-orders": "shop.orders.v1.Orders", "shop-payments": "shop.payments.v1.Payments", "staging-orders": "",
	} {
		res, err := healthpb.NewHealthClient(dial(t, s.Addresses()[target])).
			Check(within(t), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || res.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%s is %v, %v", target, res, err)
		}
	}
}

func TestUnaryCalls(t *testing.T) {
	s := open(t, Options{})
	r := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	got, err := r.exchange(t, "shop.orders.v1.Orders.ListOrders", `{"limit":3,"status":"PAID"}`)
	if err != nil || len(got[0]["orders"].([]any)) != 3 {
		t.Fatalf("listing gave %v, %v", got, err)
	}
	id := got[0]["orders"].([]any)[0].(map[string]any)["id"].(string)
	got, err = r.exchange(t, "shop.orders.v1.Orders.GetOrder", `{"id":"`+id+`"}`)
	if err != nil || got[0]["id"] != id || got[0]["status"] != "PAID" {
		t.Errorf("getting %s gave %v, %v", id, got, err)
	}
	const order = `{"order":{"id":"ord-mine","lines":[{"sku":"mug-01","quantity":2}]}}`
	for range 2 { // the second call charges nobody
		got, err = r.exchange(t, "shop.orders.v1.Orders.PlaceOrder", order)
		total, _ := got[0]["total"].(map[string]any)
		if err != nil || got[0]["id"] != "ord-mine" || total["cents"] != "2980" {
			t.Errorf("placing gave %v, %v", got, err)
		}
	}
	n := 0
	consume(t, s.Addresses()["shop-kafka"], []string{topicCreated}, atLeast(200))
	for _, o := range mustList(t, s) {
		if o.ID == "ord-mine" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("ord-mine is there %d times", n)
	}
}

func mustList(t *testing.T, s *Shop) []order {
	t.Helper()
	return getJSON[listOrdersResponse](t, "http://"+s.Addresses()["shop-api"]+"/orders?limit=500").Orders
}

func TestErrorsCarryDetails(t *testing.T) {
	s := open(t, Options{})
	orders := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	pay := reflect(t, s.Addresses()["shop-payments"], "shop.payments.v1.Payments")
	const authorize = "shop.payments.v1.Payments.Authorize"
	tests := map[string]struct {
		remote       remote
		method, body string
		code         codes.Code
		detail       proto.Message
	}{
		"an order without lines":  {orders, "shop.orders.v1.Orders.PlaceOrder", `{"order":{}}`, codes.InvalidArgument, &errdetails.BadRequest{}},
		"no order":                {orders, "shop.orders.v1.Orders.PlaceOrder", `{}`, codes.InvalidArgument, &errdetails.BadRequest{}},
		"an unknown status":       {orders, "shop.orders.v1.Orders.ListOrders", `{"status":77}`, codes.InvalidArgument, nil},
		"an unknown order":        {orders, "shop.orders.v1.Orders.GetOrder", `{"id":"ord-0"}`, codes.NotFound, &errdetails.ResourceInfo{}},
		"an order without an id":  {orders, "shop.orders.v1.Orders.GetOrder", `{}`, codes.InvalidArgument, &errdetails.BadRequest{}},
		"a declined card":         {pay, authorize, `{"orderId":"a","amount":{"cents":1},"card":"tok_declined"}`, codes.FailedPrecondition, &errdetails.ErrorInfo{}},
		"a provider that is away": {pay, authorize, `{"orderId":"a","amount":{"cents":1},"card":"tok_flaky"}`, codes.Unavailable, &errdetails.RetryInfo{}},
		"a payment of nothing":    {pay, authorize, `{"orderId":"a"}`, codes.InvalidArgument, &errdetails.BadRequest{}},
		"a declined order": {orders, "shop.orders.v1.Orders.PlaceOrder",
			`{"order":{"lines":[{"sku":"PEN-03","quantity":1}],"card":"tok_declined"}}`, codes.FailedPrecondition, &errdetails.LocalizedMessage{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := tt.remote.exchange(t, tt.method, tt.body)
			st := status.Convert(err)
			if st.Code() != tt.code {
				t.Fatalf("the status is %v", st)
			}
			if tt.detail == nil {
				return
			}
			want := tt.detail.ProtoReflect().Descriptor().FullName()
			if !slices.ContainsFunc(st.Details(), func(d any) bool {
				m, ok := d.(proto.Message)
				return ok && m.ProtoReflect().Descriptor().FullName() == want
			}) {
				t.Errorf("the details are %v, without %s", st.Details(), want)
			}
		})
	}
}

func TestASlowCardIsSlowNotWrong(t *testing.T) {
	s := open(t, Options{})
	pay := reflect(t, s.Addresses()["shop-payments"], "shop.payments.v1.Payments")
	got, err := pay.exchange(t, "shop.payments.v1.Payments.Authorize", `{"orderId":"a","amount":{"cents":1},"card":"tok_slow"}`)
	if err != nil || got[0]["orderId"] != "a" {
		t.Errorf("it gave %v, %v", got, err)
	}
}

func TestWatchOrdersSendsTheLatestAndThenTheNew(t *testing.T) {
	s := open(t, Options{Rate: 50})
	r := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	got, err := r.exchange(t, "shop.orders.v1.Orders.WatchOrders", `{"last":3,"limit":6}`)
	if err != nil || len(got) != 6 {
		t.Fatalf("it sent %d orders, %v", len(got), err)
	}
	first := 0
	for i, e := range got {
		var seq int
		if err := json.Unmarshal([]byte(e["sequence"].(string)), &seq); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = seq
		}
		if seq != first+i {
			t.Errorf("message %d has the sequence %d, the first %d", i, seq, first)
		}
	}
	if got, err = r.exchange(t, "shop.orders.v1.Orders.WatchOrders", `{}`); err != nil || len(got) != 10 {
		t.Errorf("without a limit it sent %d orders, %v", len(got), err)
	}
}

func TestImportOrdersCounts(t *testing.T) {
	s := open(t, Options{})
	r := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	got, err := r.exchange(t, "shop.orders.v1.Orders.ImportOrders",
		`{"id":"imp-1","lines":[{"sku":"CAP-01","quantity":1}]}`,
		`{"id":"imp-1","lines":[{"sku":"CAP-01","quantity":1}]}`,
		`{"lines":[{"sku":"CAP-01","quantity":1}]}`,
		`{"id":"imp-2","lines":[{"sku":"NONE","quantity":1}]}`)
	if err != nil || len(got) != 1 || got[0]["imported"] != 1.0 || got[0]["known"] != 1.0 || len(got[0]["rejected"].([]any)) != 2 {
		t.Errorf("it gave %v, %v", got, err)
	}
}

func TestNegotiateAnswersEveryOffer(t *testing.T) {
	s := open(t, Options{})
	r := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	got, err := r.exchange(t, "shop.orders.v1.Orders.Negotiate",
		`{"sku":"LAMP-07","quantity":10,"unitPrice":{"cents":5000}}`,
		`{"sku":"LAMP-07","quantity":10,"unitPrice":{"cents":8000}}`,
		`{"sku":"NONE","quantity":1}`, `{"sku":"LAMP-07"}`)
	if err != nil || len(got) != 4 {
		t.Fatalf("it gave %v, %v", got, err)
	}
	for i, answer := range []string{"asked", "accepted", "refused", "refused"} {
		if got[i][answer] == nil || got[i]["round"] != float64(i+1) {
			t.Errorf("answer %d is %v, want it %s", i, got[i], answer)
		}
	}
}
