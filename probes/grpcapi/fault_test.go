package grpcapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/probetest"
)

// listen serves raw connections until the test ends.
func listen(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lis.Close() })
	go func() {
		for {
			c, err := lis.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go handle(c)
		}
	}()
	return lis.Addr().String()
}

// quiet is the log of servers that are spoken to wrongly on purpose.
var quiet = log.New(io.Discard, "", 0)

// wantError checks kind, text and hint of an error, each by a part of it.
func wantError(t *testing.T, err, kind error, text, hint string) {
	t.Helper()
	var e *probes.Error
	switch {
	case !errors.As(err, &e):
		t.Fatalf("not a *probes.Error: %v", err)
	case !errors.Is(err, kind) || probes.KindOf(err) != kind:
		t.Errorf("kind %v, want %v: %v", probes.KindOf(err), kind, err)
	case !strings.Contains(err.Error(), text):
		t.Errorf("text %q lacks %q", err, text)
	case hint != "" && !strings.Contains(probes.HintOf(err), hint):
		t.Errorf("hint %q lacks %q", probes.HintOf(err), hint)
	case e.Target != "fixture" || e.Op == "":
		t.Errorf("target %q, op %q", e.Target, e.Op)
	}
}

func TestFaultsOfConnecting(t *testing.T) {
	ours, other := newAuthority(t, "iscope test CA"), newAuthority(t, "another CA")
	good, _, _ := ours.issue("127.0.0.1", time.Hour)
	named, _, _ := ours.issue("orders.example", time.Hour)
	expired, _, _ := ours.issue("127.0.0.1", -time.Hour)
	_, clientCert, clientKey := other.issue("client", time.Hour)

	plain := serve(t, serverOptions{reflection: bothVersions}).addr
	secure := serve(t, serverOptions{reflection: bothVersions, tls: &tls.Config{Certificates: []tls.Certificate{good}}}).addr
	wrongName := serve(t, serverOptions{tls: &tls.Config{Certificates: []tls.Certificate{named}}}).addr
	tooOld := serve(t, serverOptions{tls: &tls.Config{Certificates: []tls.Certificate{expired}}}).addr
	mutual := serve(t, serverOptions{tls: &tls.Config{Certificates: []tls.Certificate{good},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool()}}).addr
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.Config.ErrorLog = quiet
	web.Start()
	t.Cleanup(web.Close)
	webTLS := httptest.NewUnstartedServer(http.NotFoundHandler())
	webTLS.Config.ErrorLog = quiet
	webTLS.TLS = &tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"http/1.1"}}
	webTLS.StartTLS()
	t.Cleanup(webTLS.Close)
	hostOf := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	refused := probetest.Nowhere
	ca := probes.TLS{Enabled: true, CAFile: ours.file}

	for _, c := range []struct {
		name, addr string
		tls        probes.TLS
		kind       error
		text, hint string
	}{
		{"nothing listens", refused, probes.TLS{}, probes.ErrUnreachable, "nothing listens on " + refused, "start the server"},
		{"no such host", "no..such:50051", probes.TLS{}, probes.ErrUnreachable, `no address found for host "no..such"`, "Kubernetes"},
		{"black hole", listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), probes.TLS{}, probes.ErrTimeout, "the peer sent no HTTP/2 settings", "timeout"},
		{"black hole with TLS", listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), ca, probes.ErrTimeout, "the TLS handshake did not finish", ""},
		{"closes at once", listen(t, func(c net.Conn) { c.Close() }), probes.TLS{}, probes.ErrUnreachable, "the peer closed the connection at once", ""},
		{"another protocol", listen(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n") }), probes.TLS{},
			probes.ErrProtocol, `it sent "SSH-2.0-OpenSSH_9.9`, "check the port"},
		{"HTTP/1 server", hostOf(web), probes.TLS{}, probes.ErrProtocol, "this is an HTTP/1 server", "try http://" + hostOf(web)},
		{"HTTP/1 server, asked with TLS", hostOf(web), ca, probes.ErrTLS, "plaintext HTTP/1 server", "try http://" + hostOf(web)},
		{"HTTPS server without HTTP/2", hostOf(webTLS), ca, probes.ErrProtocol, "does not offer HTTP/2", "try https://" + hostOf(webTLS)},
		{"HTTPS server, asked without TLS", hostOf(webTLS), probes.TLS{}, probes.ErrTLS, "the server speaks TLS", "use grpcs://" + hostOf(webTLS)},
		{"plaintext to a TLS server", secure, probes.TLS{}, probes.ErrTLS, "the server speaks TLS", "use grpcs://" + secure},
		{"TLS to a plaintext server", plain, ca, probes.ErrTLS, "the server is plaintext", "use grpc://" + plain},
		{"unknown authority", secure, probes.TLS{Enabled: true, CAFile: other.file}, probes.ErrTLS, `issued by "CN=iscope test CA"`, "set tls.ca"},
		{"wrong name", wrongName, ca, probes.ErrTLS, "orders.example", "set tls.server_name to a name in the certificate: orders.example"},
		{"expired", tooOld, ca, probes.ErrTLS, "expired", ""},
		{"no client certificate", mutual, ca, probes.ErrTLS, "certificate required", "set tls.cert and tls.key"},
		{"wrong client certificate", mutual, probes.TLS{Enabled: true, CAFile: ours.file, CertFile: clientCert, KeyFile: clientKey},
			probes.ErrTLS, "tls: ", "accepts the authority that issued tls.cert"},
		{"no client certificate, asked without TLS", mutual, probes.TLS{}, probes.ErrTLS, "the server speaks TLS", "use grpcs://"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := dial(t, probes.Target{Name: "fixture", Address: c.addr, TLS: c.tls, Timeout: patienceFor(c.kind)})
			wantError(t, p.Check(within(t)), c.kind, c.text, c.hint)
			_, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Peek"})
			wantError(t, err, c.kind, c.text, c.hint)
		})
	}
}

