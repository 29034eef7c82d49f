package grpcapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// docs supplies documents as Invocation.Next.
func docs(list ...string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		if len(list) == 0 {
			return nil, io.EOF
		}
		d := list[0]
		list = list[1:]
		return []byte(d), nil
	}
}

// collect makes a call and returns all its records.
func collect(ctx context.Context, p *probe, in probes.Invocation) (recs []probes.Record, err error) {
	for rec, err := range p.Invoke(ctx, in) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// shape writes a call in one line: "request {} | response {} | end OK".
func shape(recs []probes.Record) string {
	var out []string
	for _, r := range recs {
		s := r.Kind.String() + " " + string(r.Body)
		if r.Kind == probes.End {
			status, _ := r.Attr(probes.AttrStatus)
			s = "end " + status
		}
		out = append(out, strings.TrimSpace(s))
	}
	return strings.Join(out, " | ")
}

func TestFourKindsOfCall(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	for _, c := range []struct {
		name, method string
		docs         []string
		want         string
	}{
		{"unary", "probe.v1.Probe/Peek", []string{`{"sku": "a", "amount": 9007199254740993}`},
			`request {"sku":"a","amount":"9007199254740993"} | response {"sku":"a","amount":"9007199254740993"} | end OK`},
		{"unary without a document", "probe.v1.Lone/Ping", nil, `request {} | response {} | end OK`},
		{"server stream", "probe.v1.Probe/ListNumbers", []string{`{"value":3}`},
			`request {"value":"3"} | response {"value":"1"} | response {"value":"2"} | response {"value":"3"} | end OK`},
		{"server stream without messages", "probe.v1.Probe/ListNumbers", nil, `request {} | end OK`},
		{"client stream", "probe.v1.Probe/Sum", []string{`{"value":1}`, `{"value":"2"}`, `{"value":39}`},
			`request {"value":"1"} | request {"value":"2"} | request {"value":"39"} | response {"value":"42"} | end OK`},
		{"client stream without messages", "probe.v1.Probe/Sum", nil, `response {} | end OK`},
		{"bidi without messages", "probe.v1.Probe/Chat", nil, `end OK`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := probes.Invocation{Method: c.method}
			if c.docs != nil {
				in.Next = docs(c.docs...)
			}
			recs, err := collect(within(t), p, in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, shape(recs)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// A person sends, sees the answer, and sends again depending on it.
func TestBidiIsInteractive(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	answers := make(chan string)
	said := 0
	in := probes.Invocation{Method: "probe.v1.Probe/Chat", Next: func(ctx context.Context) ([]byte, error) {
		if said == 3 {
			return nil, io.EOF
		}
		previous := "start"
		if said > 0 {
			select {
			case previous = <-answers:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		said++
		return fmt.Appendf(nil, `{"sku":%q}`, fmt.Sprint(said, " after ", previous)), nil
	}}
	var got []string
	for rec, err := range p.Invoke(within(t), in) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec.Kind.String())
		if rec.Kind == probes.Response {
			var m struct{ SKU string }
			if err := json.Unmarshal(rec.Body, &m); err != nil {
				t.Fatal(err)
			}
			got = append(got, m.SKU)
			if said < 3 {
				answers <- m.SKU
			}
		}
	}
	want := []string{"request", "response", "1 after start", "request", "response", "2 after 1 after start",
		"request", "response", "3 after 2 after 1 after start", "end"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Both directions are full: a sender that waited for the receiver, or the other
// way round, would stop here.
func TestFloodInBothDirections(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	const messages = 200
	doc, left := `{"data":"`+strings.Repeat("QUFB", 64<<10/4)+`"}`, messages
	counts := map[probes.Kind]int{}
	for rec, err := range p.Invoke(within(t), probes.Invocation{Method: "probe.v1.Probe/Flood", Next: func(context.Context) ([]byte, error) {
		if left == 0 {
			return nil, io.EOF
		}
		left--
		return []byte(doc), nil
	}}) {
		if err != nil {
			t.Fatal(err)
		}
		counts[rec.Kind]++
		if counts[probes.Response] > counts[probes.Request] {
			t.Fatalf("response %d came before its request", counts[probes.Response])
		}
	}
	want := map[probes.Kind]int{probes.Request: messages, probes.Response: messages, probes.End: 1}
	if d := cmp.Diff(want, counts); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestRecordsOfACall(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	recs, err := collect(within(t), p, probes.Invocation{
		Method: "probe.v1.Probe/Echo", Next: docs(`{"name":"x"}`),
		Header: []probes.Field{{Name: "X-Tenant", Value: []byte("blue")}},
	})
	if err != nil || len(recs) != 3 {
		t.Fatalf("%d records, error %v", len(recs), err)
	}
	req, resp, end := recs[0], recs[1], recs[2]
	ids := map[string]bool{}
	for _, r := range recs {
		if r.Call == "" || r.Call != req.Call || ids[r.ID] || r.Seen.IsZero() {
			t.Errorf("call %q, id %q, seen %v", r.Call, r.ID, r.Seen)
		}
		ids[r.ID] = true
		if want := (probes.Ref{Target: "fixture", Subject: "probe.v1.Probe/Echo"}); r.Source != want {
			t.Errorf("source is %v", r.Source)
		}
	}
	if v, _ := req.HeaderValue("x-tenant"); string(v) != "blue" || req.Schema != "probe.v1.All" {
		t.Errorf("request: header %q, schema %s", v, req.Schema)
	}
	if v, _ := resp.HeaderValue("x-raw-bin"); string(v) != "\x00\xff" || resp.Schema != "probe.v1.All" {
		t.Errorf("response: header %q, schema %s", v, resp.Schema)
	}
	var nat nativeEnd
	if err := json.Unmarshal(end.Native, &nat); err != nil {
		t.Fatal(err)
	}
	if len(end.Header) != nat.Headers+nat.Trailers || nat.Trailers != 1 || end.Header[nat.Headers].Name != "x-cost" {
		t.Errorf("end: %d headers, %d trailers in %v", nat.Headers, nat.Trailers, end.Header)
	}
	for _, name := range []string{probes.TimingConnect, probes.TimingFirstByte, probes.TimingTotal, probes.AttrPeer} {
		if v, ok := end.Attr(name); !ok || v == "" {
			t.Errorf("end has no %s: %v", name, end.Attrs)
		}
	}
	for name, want := range map[string]string{probes.AttrRPCStatus: "OK", probes.AttrStatus: "OK", attrCode: "0",
		attrSent: "1", attrReceived: "1", probes.AttrServerAddress: "127.0.0.1"} {
		if v, _ := end.Attr(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if _, ok := end.Attr(probes.TimingTLS); ok {
		t.Error("a plaintext call has a TLS phase")
	}
	again, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := again[len(again)-1].Attr(probes.TimingConnect); ok {
		t.Error("the second call has a connect phase")
	}
}

func TestErrorStatusIsAResult(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	const details = `[
		{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"sku","description":"empty"}]},
		{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"},
		{"@type":"type.googleapis.com/probe.v1.Item","sku":"a"}]`
	recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Fail",
		Next: docs(`{"code":5,"message":"no such order","details":` + details + `}`)})
	if err != nil {
		t.Fatal(err)
	}
	end := recs[len(recs)-1]
	if end.Kind != probes.End || end.Err != "NOT_FOUND (5): no such order" || end.Schema != "google.rpc.Status" {
		t.Fatalf("end: kind %v, err %q, schema %s", end.Kind, end.Err, end.Schema)
	}
	want := `{"code":5,"message":"no such order","details":[` +
		`{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"sku","description":"empty"}]},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"},` +
		`{"@type":"type.googleapis.com/probe.v1.Item","sku":"a"}]}`
	if d := cmp.Diff(want, string(end.Body)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for name, want := range map[string]string{probes.AttrRPCStatus: "NOT_FOUND", attrCode: "5"} {
		if v, _ := end.Attr(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
}

func TestStreamThatFailsKeepsItsMessages(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/FailStream",
		Next: docs(`{"code":99,"message":"odd","after":2}`)})
	if err != nil {
		t.Fatal(err)
	}
	want := `request {"code":99,"message":"odd","after":2} | response {"value":"1"} | response {"value":"2"} | end CODE_99`
	if d := cmp.Diff(want, shape(recs)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestAnswersThatHaveNoPlainJSON(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	call := func(t *testing.T, method string) probes.Record {
		recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/" + method})
		if err != nil || len(recs) != 3 {
			t.Fatalf("%d records, error %v", len(recs), err)
		}
		return recs[1]
	}
	t.Run("an unknown Any spoils only itself", func(t *testing.T) {
		const prefix = `"@type":"type.googleapis.com/`
		want := `{"name":"still here","anys":[` +
			`{` + prefix + `probe.v1.Item","sku":"a","amount":"9007199254740993"},` +
			`{` + prefix + `unknown.Thing","@value":"AQID","@error":"nobody describes this type"},` +
			`{` + prefix + `probe.v1.Item","@value":"/w==","@error":"cannot parse invalid wire-format data"},` +
			`{` + prefix + `google.protobuf.Duration","value":"3s"},` +
			`{` + prefix + `google.protobuf.Any","value":{` + prefix + `unknown.X","@value":"","@error":"nobody describes this type"}}]}`
		if d := cmp.Diff(want, string(call(t, "GetAny").Body)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
	t.Run("bytes that do not fit are kept", func(t *testing.T) {
		r := call(t, "GetGarbage")
		var nat nativeMessage
		if err := json.Unmarshal(r.Native, &nat); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Err, "undecodable as probe.v1.Text") || r.Body != nil || string(nat.Wire) != "\x0a\x01\xff" {
			t.Errorf("err %q, body %q, wire %q", r.Err, r.Body, nat.Wire)
		}
	})
	t.Run("fields the schema does not know are counted", func(t *testing.T) {
		r := call(t, "GetNewer")
		if n, _ := r.Attr(attrUnknown); n != "6" || string(r.Body) != `{"sku":"a"}` {
			t.Errorf("unknown bytes %q, body %s", n, r.Body)
		}
	})
}

// An extension of a message that lacks a required field gets lost in
// protoreflect v2.0.0 when it is parsed in a second pass.
func TestExtensionsBesideMissingRequiredFields(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	const doc = `{"id":"1","part":{"size":"1"},"[probe.legacy.colour]":"red","[probe.legacy.spare]":{"size":"2"}}`
	recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Old", Next: docs(doc)})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(doc, string(recs[1].Body)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	l, err := p.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer p.release(l)
	types := types{ctx: within(t), link: l}
	md := newRegistry(t).message(t, "probe.legacy.Old")
	// Field 100 = "red", and spare without its required size; no id, no part.
	m, err := decodeMessage([]byte("\xa2\x06\x03red\xaa\x06\x00"), md, types)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"[probe.legacy.colour]":"red","[probe.legacy.spare]":{}}`
	if d := cmp.Diff(want, string(render(m.Interface(), types))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestBigAnswers(t *testing.T) {
	target := serve(t, serverOptions{reflection: bothVersions}).target()
	in := probes.Invocation{Method: "probe.v1.Probe/GetBig", Next: docs(`{"value":12000000}`), MaxBody: 1000}
	recs, err := collect(within(t), dial(t, target), in)
	if err != nil {
		t.Fatal(err)
	}
	full := len(`{"data":""}`) + 16000000
	if r := recs[1]; len(r.Body) != 1000 || r.Cut != int64(full-1000) {
		t.Errorf("kept %d bytes, cut %d of %d", len(r.Body), r.Cut, full)
	}
	compressed := []probes.Field{{Name: "x-compress", Value: []byte("yes")}}
	in.Next, in.Header = docs(`{"value":12000000}`), compressed
	if recs, err = collect(within(t), dial(t, target), in); err != nil || recs[1].Cut != int64(full-1000) {
		t.Errorf("compressed: %d records, error %v", len(recs), err)
	}
	target.Options = map[string]string{optMaxMessage: "1000000"}
	for _, h := range [][]probes.Field{nil, compressed} {
		in.Next, in.Header = docs(`{"value":12000000}`), h
		_, err = collect(within(t), dial(t, target), in)
		if !errors.Is(err, probes.ErrLimit) || !strings.Contains(probes.HintOf(err), optMaxMessage) {
			t.Errorf("over the limit: %v (hint %q)", err, probes.HintOf(err))
		}
	}
}

func TestDeadlines(t *testing.T) {
	target := serve(t, serverOptions{reflection: bothVersions}).target()
	p := dial(t, target)
	// Two seconds are for a busy machine: the texts say how far a call came.
	wantTimeout := func(t *testing.T, p *probe, in probes.Invocation, ctx context.Context, text string) {
		t.Helper()
		_, err := collect(ctx, p, in)
		if !errors.Is(err, probes.ErrTimeout) || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	t.Run("the call's", func(t *testing.T) {
		t.Parallel()
		in := probes.Invocation{Method: "probe.v1.Probe/Hang", Deadline: 2 * time.Second}
		wantTimeout(t, p, in, within(t), "the call's deadline of 2s passed; the request had been sent, no answer had come")
	})
	t.Run("the target's", func(t *testing.T) {
		t.Parallel()
		target.Timeout = 2 * time.Second
		in := probes.Invocation{Method: "probe.v1.Probe/WatchForever"}
		wantTimeout(t, dial(t, target), in, within(t), "the target's timeout of 2s passed; 1 messages had come")
	})
	t.Run("the caller's", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(within(t), 50*time.Millisecond)
		defer cancel()
		wantTimeout(t, p, probes.Invocation{Method: "probe.v1.Probe/Hang", Deadline: -1}, ctx, "the caller's deadline passed")
	})
	t.Run("the server's", func(t *testing.T) {
		recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/ServerDeadline"})
		if err != nil {
			t.Fatal(err)
		}
		want := "DEADLINE_EXCEEDED (4): upstream took too long (the server's deadline, not ours)"
		if got := recs[len(recs)-1].Err; got != want {
			t.Errorf("got %q", got)
		}
	})
}

func TestCancelledWhileWaitingForAPerson(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	recs, err := collect(ctx, p, probes.Invocation{Method: "probe.v1.Probe/Chat", Deadline: -1,
		Next: func(ctx context.Context) ([]byte, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}})
	if !errors.Is(err, context.Canceled) || len(recs) > 0 {
		t.Errorf("%d records, error %v", len(recs), err)
	}
}

func TestLeavingACallEndsIt(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	for rec, err := range p.Invoke(within(t), probes.Invocation{Method: "probe.v1.Probe/WatchForever", Deadline: -1}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == probes.Response {
			break
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	f.server.GracefulStop() // returns only when no call is left
}
