package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // makes the compressor available
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"iscope/probes"
	"iscope/replay"
)

// raw passes bytes through where gRPC expects messages.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = slices.Clone(data); return nil }
func (raw) Name() string                       { return "proto" }

// shop answers every method as a bidirectional stream: each message with
// "re:" before it, and the end with what the method's name says.
func shop(t *testing.T) string {
	t.Helper()
	s := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(func(_ any, st grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(st)
		st.SetHeader(metadata.Pairs("x-served-by", "shop"))
		st.SetTrailer(metadata.Pairs("x-cost", "7", "x-blob-bin", "\x00\xff"))
		if strings.HasSuffix(method, "/Refuse") {
			return status.Error(codes.NotFound, "no order 100%\nfound")
		}
		for {
			var m []byte
			if err := st.RecvMsg(&m); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			re := append([]byte("re:"), m...)
			if err := st.SendMsg(&re); err != nil {
				return err
			}
			if strings.HasSuffix(method, "/Unary") {
				return nil
			}
		}
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return "http://" + l.Addr().String()
}

func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestAUnaryCall(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, shop(t), rec, nil)
	ctx := metadata.AppendToOutgoingContext(deadline(t), "x-tenant", "a", "x-tenant", "b", "x-raw-bin", "\x00\x01\xfe")
	in, out := []byte{8, 1, 0, 255}, []byte(nil)
	var head, trail metadata.MD
	if err := dial(t, addr).Invoke(ctx, "/shop.orders.v1.Orders/Unary", &in, &out, grpc.Header(&head), grpc.Trailer(&trail)); err != nil {
		t.Fatal(err)
	}
	if string(out) != "re:\x08\x01\x00\xff" || head.Get("x-served-by")[0] != "shop" || trail.Get("x-cost")[0] != "7" || trail.Get("x-blob-bin")[0] != "\x00\xff" {
		t.Fatalf("the client got %q, %v, %v", out, head, trail)
	}
	rec.wait(t, probes.End, 1)
	recs := rec.all()
	if len(recs) != 3 {
		t.Fatalf("records:%s", list(recs))
	}
	q, r, e := recs[0], recs[1], recs[2]
	if q.Source != (probes.Ref{Target: "shop-api", Subject: "shop.orders.v1.Orders/Unary"}) || string(q.Body) != string(in) || string(q.Native) != `{"wire":"protobuf"}` ||
		header(&q, "x-tenant") != "a" || header(&q, "x-raw-bin") != "\x00\x01\xfe" || attr(&q, probes.AttrRPCMethod) != q.Source.Subject {
		t.Fatalf("request %+v", q)
	}
	if string(r.Body) != string(out) || header(&r, "x-served-by") != "shop" || string(r.Native) != `{"wire":"protobuf"}` {
		t.Fatalf("response %+v", r)
	}
	if e.Err != "" || attr(&e, probes.AttrRPCStatus) != "OK" || attr(&e, probes.AttrStatus) != "OK" || header(&e, "x-cost") != "7" || header(&e, "x-blob-bin") != "\x00\xff" || header(&e, "grpc-status") != "0" {
		t.Fatalf("end %+v", e)
	}
}

func TestAnErrorStatusIsAResult(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, shop(t), rec, nil)
	in, out := []byte{}, []byte(nil)
	err := dial(t, addr).Invoke(deadline(t), "/shop.orders.v1.Orders/Refuse", &in, &out)
	if st := status.Convert(err); st.Code() != codes.NotFound || st.Message() != "no order 100%\nfound" {
		t.Fatalf("the client got %v", err)
	}
	e := rec.wait(t, probes.End, 1)[0]
	if attr(&e, probes.AttrRPCStatus) != "NOT_FOUND" || e.Err != "NOT_FOUND (5): no order 100%\nfound" || header(&e, "x-cost") != "7" {
		t.Fatalf("end %+v", e)
	}
	if q := rec.wait(t, probes.Request, 1)[0]; q.Body == nil || len(q.Body) != 0 {
		t.Fatalf("an empty message is a message: %+v", q)
	}
	if len(rec.all()) != 2 {
		t.Fatalf("records:%s", list(rec.all()))
	}
}

// Both sides see every message, and the capture has it, before the next one is
// sent.
func TestABidirectionalStreamIsRecordedWhileItIsOpen(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, shop(t), rec, nil)
	st, err := dial(t, addr).NewStream(deadline(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/shop.orders.v1.Orders/Negotiate")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		in, out := fmt.Appendf(nil, "offer %d", i), []byte(nil)
		if err := st.SendMsg(&in); err != nil {
			t.Fatal(err)
		}
		if err := st.RecvMsg(&out); err != nil || string(out) != "re:"+string(in) {
			t.Fatalf("%q, %v", out, err)
		}
		q := rec.wait(t, probes.Request, i+1)[i]
		r := rec.wait(t, probes.Response, i+1)[i]
		if string(q.Body) != string(in) || string(r.Body) != string(out) || (len(q.Header) > 0) != (i == 0) || (len(r.Header) > 0) != (i == 0) {
			t.Fatalf("message %d: %+v, %+v", i, q, r)
		}
	}
	st.CloseSend()
	var rest []byte
	if err := st.RecvMsg(&rest); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if e := rec.wait(t, probes.End, 1)[0]; attr(&e, probes.AttrRPCStatus) != "OK" {
		t.Fatalf("end %+v", e)
	}
	calls := map[string]bool{}
	ids := map[string]bool{}
	for _, r := range rec.all() {
		calls[r.Call], ids[r.ID] = true, true
	}
	if len(calls) != 1 || len(ids) != 11 {
		t.Fatalf("%d calls, %d ids", len(calls), len(ids))
	}
}