// patienceFor gives connecting as long as it may need, but not to a case whose
// point is that it never succeeds.
func patienceFor(kind error) time.Duration {
	if kind == probes.ErrTimeout {
		return 2 * time.Second
	}
	return 20 * time.Second
}

func TestSecureConnections(t *testing.T) {
	ours := newAuthority(t, "iscope test CA")
	named, _, _ := ours.issue("orders.example", time.Hour)
	_, clientCert, clientKey := ours.issue("client", time.Hour)
	f := serve(t, serverOptions{reflection: bothVersions, tls: &tls.Config{Certificates: []tls.Certificate{named},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool()}})
	target := f.target()
	target.TLS = probes.TLS{Enabled: true, CAFile: ours.file, CertFile: clientCert, KeyFile: clientKey, ServerName: "orders.example"}
	recs, err := collect(within(t), dial(t, target), probes.Invocation{Method: "probe.v1.Lone/Ping"})
	if err != nil {
		t.Fatal(err)
	}
	end := recs[len(recs)-1]
	if v, _ := end.Attr(probes.AttrTLSVersion); v != "1.3" {
		t.Errorf("TLS version %q", v)
	}
	if _, ok := end.Attr(probes.TimingTLS); !ok {
		t.Errorf("no TLS phase in %v", end.Attrs)
	}
}

func TestAddressesAndOptions(t *testing.T) {
	for _, c := range []struct {
		name       string
		target     probes.Target
		text, hint string
	}{
		{"no port", probes.Target{Address: "orders"}, `address "orders" has no port`, "orders:50051"},
		{"no address", probes.Target{}, "no address given", "host:port"},
		{"port out of range", probes.Target{Address: "a:70000"}, "no port between 1 and 65535", ""},
		{"one of several", probes.Target{Address: "a:1,b"}, `address "b" has no port`, "50051"},
		{"balance", probes.Target{Address: "a:1", Options: map[string]string{optBalance: "random"}}, `option balance is "random"`, "round_robin"},
		{"protocol", probes.Target{Address: "a:1", Options: map[string]string{optProtocol: "http"}}, `option protocol is "http"`, "grpc-web"},
		{"authority", probes.Target{Address: "a:1", Options: map[string]string{optAuthority: "http://a"}}, "option authority", "host name"},
		{"a URL", probes.Target{Address: "http://a:1"}, "no address", "host:port"},
		{"unknown option", probes.Target{Address: "a:1", Options: map[string]string{"protosett": "x"}}, `unknown option "protosett"`, "did you mean protoset, proto"},
		{"bad reflection", probes.Target{Address: "a:1", Options: map[string]string{optReflection: "v2"}}, `reflection is "v2"`, "v1alpha"},
		{"bad limit", probes.Target{Address: "a:1", Options: map[string]string{optMaxMessage: "64MiB"}}, `"64MiB"`, "number of bytes"},
		{"missing protoset", probes.Target{Address: "a:1", Options: map[string]string{optProtoset: "/no/such.binpb"}}, "reading the protoset", ""},
		{"no protoset", probes.Target{Address: "a:1", Options: map[string]string{optProtoset: "fault_test.go"}}, "is no FileDescriptorSet", "buf build"},
		{"wrong mechanism", probes.Target{Address: "a:1", Auth: probes.Auth{Mechanism: "plain"}}, `"plain" does not exist in gRPC`, "bearer or basic"},
		{"token with a line break", probes.Target{Address: "a:1", Auth: probes.Auth{Token: probes.NewSecret("s3cret\n")}}, "line break", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.target.Name = "fixture"
			_, err := Driver().Open(context.Background(), c.target)
			wantError(t, err, probes.ErrUsage, c.text, c.hint)
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// A proxy's error page is not a gRPC status.
func TestForeignAnswers(t *testing.T) {
	for code, kind := range map[int]error{401: probes.ErrAuth, 403: probes.ErrDenied, 404: probes.ErrProtocol, 503: probes.ErrUnreachable} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(code)
			}))
			proxy.Config.Protocols = new(http.Protocols)
			proxy.Config.Protocols.SetUnencryptedHTTP2(true)
			proxy.Config.ErrorLog = quiet
			proxy.Start()
			t.Cleanup(proxy.Close)
			p := dial(t, probes.Target{Name: "fixture", Address: proxy.Listener.Addr().String()})
			wantError(t, p.Check(within(t)), kind, "unexpected HTTP status code received from server", "proxy")
		})
	}
}
