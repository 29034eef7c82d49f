package httpapi

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
	"iscope/probes/probetest"
)

// listen serves raw connections with f until the test ends.
func listen(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

// say reads the beginning of a request and answers with text.
func say(text string) func(net.Conn) {
	return func(c net.Conn) {
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		bufio.NewReader(c).ReadByte()
		io.WriteString(c, text)
	}
}

func noDoc(addr string) probes.Target { return target(addr, optOpenAPI, "testdata/shop30.yaml") }

func TestNothingListens(t *testing.T) {
	p := openTarget(t, target(probetest.Nowhere))
	want := "nothing listens on " + probetest.Nowhere + " (connection refused)"
	wantError(t, p.Check(patience(t)), probes.ErrUnreachable, want)
	_, err := p.Methods(patience(t))
	wantError(t, err, probes.ErrUnreachable, want)
	recs, err := invoke(t, p, "GET /x", "")
	wantError(t, err, probes.ErrUnreachable, want)
	if len(recs) != 1 || recs[0].Kind != probes.Request {
		t.Errorf("records %v", recs)
	}
	for _, err := range p.Discover(patience(t), probes.DiscoverQuery{}) {
		wantError(t, err, probes.ErrUnreachable, want)
	}
}

func TestPeersThatAreNoHTTPServer(t *testing.T) {
	for _, c := range []struct {
		name, says string
		kind       error
		want       []string
	}{
		{"a mail server", "220 mail.example ESMTP\r\n", probes.ErrProtocol, []string{"does not look like an HTTP server", `"mail.example"`}},
		{"escape sequences", "\x1b]0;pwned\x07\r\n\r\n", probes.ErrProtocol, []string{`\x1b]0;pwned\a`}},
		{"a TLS alert", "\x15\x03\x01\x00\x02\x02\x46\r\n", probes.ErrTLS, []string{"the server speaks TLS: use https://"}},
		{"HTTP/2 settings", "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\r\n\r\n", probes.ErrProtocol, []string{"HTTP/2 only", "http2: h2c"}},
		{"silence and close", "", probes.ErrUnreachable, []string{"closed the connection without an answer"}},
		{"endless headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 3000), probes.ErrProtocol, []string{"headers exceeded"}},
		{"a bad status", "HTTP/1.1 okay fine\r\n\r\n", probes.ErrProtocol, []string{"okay"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openTarget(t, noDoc(listen(t, say(c.says))))
			_, err := invoke(t, p, "GET /x", "")
			wantError(t, err, c.kind, c.want...)
			if strings.Contains(err.Error(), "\x1b") {
				t.Errorf("escape sequences in %q", err)
			}
		})
	}
}

func TestNamesThatDoNotResolve(t *testing.T) {
	p := openTarget(t, noDoc("shop.invalid:80"))
	err := p.Explain(context.Background(), "calling", httplink.NewStopwatch(), &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "shop.invalid", IsNotFound: true}})
	wantError(t, err, probes.ErrUnreachable, `no such host "shop.invalid"`, "cluster's DNS")
}

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// issue makes a certificate for a name, and its files.
func (a *authority) issue(t *testing.T, name string, until time.Time) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key := newKey(t)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ip := net.ParseIP(name); ip != nil {
		tmpl.IPAddresses, tmpl.DNSNames = []net.IP{ip}, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, certFile, "CERTIFICATE", der)
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, keyFile, "EC PRIVATE KEY", keyDER)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certFile, keyFile
}

// secure serves TLS with a certificate.
func secure(t *testing.T, conf *tls.Config) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.TLS, s.EnableHTTP2 = conf, true
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	good, certFile, keyFile := a.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	other, _, _ := a.issue(t, "shop.example", time.Now().Add(time.Hour))
	old, _, _ := a.issue(t, "127.0.0.1", time.Now().Add(-time.Hour))
	clientCAs := x509.NewCertPool()
	clientCAs.AddCert(a.cert)
	for _, c := range []struct {
		name   string
		server *tls.Config
		edit   func(*probes.Target)
		want   []string // nil: works
	}{
		{"a known authority", &tls.Config{Certificates: []tls.Certificate{good}}, func(tg *probes.Target) { tg.TLS.CAFile = a.file }, nil},
		{"an unknown authority", &tls.Config{Certificates: []tls.Certificate{good}}, func(*probes.Target) {}, []string{"CN=test CA", "unknown authority", "tls.ca"}},
		{"not verified on purpose", &tls.Config{Certificates: []tls.Certificate{good}}, func(tg *probes.Target) { tg.TLS.InsecureSkipVerify = true }, nil},
		{"another name", &tls.Config{Certificates: []tls.Certificate{other}}, func(tg *probes.Target) { tg.TLS.CAFile = a.file }, []string{"is for shop.example, not for 127.0.0.1", "tls.server_name"}},
		{"another name, told so", &tls.Config{Certificates: []tls.Certificate{other}}, func(tg *probes.Target) { tg.TLS.CAFile, tg.TLS.ServerName = a.file, "shop.example" }, nil},
		{"an old certificate", &tls.Config{Certificates: []tls.Certificate{old}}, func(tg *probes.Target) { tg.TLS.CAFile = a.file }, []string{"is valid from"}},
		{"no client certificate", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clientCAs},
			func(tg *probes.Target) { tg.TLS.CAFile = a.file }, []string{"client certificate", "tls.cert"}},
		{"a client certificate", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clientCAs},
			func(tg *probes.Target) { tg.TLS.CAFile, tg.TLS.CertFile, tg.TLS.KeyFile = a.file, certFile, keyFile }, nil},
		{"an old version", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
			func(tg *probes.Target) { tg.TLS.CAFile = a.file }, []string{"version"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := secure(t, c.server)
			tg := noDoc(s.URL)
			c.edit(&tg)
			p := openTarget(t, tg)
			if c.want != nil {
				wantError(t, p.Check(patience(t)), probes.ErrTLS, c.want...)
				_, err := invoke(t, p, "GET /x", "")
				wantError(t, err, probes.ErrTLS, c.want...)
				return
			}
			_, resp, end := mustInvoke(t, p, "GET /x", "")
			if string(resp.Body) != "HTTP/2.0" || attr(end, probes.AttrProtoVersion) != "2" || attr(end, probes.AttrTLSVersion) != "1.3" || attr(end, probes.TimingTLS) == "" {
				t.Errorf("body %s, end %v", resp.Body, end.Attrs)
			}
		})
	}
}