func TestCompressedMessagesAreReadableInTheRecord(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, shop(t), rec, func(o *Options) { o.MaxBody = 100 })
	in := []byte(strings.Repeat("order ", 50))
	var out []byte
	if err := dial(t, addr).Invoke(deadline(t), "/shop.orders.v1.Orders/Unary", &in, &out, grpc.UseCompressor("gzip")); err != nil {
		t.Fatal(err)
	}
	rec.wait(t, probes.End, 1)
	q := rec.wait(t, probes.Request, 1)[0]
	if string(q.Body) != string(in[:100]) || q.Cut != 200 || q.Err != "" {
		t.Fatalf("%+v", q)
	}
	if r := rec.wait(t, probes.Response, 1)[0]; string(r.Body) != string(out[:100]) {
		t.Fatalf("%+v", r)
	}
}

func TestALargeMessagePassesWhole(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, shop(t), rec, func(o *Options) { o.MaxBody = 1000 })
	in := []byte(strings.Repeat("x", 3<<20))
	var out []byte
	if err := dial(t, addr).Invoke(deadline(t), "/shop.orders.v1.Orders/Unary", &in, &out); err != nil || len(out) != len(in)+3 {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	rec.wait(t, probes.End, 1)
	if q := rec.wait(t, probes.Request, 1)[0]; len(q.Body) != 1000 || q.Cut != int64(len(in)-1000) {
		t.Fatalf("%d kept, %d cut", len(q.Body), q.Cut)
	}
}

func TestAGRPCClientLearnsThatTheUpstreamIsDown(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, "http://127.0.0.1:1", rec, nil)
	in, out := []byte("x"), []byte(nil)
	if err := dial(t, addr).Invoke(deadline(t), "/a.B/C", &in, &out); status.Code(err) != codes.Unavailable {
		t.Fatalf("the client got %v", err)
	}
	if e := rec.wait(t, probes.End, 1)[0]; attr(&e, probes.AttrRPCStatus) != "UNAVAILABLE" || !strings.Contains(e.Err, "127.0.0.1:1") {
		t.Fatalf("end %+v", e)
	}
}

func TestACancelledStreamHasItsEnd(t *testing.T) {
	rec := newRecorder()
	addr, _ := serve(t, shop(t), rec, nil)
	ctx, cancel := context.WithCancel(deadline(t))
	st, err := dial(t, addr).NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/shop.orders.v1.Orders/Negotiate")
	if err != nil {
		t.Fatal(err)
	}
	in := []byte("one")
	st.SendMsg(&in)
	rec.wait(t, probes.Response, 1)
	cancel()
	if e := rec.wait(t, probes.End, 1)[0]; attr(&e, probes.AttrRPCStatus) != "CANCELLED" || e.Err == "" {
		t.Fatalf("end %+v", e)
	}
}

// What was captured here is what a replay hands to a driver.
func TestWhatIsCapturedReplays(t *testing.T) {
	path := t.TempDir() + "/t.mcap"
	w, err := replay.Create(path, replay.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.AddTarget(replay.TargetInfo{Name: "shop-api", Driver: "grpc", Address: "10.1.1.1:443"})
	both := newRecorder()
	addr, stop := serve(t, shop(t), both, func(o *Options) { o.Sink = w })
	in, out := []byte{8, 5}, []byte(nil)
	if err := dial(t, addr).Invoke(deadline(t), "/shop.orders.v1.Orders/Unary", &in, &out); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if sum, err := w.Close(); err != nil || sum.Records != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	r, err := replay.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := &callee{}
	c, err := probes.Open(t.Context(), []probes.Driver{{Name: "callee", Open: func(context.Context, probes.Target) (probes.Probe, error) { return d, nil }}},
		probes.Target{Name: "staging", Driver: "callee", Address: "10.2.2.2:443", Environment: probes.Environment{Class: probes.ClassDev, Write: true}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := replay.BuildPlan(t.Context(), r, replay.PlanOptions{To: []replay.Route{{Conn: c}}})
	if err != nil || p.Refused != nil || p.Planned != 1 || p.Skipped != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	rep, err := replay.Run(t.Context(), p, replay.SendOptions{Pace: replay.ASAP})
	if err != nil || rep.Sent != 1 || rep.Compared != 1 || rep.Differences != 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if d.in.Method != "shop.orders.v1.Orders/Unary" || d.doc != "\x00\x08\x05" {
		t.Fatalf("%+v, document %q", d.in, d.doc)
	}
	for _, f := range d.in.Header {
		if f.Name != replay.Marker {
			t.Errorf("header %s would be refused by a gRPC client", f.Name)
		}
	}
}
