package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certs names the PEM files of an authority made for one instance of a server,
// and of what it signed. The authority's own key is kept nowhere.
type certs struct {
	ca                    string
	serverCert, serverKey string // for 127.0.0.1, ::1 and localhost
	clientCert, clientKey string
}

// certClient is the common name in the client's certificate: servers that take
// the user's name from there see this.
const certClient = "iscope-client"

// certLife is longer than anyone leaves a testbed up.
const certLife = 30 * 24 * time.Hour

// makeCerts writes an authority and two certificates into dir, which must exist.
// Keys are PKCS #8, the one form that Java reads, and may be read by their owner
// alone.
func makeCerts(dir string) (certs, error) {
	c := certs{
		ca:         filepath.Join(dir, "ca.pem"),
		serverCert: filepath.Join(dir, "server.pem"), serverKey: filepath.Join(dir, "server.key"),
		clientCert: filepath.Join(dir, "client.pem"), clientKey: filepath.Join(dir, "client.key"),
	}
	authority := template("iscope testbed authority")
	authority.IsCA, authority.KeyUsage = true, x509.KeyUsageCertSign
	key, err := newKey()
	if err != nil {
		return certs{}, err
	}
	if err := writeCert(c.ca, authority, authority, key, key); err != nil {
		return certs{}, err
	}
	server := template("localhost")
	server.DNSNames = []string{"localhost"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	// For clients too: etcd's JSON gateway calls etcd with the server's certificate.
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if err := issue(c.serverCert, c.serverKey, server, authority, key); err != nil {
		return certs{}, err
	}
	client := template(certClient)
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return c, issue(c.clientCert, c.clientKey, client, authority, key)
}

// addTo tells the tests where the files are that a client needs.
func (c certs) addTo(addresses map[string]string) {
	addresses["ca"], addresses["client_cert"], addresses["client_key"] = c.ca, c.clientCert, c.clientKey
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		// RFC 5280, section 4.1.2.2: positive and unlike any other of this issuer.
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certLife),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func issue(certFile, keyFile string, t, authority *x509.Certificate, signer *ecdsa.PrivateKey) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", der); err != nil {
		return err
	}
	return writeCert(certFile, t, authority, key, signer)
}

func writeCert(file string, t, authority *x509.Certificate, key, signer *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, t, authority, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	return writePEM(file, "CERTIFICATE", der)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
