package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"strings"
	"testing"
)

// TestCertsServeBothSides: a server and a client with these files trust each
// other, under each name that the server is reached by.
func TestCertsServeBothSides(t *testing.T) {
	c, err := makeCerts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server, client := sides(t, c)
	for _, name := range []string{"127.0.0.1", "::1", "localhost"} {
		client.ServerName = name
		seen, err := shake(t, server, client)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := seen.PeerCertificates[0].Subject.CommonName; got != certClient {
			t.Errorf("%s: the client's name is %q", name, got)
		}
	}
	client.ServerName = "kafka.example"
	if _, err := shake(t, server, client); err == nil {
		t.Error("trusted under another name")
	}
}

// TestCertsOfAnotherInstance: each instance has an authority of its own, which
// is what tests of refused certificates rely on.
func TestCertsOfAnotherInstance(t *testing.T) {
	ours, err := makeCerts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := makeCerts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server, _ := sides(t, ours)
	_, stranger := sides(t, theirs)
	if _, err := shake(t, server, stranger); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("the client accepts another authority's server: %v", err)
	}
	stranger.InsecureSkipVerify = true
	if _, err := shake(t, server, stranger); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("the server accepts another authority's client: %v", err)
	}
}

func TestCertFiles(t *testing.T) {
	c, err := makeCerts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for file, kind := range map[string]string{c.ca: "CERTIFICATE", c.serverCert: "CERTIFICATE", c.clientCert: "CERTIFICATE",
		c.serverKey: "PRIVATE KEY", c.clientKey: "PRIVATE KEY"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block, rest := pem.Decode(content)
		if block == nil || block.Type != kind || len(rest) != 0 {
			t.Errorf("%s is not one block %q", file, kind)
			continue
		}
		if kind == "PRIVATE KEY" {
			if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
	}
	if _, err := makeCerts(t.TempDir() + "/nowhere"); err == nil {
		t.Error("writes into a folder that is not there")
	}
}

func sides(t *testing.T, c certs) (server, client *tls.Config) {
	t.Helper()
	authority, err := os.ReadFile(c.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		t.Fatal("no certificate in ", c.ca)
	}
	serverPair, err := tls.LoadX509KeyPair(c.serverCert, c.serverKey)
	if err != nil {
		t.Fatal(err)
	}
	clientPair, err := tls.LoadX509KeyPair(c.clientCert, c.clientKey)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{serverPair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert},
		&tls.Config{Certificates: []tls.Certificate{clientPair}, RootCAs: pool, ServerName: "localhost"}
}

// shake returns what the server knows of the client, or the first refusal.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := net.Pipe()
	s := tls.Server(far, server)
	done := make(chan error, 1)
	go func() {
		done <- s.HandshakeContext(t.Context())
		far.Close()
	}()
	err := tls.Client(near, client).HandshakeContext(t.Context())
	near.Close()
	if serverErr := <-done; err == nil {
		err = serverErr
	}
	return s.ConnectionState(), err
}
