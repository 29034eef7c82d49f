package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	kgoscram "github.com/twmb/franz-go/pkg/sasl/scram"

	"iscope/probes"
	"iscope/probes/probetest"
)

const planted = "hunter2-never-shown"

// authority signs certificates for one test.
type authority struct {
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.key, a.cert = nil, nil
	key, cert, der := a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign})
	a.key, a.cert = key, cert
	a.file = a.pem(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) sign(t *testing.T, c *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert, der
}

func (a *authority) pem(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue writes a certificate for loopback and returns its files.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, _, der := a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	kder, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return a.pem(t, name+".pem", "CERTIFICATE", der), a.pem(t, name+"-key.pem", "EC PRIVATE KEY", kder)
}

func (a *authority) server(t *testing.T, clients bool) *tls.Config {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(a.issue(t, "server"))
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}}
	if clients {
		c.ClientCAs = x509.NewCertPool()
		c.ClientCAs.AddCert(a.cert)
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c
}

// fakeAddr starts a kfake without a client of its own.
func fakeAddr(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "orders")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

func TestTLS(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	cert, key := a.issue(t, "client")
	secured := fakeAddr(t, kfake.TLS(a.server(t, false)))
	mutual := fakeAddr(t, kfake.TLS(a.server(t, true)))
	plain := fakeAddr(t)
	for name, c := range map[string]struct {
		addr  string
		tls   probes.TLS
		kind  error
		words string
	}{
		"verified":           {secured, probes.TLS{Enabled: true, CAFile: a.file}, nil, ""},
		"not verified":       {secured, probes.TLS{Enabled: true, InsecureSkipVerify: true}, nil, ""},
		"client certificate": {mutual, probes.TLS{Enabled: true, CAFile: a.file, CertFile: cert, KeyFile: key}, nil, ""},
		"none given":         {mutual, probes.TLS{Enabled: true, CAFile: a.file}, probes.ErrTLS, "tls.cert"},
		"another authority":  {secured, probes.TLS{Enabled: true, CAFile: stranger.file}, probes.ErrTLS, "tls.ca"},
		"another name":       {secured, probes.TLS{Enabled: true, CAFile: a.file, ServerName: "kafka.example"}, probes.ErrTLS, "tls.server_name"},
		"plaintext to TLS":   {secured, probes.TLS{}, probes.ErrTLS, "the broker speaks TLS"},
		"TLS to plaintext":   {plain, probes.TLS{Enabled: true, CAFile: a.file}, probes.ErrTLS, "the broker speaks plaintext"},
	} {
		t.Run(name, func(t *testing.T) {
			p := (&bed{addr: c.addr}).open(t, func(t *probes.Target) { t.TLS, t.Timeout = c.tls, time.Second })
			err := p.Check(limit(t))
			if c.kind == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if e := wantError(t, err, c.kind, c.words); probes.Transient(e) {
				t.Error("would be tried again")
			}
		})
	}
}

func TestSASL(t *testing.T) {
	addr := fakeAddr(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "p", "right=,"), kfake.Superuser("SCRAM-SHA-256", "s256", "pässword"),
		kfake.Superuser("SCRAM-SHA-512", "s512", "right"))
	open := fakeAddr(t)
	for name, c := range map[string]struct {
		addr                  string
		mechanism, user, pass string
		kind                  error
		words                 string
	}{
		"plain":                   {addr, "plain", "p", "right=,", nil, ""},
		"plain unless said":       {addr, "", "p", "right=,", nil, ""},
		"scram-sha-256":           {addr, "scram-sha-256", "s256", "pässword", nil, ""},
		"scram-sha-512":           {addr, "SCRAM-SHA-512", "s512", "right", nil, ""},
		"plain refused":           {addr, "plain", "p", planted, probes.ErrAuth, "auth.password"},
		"scram-sha-256 refused":   {addr, "scram-sha-256", "s256", planted, probes.ErrAuth, "auth.password"},
		"unknown user":            {addr, "scram-sha-512", "nobody", planted, probes.ErrAuth, "auth.username"},
		"none given":              {addr, "", "", planted, probes.ErrAuth, "set auth"},
		"given where none wanted": {open, "plain", "p", planted, probes.ErrAuth, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := (&bed{addr: c.addr}).open(t, func(t *probes.Target) {
				t.Auth = probes.Auth{Mechanism: c.mechanism, Username: c.user, Password: probes.NewSecret(c.pass)}
			})
			err := p.Check(limit(t))
			if c.kind == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			e := wantError(t, err, c.kind, c.words)
			if probes.Transient(e) {
				t.Error("would be tried again")
			}
			if strings.Contains(e.Error()+e.Hint, planted) {
				t.Errorf("shows the password: %v", e)
			}
		})
	}
}