func TestTLSMixUps(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	// Go's server explains itself with a status 400.
	s := secure(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	p := openTarget(t, noDoc(strings.Replace(s.URL, "https", "http", 1)))
	wantError(t, p.Check(patience(t)), probes.ErrTLS, "the server speaks TLS: use https://")
	_, err := invoke(t, p, "GET /x", "")
	wantError(t, err, probes.ErrTLS, "the server speaks TLS: use https://")

	// Others just hang up, and only a handshake tells.
	conf := &tls.Config{Certificates: []tls.Certificate{cert}}
	addr := listen(t, func(c net.Conn) { tls.Server(c, conf).Handshake() })
	p = openTarget(t, noDoc(addr))
	_, err = invoke(t, p, "GET /x", "")
	wantError(t, err, probes.ErrTLS, "the server speaks TLS: use https://")

	// A plain server that answers 400 is no TLS server.
	plainServer := serve(t, "", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusBadRequest) })
	if err := openTarget(t, noDoc(plainServer.URL)).Check(patience(t)); err != nil {
		t.Error(err)
	}
	p = openTarget(t, noDoc(strings.Replace(plainServer.URL, "http", "https", 1)))
	wantError(t, p.Check(patience(t)), probes.ErrTLS, "the server answered plain HTTP: use http://")

	p = openTarget(t, noDoc("https://"+listen(t, say("SSH-2.0-x\r\n"))))
	wantError(t, p.Check(patience(t)), probes.ErrTLS, `it answered "SSH-2"`)
}

func TestHTTP2WithoutTLS(t *testing.T) {
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.Config.Protocols = &h2c
	s.Start()
	t.Cleanup(s.Close)
	tg := noDoc(s.URL)
	tg.Options[optHTTP2] = "h2c"
	_, resp, end := mustInvoke(t, openTarget(t, tg), "GET /x", "")
	if string(resp.Body) != "HTTP/2.0" || attr(end, probes.AttrProtoVersion) != "2" {
		t.Errorf("body %s, end %v", resp.Body, end.Attrs)
	}
	_, err := invoke(t, openTarget(t, noDoc(s.URL)), "GET /x", "")
	wantError(t, err, probes.ErrProtocol, "HTTP/2 only", "http2: h2c")

	tg = noDoc(serve(t, "", nil).URL)
	tg.Options[optHTTP2] = "h2c"
	_, err = invoke(t, openTarget(t, tg), "GET /x", "")
	wantError(t, err, probes.ErrProtocol, "the server answered HTTP/1.1", "remove the option")
}

func TestHTTP2CanBeOff(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	s := secure(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	tg := noDoc(s.URL)
	tg.TLS.CAFile = a.file
	tg.Options[optHTTP2] = "off"
	_, resp, _ := mustInvoke(t, openTarget(t, tg), "GET /x", "")
	if string(resp.Body) != "HTTP/1.1" {
		t.Errorf("spoke %s", resp.Body)
	}
}

func TestBadTargets(t *testing.T) {
	for _, c := range []struct {
		name, address, want string
		edit                func(*probes.Target)
	}{
		{"no address", "", "no host", func(*probes.Target) {}},
		{"a port alone", ":80", "no host", func(*probes.Target) {}},
		{"two addresses", "a:1,b:2", "", func(*probes.Target) {}},
		{"another scheme", "ftp://a", `scheme "ftp"`, func(*probes.Target) {}},
		{"a query", "a:1/x?y=1", "base path", func(*probes.Target) {}},
		{"an unknown option", "a:1", `"openap"; did you mean openapi?`, func(t *probes.Target) { t.Options["openap"] = "x" }},
		{"a bad option", "a:1", "auto, h2c or off", func(t *probes.Target) { t.Options[optHTTP2] = "yes" }},
		{"a broker's mechanism", "a:1", "plain", func(t *probes.Target) { t.Auth.Mechanism = "plain" }},
		{"a bearer without token", "a:1", "needs a token", func(t *probes.Target) { t.Auth.Mechanism = "bearer" }},
		{"a bad auth header", "a:1", "no header name", func(t *probes.Target) {
			t.Auth.Token, t.Auth.Header = probes.NewSecret("x"), "a b"
		}},
		{"a missing CA", "https://a:1", "nowhere.pem", func(t *probes.Target) { t.TLS.CAFile = "nowhere.pem" }},
		{"a secret in a bad URL", "http://u:hunter2@[", "", func(*probes.Target) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tg := target(c.address)
			c.edit(&tg)
			_, err := open(context.Background(), tg)
			wantError(t, err, probes.ErrUsage, c.want)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret in %v", err)
			}
			var e *probes.Error
			if !errors.As(err, &e) {
				t.Errorf("%T", err)
			}
		})
	}
}
