package grpcapi

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/probetest"
)

// envoyBridge is Envoy as people put it before gRPC servers for browsers: its own
// filters turn gRPC-Web and Connect into gRPC. One listener speaks HTTP/1 and 2,
// the other HTTP/1 only.
const (
	envoyBridge = `
node: {id: iscope-grpcapi, cluster: iscope}
static_resources:
  clusters:
  - name: interop
    type: STATIC
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: interop
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {interop}}}}}]}]
  listeners:
`
	envoyListener = `
  - name: {codec}
    address: {socket_address: {address: 127.0.0.1, port_value: {port}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bridge
          codec_type: {codec}
          http_filters:
          - name: envoy.filters.http.connect_grpc_bridge
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.connect_grpc_bridge.v3.FilterConfig}
          - name: envoy.filters.http.grpc_web
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            name: all
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{match: {prefix: /}, route: {cluster: interop, timeout: 0s}}]
`
)

// startBridge starts Envoy before interop and returns its two addresses.
func startBridge(t *testing.T) (both, old string) {
	t.Helper()
	binary := probetest.Need(t, "envoy").Addresses["binary"]
	_, port, err := net.SplitHostPort(probetest.Need(t, "interop").Addresses["grpc"])
	if err != nil {
		t.Fatal(err)
	}
	both, old = freeAddress(t), freeAddress(t)
	portOf := func(a string) string { return a[strings.LastIndexByte(a, ':')+1:] }
	file := filepath.Join(t.TempDir(), "envoy.yaml")
	text := strings.ReplaceAll(envoyBridge, "{interop}", port)
	for addr, codec := range map[string]string{both: "AUTO", old: "HTTP1"} {
		text += strings.NewReplacer("{codec}", codec, "{port}", portOf(addr)).Replace(envoyListener)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "-c", file, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed, or its output says why
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	for _, addr := range []string{both, old} {
		awaitListener(t, addr, ended, &out)
	}
	return both, old
}

func freeAddress(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	return lis.Addr().String()
}

func awaitListener(t *testing.T, addr string, ended <-chan struct{}, out fmt.Stringer) {
	t.Helper()
	ctx := within(t)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("envoy ended:\n%s", out)
		case <-ctx.Done():
			t.Fatalf("envoy does not listen on %s", addr)
		case <-tick.C:
		}
	}
}

func TestProtocolsThroughEnvoy(t *testing.T) {
	both, old := startBridge(t)
	for _, c := range []struct {
		name, addr string
		protocol   protocol
	}{
		{"gRPC-Web over HTTP/2", both, protoWeb},
		{"gRPC-Web as text over HTTP/2", both, protoWebText},
		{"gRPC-Web over HTTP/1", old, protoWeb},
		{"gRPC-Web as text over HTTP/1", old, protoWebText},
		{"gRPC-Web found by itself", old, protoAuto},
		{"Connect over HTTP/2", both, protoConnect},
		{"Connect over HTTP/1", old, protoConnect},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := probes.Target{Name: "bridge", Driver: "grpc", Address: c.addr, Options: map[string]string{optProtocol: string(c.protocol)},
				Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
			p := dial(t, target)
			if err := p.Check(within(t)); err != nil {
				t.Fatalf("check: %v", err)
			}
			callsOverTheWeb(t, p)
			talkOverTheWeb(t, p)
		})
	}
}

// callsOverTheWeb makes calls of interop's test service.
func callsOverTheWeb(t *testing.T, p *probe) {
	t.Helper()
	for _, c := range []struct {
		method, doc, want string
	}{
		{"EmptyCall", `{}`, `request {} | response {} | end OK`},
		{"UnaryCall", `{"responseSize":3}`, `request {"responseSize":3} | response {"payload":{"body":"AAAA"}} | end OK`},
		{"UnaryCall", `{"responseStatus":{"code":9,"message":"not now"}}`, `request {"responseStatus":{"code":9,"message":"not now"}} | end FAILED_PRECONDITION`},
		{"UnimplementedCall", `{}`, `request {} | end UNIMPLEMENTED`},
		{"StreamingOutputCall", `{"responseParameters":[{"size":1},{"size":2}]}`,
			`request {"responseParameters":[{"size":1},{"size":2}]} | response {"payload":{"body":"AA=="}} | response {"payload":{"body":"AAA="}} | end OK`},
	} {
		recs, err := collect(within(t), p, probes.Invocation{Method: testService + "/" + c.method, Next: docs(c.doc)})
		if err != nil {
			t.Errorf("%s: %v (%s)", c.method, err, probes.HintOf(err))
			continue
		}
		if d := cmp.Diff(c.want, shape(recs)); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.method, d)
		}
		end := recs[len(recs)-1]
		if strings.Contains(c.doc, "not now") && end.Err != "FAILED_PRECONDITION (9): not now" {
			t.Errorf("error is %q", end.Err)
		}
		if v, _ := end.Attr(probes.AttrPeer); v != p.set.addr.dial {
			t.Errorf("peer is %q", v)
		}
		if v, _ := end.Attr(probes.TimingTotal); v == "" {
			t.Errorf("no total in %v", end.Attrs)
		}
	}
	recs, err := collect(within(t), p, probes.Invocation{Method: testService + "/UnaryCall", Next: docs(`{}`),
		Header: []probes.Field{{Name: "x-grpc-test-echo-initial", Value: []byte("hello")}, {Name: "x-grpc-test-echo-trailing-bin", Value: []byte{0, 255}}}})
	if err != nil {
		t.Fatal(err)
	}
	end := recs[len(recs)-1]
	if v, _ := end.HeaderValue("x-grpc-test-echo-initial"); string(v) != "hello" {
		t.Errorf("header is %q in %v", v, end.Header)
	}
	if v, _ := end.HeaderValue("x-grpc-test-echo-trailing-bin"); string(v) != "\x00\xff" {
		t.Errorf("trailer is %q in %v", v, end.Header)
	}
}

// talkOverTheWeb sends, sees the answer, and only then sends again.
func talkOverTheWeb(t *testing.T, p *probe) {
	t.Helper()
	answered := make(chan struct{}, 1)
	left := 3
	in := probes.Invocation{Method: testService + "/FullDuplexCall", Next: func(ctx context.Context) ([]byte, error) {
		if left < 3 {
			select {
			case <-answered:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if left == 0 {
			return nil, io.EOF
		}
		left--
		return []byte(`{"responseParameters":[{"size":1}]}`), nil
	}}
	var got []string
	for rec, err := range p.Invoke(within(t), in) {
		if err != nil {
			t.Errorf("talking: %v", err)
			return
		}
		got = append(got, rec.Kind.String())
		if rec.Kind == probes.Response {
			answered <- struct{}{}
		}
	}
	if d := cmp.Diff("request response request response request response end", strings.Join(got, " ")); d != "" {
		t.Errorf("talking (-want +got)\n%s", d)
	}
}
