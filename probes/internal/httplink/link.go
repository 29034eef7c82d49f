package httplink

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"iscope/probes"
)

// Link is the way to one HTTP server. It connects lazily, and its methods are
// safe for concurrent use.
type Link struct {
	Target probes.Target
	Base   *url.URL // scheme http or https, host, path
	HTTP   *http.Transport
	Auth   *Credential // nil without one

	// Plain and Secure are the URL schemes that hints name, "http://" and
	// "https://" unless set.
	Plain, Secure string

	// Life ends with Close.
	Life context.Context
	end  context.CancelFunc
}

// New prepares a link; nothing is sent. Its errors are about the target's
// settings.
func New(t probes.Target, base *url.URL) (*Link, error) {
	auth, err := CredentialOf(t.Auth)
	if err != nil {
		return nil, err
	}
	conf, err := t.TLS.Config()
	if err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	dialer := &net.Dialer{KeepAlive: 30 * time.Second}
	l := &Link{Target: t, Base: base, Auth: auth, Plain: "http://", Secure: "https://", HTTP: &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        conf,
		Protocols:              &protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}}
	l.Life, l.end = context.WithCancel(context.Background())
	return l, nil
}

// Close cuts off what is under way and drops idle connections.
func (l *Link) Close() {
	l.end()
	l.HTTP.CloseIdleConnections()
}

// End cuts off what is under way. Close does too; End alone leaves connections
// to those who still wind down.
func (l *Link) End() { l.end() }

// Fail makes an Error about this target.
func (l *Link) Fail(op string, kind, err error, hint string) error {
	return &probes.Error{Target: l.Target.Name, Op: op, Kind: kind, Err: err, Hint: hint}
}

// Dress adds what every request of ours carries.
func (l *Link) Dress(req *http.Request) {
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "iscope")
	}
	if l.Auth != nil && req.Header.Get(l.Auth.Name) == "" {
		req.Header.Set(l.Auth.Name, l.Auth.Value.Reveal())
	}
}

// HostPort is the address of a URL, the scheme's default port made explicit.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
