package httplink

import (
	"context"
	"net/http"
	"net/url"

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
	// HTTP2 is the hint for a server that speaks nothing but HTTP/2 in plain text.
	HTTP2 string
	// Spread says that requests go to several instances, so that no other
	// connection tells what happened on this one.
	Spread bool

	// Life ends with Close.
	Life context.Context
	end  context.CancelFunc
}

// New prepares a link; nothing is sent. Its errors are about the target's
// settings. The mode of HTTP/2 is that of NewTransport.
func New(t probes.Target, base *url.URL, http2 string) (*Link, error) {
	auth, err := CredentialOf(t.Auth)
	if err != nil {
		return nil, err
	}
	rt, err := NewTransport(t.TLS, http2)
	if err != nil {
		return nil, err
	}
	l := &Link{Target: t, Base: base, Auth: auth, HTTP: rt, Plain: "http://", Secure: "https://", HTTP2: "use grpc:// if it is a gRPC server"}
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

// Dress adds what every request of ours carries, and credentials, each unless the
// caller gave one of its own. A nil credential is none.
func (l *Link) Dress(req *http.Request, with ...*Credential) {
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "iscope")
	}
	for _, c := range with {
		if c != nil {
			c.apply(req)
		}
	}
}
