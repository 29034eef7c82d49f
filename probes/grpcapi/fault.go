package grpcapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"iscope/probes"
)

// connectError says why the link is not connected, from what was seen of its
// newest connection.
func (l *link) connectError(ctx context.Context, op string) error {
	f := l.facts()
	if err := l.set.ended(ctx, op, l.progress(&f)); err != nil {
		return err
	}
	kind, cause := l.diagnose(ctx, &f)
	return l.set.fail(op, kind, cause)
}

func (l *link) diagnose(ctx context.Context, f *facts) (kind, cause error) {
	switch {
	case f.err != nil && f.phase == handshaking:
		return l.handshakeFault(ctx, f.err)
	case f.err != nil:
		return l.dialFault(f.err)
	case f.phase == greeting:
		return l.greetingFault(ctx, f)
	default:
		return probes.ErrUnreachable, errors.New("the connection failed")
	}
}

// progress tells, for a timeout, how far connecting had come.
func (l *link) progress(f *facts) string {
	switch {
	case f.began.IsZero():
		return ""
	case f.phase == resolving:
		return "still looking up " + l.set.addr.host
	case f.phase == connecting:
		return "no answer from " + l.where() + " (a firewall that drops packets?)"
	case f.phase == handshaking:
		return fmt.Sprintf("connected in %s, but the TLS handshake did not finish", short(f.connect))
	case !isSettings(f.first):
		return fmt.Sprintf("connected in %s, but the peer sent no HTTP/2 settings: wrong port, or a proxy holding the connection",
			short(f.connect+f.tls))
	}
	return ""
}

func short(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }

func (l *link) dialFault(err error) (kind, cause error) {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return probes.ErrUnreachable, hinted(fmt.Errorf("no address found for host %q: %w", dns.Name, err),
			"check the name; names of Kubernetes services exist only inside the cluster")
	case errors.Is(err, syscall.ECONNREFUSED):
		return probes.ErrUnreachable, hinted(fmt.Errorf("nothing listens on %s: %w", l.where(), err),
			"start the server, or check the port")
	}
	if kind = probes.KindOfCause(err); kind == nil {
		kind = probes.ErrUnreachable
	}
	return kind, err
}

func (l *link) handshakeFault(ctx context.Context, err error) (kind, cause error) {
	var header tls.RecordHeaderError
	var unverified *tls.CertificateVerificationError
	switch {
	case errors.As(err, &header) && bytes.HasPrefix(header.RecordHeader[:], []byte("HTTP")):
		return probes.ErrTLS, hinted(errors.New("this is a plaintext HTTP/1 server"), "it is no gRPC server; try http://"+l.where())
	case errors.As(err, &header):
		return probes.ErrTLS, hinted(fmt.Errorf("the server is plaintext: %w", err), "use grpc://"+l.where())
	case errors.As(err, &unverified):
		return probes.ErrTLS, l.certificateFault(unverified)
	case strings.Contains(err.Error(), "ALPN"), strings.Contains(err.Error(), "no application protocol"):
		return probes.ErrProtocol, hinted(httpOnly{fmt.Errorf("the server speaks TLS but does not offer HTTP/2: %w", err)},
			l.noServer("https://"))
	case closedEarly(err):
		if l.speaksPlaintext(ctx) {
			return probes.ErrTLS, hinted(errors.New("the server is plaintext"), "use grpc://"+l.where())
		}
		return probes.ErrTLS, hinted(fmt.Errorf("the peer closed the connection during the TLS handshake: %w", err),
			"it may be no TLS server, or refuse this client")
	}
	return probes.ErrTLS, hinted(err, l.alertHint(err))
}

// certificateFault shows of the peer's certificate what is needed to decide.
func (l *link) certificateFault(e *tls.CertificateVerificationError) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var text string
	if len(e.UnverifiedCertificates) > 0 {
		c := e.UnverifiedCertificates[0]
		text = fmt.Sprintf(" (certificate of %q, issued by %q, valid until %s)",
			c.Subject, c.Issuer, c.NotAfter.UTC().Format("2006-01-02 15:04 MST"))
	}
	err := fmt.Errorf("%w%s", e, text)
	switch {
	case errors.As(e, &unknown):
		return hinted(err, "set tls.ca to the PEM file of the authority that issued it")
	case errors.As(e, &name):
		return hinted(err, "set tls.server_name to a name in the certificate: "+strings.Join(sans(name.Certificate), ", "))
	}
	return err
}

func sans(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

// greetingFault is about a peer that was reached but did not open with HTTP/2.
func (l *link) greetingFault(ctx context.Context, f *facts) (kind, cause error) {
	isHTTP1 := bytes.HasPrefix(f.first, []byte("HTTP/1."))
	alertRecord := len(f.first) >= 2 && f.first[0] == 0x15 && f.first[1] == 0x3
	nothing := len(f.first) == 0
	if l.set.tls == nil && (alertRecord || (nothing || isHTTP1) && l.speaksTLS(ctx)) {
		return probes.ErrTLS, hinted(errors.New("the server speaks TLS"), "use grpcs://"+l.where())
	}
	switch {
	case isHTTP1:
		scheme := "http://"
		if l.set.tls != nil {
			scheme = "https://"
		}
		return probes.ErrProtocol, hinted(httpOnly{fmt.Errorf("this is an HTTP/1 server: it answered %q", firstLine(f.first))},
			l.noServer(scheme))
	case nothing && l.set.tls != nil:
		if alert := l.refusal(ctx, f.lost); alert != nil {
			return probes.ErrTLS, hinted(alert, l.alertHint(alert))
		}
		fallthrough
	case nothing:
		return probes.ErrUnreachable, hinted(fmt.Errorf("the peer closed the connection at once: %w", orEOF(f.lost)),
			"it may not be a gRPC server, or it may be shutting down")
	case !isSettings(f.first):
		return probes.ErrProtocol, hinted(fmt.Errorf("the peer does not speak HTTP/2: it sent %q", f.first), "check the port")
	}
	return probes.ErrUnreachable, fmt.Errorf("the connection was lost: %w", orEOF(f.lost))
}

// noServer is the advice for a peer that speaks HTTP only.
func (l *link) noServer(scheme string) string {
	hint := "it is no gRPC server; try " + scheme + l.where()
	if l.set.protocol == protoAuto {
		return hint + " (gRPC-Web and Connect were tried, too: set the option " + optProtocol + " if it is one of them)"
	}
	return hint
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\r\n")
	return line
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

func closedEarly(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// alertHint explains the alerts by which a server refuses a client. crypto/tls
// exposes them as text only.
func (l *link) alertHint(err error) string {
	s := err.Error()
	switch {
	case strings.Contains(s, "certificate required") && len(l.set.tls.Certificates) > 0:
		return "check that the server accepts the authority that issued tls.cert"
	case strings.Contains(s, "certificate required"):
		return "the server wants a client certificate: set tls.cert and tls.key"
	case strings.Contains(s, "bad certificate"), strings.Contains(s, "unknown certificate authority"),
		strings.Contains(s, "unknown certificate"):
		return "the server does not accept the client certificate: check tls.cert and tls.key"
	}
	return ""
}
