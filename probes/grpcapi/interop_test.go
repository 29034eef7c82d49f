package grpcapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/probetest"
)

// interopTarget is grpc-go's own test server, which nobody here wrote.
func interopTarget(t *testing.T) probes.Target {
	t.Helper()
	return probes.Target{Name: "interop", Driver: "grpc", Address: probetest.Need(t, "interop").Addresses["grpc"],
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
}

const testService = "grpc.testing.TestService"

func TestInteropConformance(t *testing.T) {
	probetest.Run(t, probetest.Suite{
		Driver: Driver(), Target: interopTarget(t),
		Discover: &probetest.DiscoverCase{
			Kinds: []probes.NodeKind{probes.NodeService}, Subject: testService, Unknown: "grpc.testing.TestServise",
		},
		Invoke: &probetest.InvokeCase{
			Method: testService + "/UnaryCall", Doc: `{"responseSize":4}`,
			Unknown: testService + "/UnaryCal", Body: testService + "/UnaryCall",
		},
	})
}

func TestInteropCalls(t *testing.T) {
	p := dial(t, interopTarget(t))
	for _, c := range []struct {
		method string
		docs   []string
		want   string
	}{
		{"EmptyCall", nil, `request {} | response {} | end OK`},
		{"UnaryCall", []string{`{"responseSize":3,"payload":{"body":"AAAA"}}`},
			`request {"responseSize":3,"payload":{"body":"AAAA"}} | response {"payload":{"body":"AAAA"}} | end OK`},
		{"StreamingOutputCall", []string{`{"responseParameters":[{"size":1},{"size":2}]}`},
			`request {"responseParameters":[{"size":1},{"size":2}]} | response {"payload":{"body":"AA=="}} | response {"payload":{"body":"AAA="}} | end OK`},
		{"StreamingInputCall", []string{`{"payload":{"body":"AAAA"}}`, `{"payload":{"body":"AA=="}}`},
			`request {"payload":{"body":"AAAA"}} | request {"payload":{"body":"AA=="}} | response {"aggregatedPayloadSize":4} | end OK`},
		{"UnaryCall", []string{`{"responseStatus":{"code":9,"message":"not now"}}`},
			`request {"responseStatus":{"code":9,"message":"not now"}} | end FAILED_PRECONDITION`},
		{"UnimplementedCall", nil, `request {} | end UNIMPLEMENTED`},
	} {
		t.Run(c.method, func(t *testing.T) {
			in := probes.Invocation{Method: testService + "/" + c.method}
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
	t.Run("FullDuplexCall", func(t *testing.T) {
		recs, err := collect(within(t), p, probes.Invocation{Method: "TestService/FullDuplexCall",
			Next:   docs(`{"responseParameters":[{"size":1}]}`, `{"responseParameters":[{"size":2}]}`),
			Header: []probes.Field{{Name: "x-grpc-test-echo-initial", Value: []byte("hello")}, {Name: "x-grpc-test-echo-trailing-bin", Value: []byte{0, 255}}}})
		if err != nil {
			t.Fatal(err)
		}
		// Requests and responses interleave as they will, but end with an end.
		s := shape(recs)
		for _, part := range []string{`response {"payload":{"body":"AA=="}}`, `response {"payload":{"body":"AAA="}}`} {
			if !strings.Contains(s, part) || !strings.HasSuffix(s, "| end OK") {
				t.Errorf("%s lacks %s", s, part)
			}
		}
		end := recs[len(recs)-1]
		if v, _ := end.HeaderValue("x-grpc-test-echo-initial"); string(v) != "hello" {
			t.Errorf("header %q", v)
		}
		if v, _ := end.HeaderValue("x-grpc-test-echo-trailing-bin"); string(v) != "\x00\xff" {
			t.Errorf("trailer %q", v)
		}
	})
}

func TestInteropDescriptions(t *testing.T) {
	p := dial(t, interopTarget(t))
	if err := p.Check(within(t)); err != nil {
		t.Error(err)
	}
	ms, err := p.Methods(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{testService + "/HalfDuplexCall", "grpc.channelz.v1.Channelz/GetServers", "grpc.health.v1.Health/Watch"} {
		if !slices.Contains(names(ms), want) {
			t.Errorf("%s is missing in %v", want, names(ms))
		}
	}
	s, err := p.Schema(within(t), testService+"/StreamingInputCall")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rpc StreamingInputCall ( stream StreamingInputCallRequest ) returns ( StreamingInputCallResponse );", "message StreamingInputCallRequest {"} {
		if !strings.Contains(s.Text, want) {
			t.Errorf("%s lacks %q", s.Text, want)
		}
	}
	for snap, err := range p.Discover(within(t), probes.DiscoverQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		health := map[string]probes.Health{}
		for _, c := range snap.Claims {
			health[c.Node.Name] = c.Node.Health
		}
		want := map[string]probes.Health{"interop": probes.HealthOK, testService: probes.HealthOK}
		if d := cmp.Diff(want, health); d != "" || !snap.Complete {
			t.Errorf("complete %v, health (-want +got)\n%s", snap.Complete, d)
		}
	}
}

func TestChannelzOfInterop(t *testing.T) {
	p := dial(t, interopTarget(t))
	for range 2 {
		if _, err := collect(within(t), p, probes.Invocation{Method: testService + "/EmptyCall"}); err != nil {
			t.Fatal(err)
		}
	}
	for snap, err := range p.Discover(within(t), probes.DiscoverQuery{Detail: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if !snap.Complete {
			t.Errorf("missing: %v", snap.Missing)
		}
		n := snap.Claims[0].Node
		for _, name := range []string{attrCallsStarted, attrCallsSucceeded, attrCallsFailed, attrSockets, attrSocket} {
			v, ok := probes.FindAttr(n.Attrs, name)
			if !ok || name == attrCallsSucceeded && v == "0" || name == attrSocket && !strings.HasPrefix(v, "from 127.0.0.1:") {
				t.Errorf("%s is %q in %v", name, v, n.Attrs)
			}
		}
	}
}
