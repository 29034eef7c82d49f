package httplink

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"iscope/probes"
)

var (
	errSpeaksTLS   = errors.New("the server speaks TLS")
	errSpeaksPlain = errors.New("the server answered plain HTTP")
	errSpeaksHTTP1 = errors.New("the server answered HTTP/1.1")
	errSpeaksHTTP2 = errors.New("the server speaks HTTP/2 only")
)

const (
	hintNoH2C      = "remove the option http2: h2c"
	hintClientCert = "the server wants a client certificate: set tls.cert and tls.key"
)

// Explain turns a failure of the transport into an Error that says what
// happened on the wire and what to do next. The context is the request's.
func (l *Link) Explain(ctx context.Context, op string, w *Stopwatch, err error) error {
	var bad *DecodeError
	switch cause := context.Cause(ctx); {
	case errors.As(err, &bad):
		return l.Fail(op, probes.ErrProtocol, bad, "")
	case l.Life.Err() != nil:
		return l.Fail(op, probes.ErrUnreachable, errors.New("the target was closed"), "")
	case errors.Is(cause, context.DeadlineExceeded):
		return l.Fail(op, probes.ErrTimeout, l.deadline(cause, w), "set a longer timeout, or look at what the server waits for")
	case cause != nil:
		return l.Fail(op, nil, context.Canceled, "")
	}
	if e := l.explainTLS(op, err); e != nil {
		return e
	}
	if !w.Answered() && (hungUp(err) || spokeFirst(err)) && w.at(l.Base) == HostPort(l.Base) && !l.Spread {
		if e := l.explainHangUp(ctx, op); e != nil {
			return e
		}
	}
	if e := l.explainProtocol(op, err); e != nil {
		return e
	}
	return l.explainNetwork(op, w, err)
}

// SpeaksTLS is the error of plain HTTP sent to a TLS port.
func (l *Link) SpeaksTLS(op string) error {
	return l.Fail(op, probes.ErrTLS, errSpeaksTLS, "the server speaks TLS: use "+l.Secure)
}

// deadline words a timeout: how long we waited and for what.
func (l *Link) deadline(cause error, w *Stopwatch) error {
	after := time.Since(w.start).Round(time.Millisecond)
	var limit *timeLimit
	if errors.As(cause, &limit) {
		after = limit.after
	}
	return fmt.Errorf("timed out: no complete answer from %s within %v (%s)", w.at(l.Base), after, w.Phase())
}

func (l *Link) explainTLS(op string, err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	fail := func(cause error, hint string) error { return l.Fail(op, probes.ErrTLS, cause, hint) }
	switch {
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return fail(errSpeaksPlain, "the server answered plain HTTP: use "+l.Plain)
	case errors.As(err, &unknown) && unknown.Cert != nil:
		c := unknown.Cert
		return fail(fmt.Errorf("the certificate of %q, issued by %q, valid until %s, is signed by an unknown authority",
			c.Subject, c.Issuer, c.NotAfter.Format(time.DateOnly)), "name its CA in tls.ca")
	case errors.As(err, &name) && name.Certificate != nil:
		return fail(fmt.Errorf("the certificate is for %s, not for %s", certNames(name.Certificate), name.Host),
			"set tls.server_name if that is the right server")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return fail(fmt.Errorf("the certificate is valid from %s to %s only",
			invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly)), "renew it, or check this machine's clock")
	case errors.As(err, &record):
		return fail(fmt.Errorf("the server speaks no TLS: it answered %q", record.RecordHeader[:]), "use "+l.Plain+" if it is an HTTP server")
	case strings.Contains(err.Error(), "certificate required"), strings.Contains(err.Error(), "tls: bad certificate"):
		return fail(err, hintClientCert)
	case probes.KindOfCause(err) == probes.ErrTLS:
		return fail(err, "")
	}
	return nil
}

func certNames(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return fmt.Sprintf("%q", c.Subject)
	}
	return strings.Join(names, ", ")
}

// explainProtocol recognises peers that are no HTTP server, or one of another
// version. net/http reports them as text only.
func (l *Link) explainProtocol(op string, err error) error {
	text := err.Error()
	fail := func(cause error, hint string) error { return l.Fail(op, probes.ErrProtocol, cause, hint) }
	switch {
	case spokeFirst(err):
		return fail(errors.New("this does not look like an HTTP server: it spoke before it was asked"), "check the port")
	case strings.Contains(text, "looked like an HTTP/1.1 header"):
		return fail(errSpeaksHTTP1, hintNoH2C)
	case strings.Contains(text, "malformed HTTP"):
		said := text[max(0, strings.IndexByte(text, '"')):]
		switch {
		case strings.HasPrefix(said, `"\x15\x03`): // a TLS alert record
			return l.SpeaksTLS(op)
		case strings.HasPrefix(said, `"\x00\x00`) && strings.Contains(said, `\x04`): // an HTTP/2 SETTINGS frame
			return fail(errSpeaksHTTP2, l.HTTP2)
		}
		return fail(fmt.Errorf("this does not look like an HTTP server: it answered %s", said), "check the port")
	case strings.Contains(text, "server response headers exceeded"):
		return fail(err, "")
	case strings.Contains(text, "http2: "), strings.Contains(text, "stream error: "), strings.Contains(text, "bad record MAC"):
		return fail(err, "")
	}
	return nil
}

func (l *Link) explainNetwork(op string, w *Stopwatch, err error) error {
	var dns *net.DNSError
	fail := func(cause error, hint string) error { return l.Fail(op, probes.ErrUnreachable, cause, hint) }
	at := w.tried(l.Base)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fail(fmt.Errorf("no such host %q", dns.Name), "names inside a cluster need the cluster's DNS")
	case errors.As(err, &dns):
		return fail(fmt.Errorf("looking up %q: %s", dns.Name, dns.Err), "")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(fmt.Errorf("nothing listens on %s (connection refused)", at), "check the port, or start the server")
	case !w.Answered() && hungUp(err):
		return fail(fmt.Errorf("%s closed the connection without an answer: %w", at, err), "")
	}
	kind := probes.KindOfCause(err)
	if kind == nil {
		kind = probes.ErrUnreachable
	}
	return l.Fail(op, kind, err, "")
}

// hungUp recognises a peer that closed or reset the connection.
func hungUp(err error) bool {
	return probes.KindOfCause(err) == probes.ErrUnreachable && !errors.Is(err, syscall.ECONNREFUSED) ||
		strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "server closed idle connection") ||
		strings.Contains(err.Error(), "client conn could not be established")
}

// spokeFirst recognises a peer that sent something before it had a request:
// net/http has closed the connection then, and reports it as text only.
func spokeFirst(err error) bool { return strings.Contains(err.Error(), "readLoopPeekFailLocked") }

// IsTLSMixUp recognises the answer of a TLS server that understood plain HTTP
// well enough to complain: Go's and nginx's texts.
func IsTLSMixUp(resp *http.Response, body []byte) bool {
	return resp.StatusCode == http.StatusBadRequest && resp.TLS == nil && len(body) < 1<<10 &&
		(bytes.Contains(body, []byte("HTTP request to an HTTPS server")) ||
			bytes.Contains(body, []byte("plain HTTP request was sent to HTTPS port")))
}
