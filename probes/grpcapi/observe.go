package grpcapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// phase is how far an attempt to connect has come.
type phase uint8

const (
	resolving phase = iota
	connecting
	handshaking // TLS
	greeting    // waiting for the server's HTTP/2 settings
)

// attempt is what one connection showed of itself. grpc-go reports a failed
// connection as text; the causes and the peer's first bytes are kept here, and
// with them the reason is known instead of guessed.
type attempt struct {
	mu     sync.Mutex
	facts  facts
	settle bool // enough of first is known
}

// facts are an attempt's findings. Durations are zero for phases that did not
// happen.
type facts struct {
	began, lookup     time.Time
	addr              string // host:port or unix:PATH, as it was dialled
	phase             phase
	dns, connect, tls time.Duration
	peer              string // address connected to
	err               error  // of dialling or of the TLS handshake
	lost              error  // of reading or writing, afterwards
	first             []byte // the peer's first bytes after TLS
	tlsVersion        uint16
}

// firstBytes is how much of the peer's greeting is kept: enough for an HTTP/1
// status line, an SSH banner or an HTTP/2 frame header.
const firstBytes = 48

func (a *attempt) set(change func(*facts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.facts)
}

// snapshot returns a copy of what is known now. A nil attempt knows nothing.
func (a *attempt) snapshot() facts {
	if a == nil {
		return facts{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.facts
}

// trace times the name lookup inside net.Dialer.
func (a *attempt) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) {
			a.set(func(f *facts) { f.lookup = time.Now() })
		},
		DNSDone: func(httptrace.DNSDoneInfo) {
			a.set(func(f *facts) { f.dns = time.Since(f.lookup); f.phase = connecting })
		},
		ConnectStart: func(_, _ string) { a.set(func(f *facts) { f.phase = connecting }) },
	})
}

// dial is the link's dialler. It does the name lookup too (the link uses the
// passthrough resolver), so that its errors and its time are seen.
func (l *link) dial(ctx context.Context, addr string) (net.Conn, error) {
	network, to := "tcp", addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, to = "unix", path
	} else if l.set.addr.network == "unix" && !l.set.balanced() {
		network, addr = "unix", l.set.addr.String()
	}
	a := &attempt{facts: facts{began: time.Now(), addr: addr}}
	l.remember(a)
	var d net.Dialer
	conn, err := d.DialContext(a.trace(ctx), network, to)
	a.set(func(f *facts) {
		f.err = err
		if err != nil {
			return
		}
		f.connect = time.Since(f.began) - f.dns
		f.phase, f.peer = greeting, conn.RemoteAddr().String()
		if l.set.tls != nil {
			f.phase = handshaking
		}
	})
	if err != nil {
		return nil, err
	}
	return &dialled{conn, a}, nil
}

// dialled carries the attempt from the dialler to the handshake.
type dialled struct {
	net.Conn
	attempt *attempt
}

// observed wraps transport credentials to time the handshake and to keep its
// error. It also watches plaintext connections: gRPC calls the credentials
// there too.
type observed struct {
	credentials.TransportCredentials
	name string // the certificate must have, "" for the authority
}

func (o observed) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	d, ok := raw.(*dialled)
	if !ok {
		return o.TransportCredentials.ClientHandshake(ctx, authority, raw)
	}
	if o.name != "" {
		authority = o.name
	}
	began := time.Now()
	conn, info, err := o.TransportCredentials.ClientHandshake(ctx, authority, raw)
	d.attempt.set(func(f *facts) {
		if t, ok := info.(credentials.TLSInfo); ok {
			f.tls, f.tlsVersion = time.Since(began), t.State.Version
		}
		if f.err = err; err == nil {
			f.phase = greeting
		}
	})
	if err != nil {
		return nil, nil, err
	}
	return &watched{conn, d.attempt}, info, nil
}

// Info leaves the name out that tls.server_name says: gRPC would insist that the
// authority is the same, and the handshake has it anyway.
func (o observed) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: o.TransportCredentials.Info().SecurityProtocol}
}

// Clone keeps the observer when gRPC copies credentials.
func (o observed) Clone() credentials.TransportCredentials {
	return observed{o.TransportCredentials.Clone(), o.name}
}

// watched notes what the peer says first and how reading ended.
type watched struct {
	net.Conn
	attempt *attempt
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.attempt.note(b[:n], err)
	return n, err
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if err != nil {
		w.attempt.note(nil, err)
	}
	return n, err
}

func (a *attempt) note(b []byte, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// net.ErrClosed is our own doing and explains nothing.
	if err != nil && a.facts.lost == nil && !errors.Is(err, net.ErrClosed) {
		a.facts.lost = err
	}
	if !a.settle {
		room := firstBytes - len(a.facts.first)
		a.facts.first = append(a.facts.first, b[:min(room, len(b))]...)
		a.settle = len(a.facts.first) == firstBytes
	}
}

// isSettings reports whether b starts as every HTTP/2 server must: with a
// SETTINGS frame (RFC 9113, section 3.4).
func isSettings(b []byte) bool { return len(b) >= 4 && b[3] == 0x4 }

// tlsName is "1.3" for tls.VersionTLS13, "" for no TLS.
func (f *facts) tlsName() string {
	if f.tlsVersion == 0 {
		return ""
	}
	const prefix = "TLS "
	return tls.VersionName(f.tlsVersion)[len(prefix):]
}