func TestCredentialsForAListenerThatTakesNone(t *testing.T) {
	p := realBed(t).open(t, func(t *probes.Target) {
		t.Auth = probes.Auth{Username: "p", Password: probes.NewSecret(planted)}
	})
	wantError(t, p.Check(limit(t)), probes.ErrAuth, "takes no authentication")
}

// TestRefusedCredentialsAreOfferedOnce: every refusal counts towards locking the
// account.
func TestRefusedCredentialsAreOfferedOnce(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "p", "right"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	offers := make(chan struct{}, 100)
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		offers <- struct{}{}
		return nil, nil, false
	})
	addr := c.ListenAddrs()[0]
	p := (&bed{addr: addr + "," + addr}).open(t, func(t *probes.Target) {
		t.Auth = probes.Auth{Username: "p", Password: probes.NewSecret(planted)}
	})
	tailError(t, p, probes.TailQuery{Subject: "orders"}, probes.ErrAuth, "")
	if n := len(offers); n != 1 {
		t.Errorf("offered %d times", n)
	}
}

func TestOpenRefusesWhatMakesNoSense(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*probes.Target)
		words string
	}{
		"no address":        {func(t *probes.Target) { t.Address = " , " }, "no address"},
		"unknown mechanism": {func(t *probes.Target) { t.Auth.Mechanism, t.Auth.Username = "gssapi", "u" }, "scram-sha-512"},
		"no user name":      {func(t *probes.Target) { t.Auth.Mechanism = "plain" }, "username"},
		"unknown option":    {func(t *probes.Target) { t.Options = map[string]string{"x": "y"} }, `"x"`},
		"no such CA file":   {func(t *probes.Target) { t.TLS = probes.TLS{Enabled: true, CAFile: "nowhere.pem"} }, "nowhere.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			target := (&bed{addr: "127.0.0.1:1"}).target()
			c.edit(&target)
			_, err := open(limit(t), target)
			wantError(t, err, probes.ErrUsage, c.words)
		})
	}
}

// TestScram checks the exchange of RFC 7677, section 3.
func TestScram(t *testing.T) {
	s := newScram256("user", "pencil")
	s.nonce = func() string { return "rOprNGfwEbeRWgbNEkqO" }
	session, first, err := s.Start(limit(t))
	if err != nil || string(first) != "n,,n=user,r=rOprNGfwEbeRWgbNEkqO" {
		t.Fatalf("%q, %v", first, err)
	}
	const nonce = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	done, final, err := session.Next(limit(t), []byte(nonce+",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
	if want := "c=biws," + nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="; done || err != nil || string(final) != want {
		t.Fatalf("%v, %q, %v", done, final, err)
	}
	if done, _, err := session.Next(limit(t), []byte("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")); !done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
}

func TestScramDistrustsTheServer(t *testing.T) {
	for name, challenges := range map[string][]string{
		"another nonce":  {"r=evil,s=AAAA,i=4096"},
		"our nonce only": {"r=mine,s=AAAA,i=4096"},
		"no salt":        {"r=mineyours,s=,i=4096"},
		"endless work":   {"r=mineyours,s=AAAA,i=999999999"},
		"no work":        {"r=mineyours,s=AAAA,i=0"},
		"garbage":        {"\x00\xff,,,="},
		"no proof":       {"r=mineyours,s=AAAA,i=1", "v=AAAA"},
		"its own error":  {"r=mineyours,s=AAAA,i=1", "e=invalid-proof"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScram512("user", planted)
			s.nonce = func() string { return "mine" }
			session, _, err := s.Start(limit(t))
			for _, c := range challenges {
				if err != nil {
					t.Fatalf("failed before %q: %v", c, err)
				}
				_, _, err = session.Next(limit(t), []byte(c))
			}
			if err == nil || strings.Contains(err.Error(), planted) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestStrangersAreNamed: what listens there is not always Kafka.
func TestStrangersAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		kind   error
		words  string
	}{
		"HTTP":        {"HTTP/1.1 400 Bad Request\r\n\r\n", probes.ErrProtocol, "HTTP/1.1"},
		"a TLS alert": {"\x15\x03\x03\x00\x02\x02\x46", probes.ErrTLS, "the broker speaks TLS"},
		"silence":     {"", probes.ErrUnreachable, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					conn.Read(make([]byte, 1024))
					conn.Write([]byte(c.answer))
					conn.Close()
				}
			}()
			t.Cleanup(func() { ln.Close(); <-done })
			p := (&bed{addr: ln.Addr().String()}).open(t, nil)
			wantError(t, p.Check(limit(t)), c.kind, c.words)
		})
	}
}

// TestDeniedIsNotUnknown: a user without rights gets told so, and what is left
// out is said.
func TestDeniedIsNotUnknown(t *testing.T) {
	allow := func(kind kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kind, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(1, "orders", "secrets", "seen"),
		kfake.Superuser("SCRAM-SHA-256", "root", "root"),
		kfake.User("PLAIN", "guest", "guest", allow(kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationRead),
			allow(kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationDescribe), allow(kmsg.ACLResourceTypeTopic, "seen", kmsg.ACLOperationDescribe)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	root := newBed(t, c.ListenAddrs()[0], kgo.SASL(kgoscram.Auth{User: "root", Pass: "root"}.AsSha256Mechanism()))
	root.numbered(t, "orders", 1, 0, 3)
	as := func(user, mechanism string) *probe {
		return root.open(t, func(t *probes.Target) {
			t.Auth = probes.Auth{Mechanism: mechanism, Username: user, Password: probes.NewSecret(user)}
		})
	}
	guest := as("guest", "plain")
	if got := read(t, guest, probes.TailQuery{Subject: "orders", From: earliest, Until: latest}); len(got) != 3 {
		t.Errorf("read %d of 3", len(got))
	}
	tailError(t, guest, probes.TailQuery{Subject: "secrets"}, probes.ErrDenied, "permission")
	tailError(t, guest, probes.TailQuery{Subject: "seen", From: earliest}, probes.ErrDenied, "permission")
	_, err = guest.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: "orders"}, Body: []byte("x")})
	wantError(t, err, probes.ErrDenied, "WRITE")
	for _, err := range guest.Discover(limit(t), probes.DiscoverQuery{Subject: "secrets"}) {
		wantError(t, err, probes.ErrDenied, "")
	}
	if s := snapshot(t, guest, probes.DiscoverQuery{}); s.Complete || !strings.Contains(strings.Join(s.Missing, "\n"), "may not describe") {
		t.Errorf("complete %v, missing %q", s.Complete, s.Missing)
	}
	if s := snapshot(t, as("root", "scram-sha-256"), probes.DiscoverQuery{}); !s.Complete {
		t.Errorf("the administrator misses %q", s.Missing)
	}
}

func snapshot(t *testing.T, p *probe, q probes.DiscoverQuery) probes.Snapshot {
	t.Helper()
	for s, err := range p.Discover(limit(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	t.Fatal("no snapshot")
	return probes.Snapshot{}
}

func TestNothingListens(t *testing.T) {
	p := (&bed{addr: probetest.Nowhere}).open(t, nil)
	e := wantError(t, p.Check(limit(t)), probes.ErrUnreachable, "nothing listens there")
	if !probes.Transient(e) {
		t.Error("would not be tried again")
	}
	// One of several suffices.
	p = (&bed{addr: probetest.Nowhere + "," + fakeAddr(t)}).open(t, nil)
	if err := p.Check(limit(t)); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Check(limit(t)); !errors.Is(err, probes.ErrUsage) {
		t.Errorf("after Close: %v", err)
	}
}
