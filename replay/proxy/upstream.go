package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"iscope/probes"
)

// dialTimeout bounds connecting to the upstream. Everything later may take as
// long as client and upstream like.
const dialTimeout = 10 * time.Second

// upstream is where requests go: over HTTP/1.1 or HTTP/2 as the client came.
type upstream struct {
	to     *url.URL
	h1, h2 *http.Transport
}

func newUpstream(to *url.URL, t probes.TLS) (*upstream, error) {
	bad := func(err error) error {
		return &probes.Error{Op: "setting up the proxy", Kind: probes.ErrUsage, Err: err, Hint: "write it as http://host:port or https://host:port"}
	}
	if to == nil || to.Host == "" {
		return nil, bad(fmt.Errorf("no upstream"))
	}
	if to.Scheme != "http" && to.Scheme != "https" {
		return nil, bad(fmt.Errorf("upstream %s: unknown scheme %q", to.Redacted(), to.Scheme))
	}
	t.Enabled = to.Scheme == "https"
	conf, err := t.Config()
	if err != nil {
		return nil, err
	}
	var one, two http.Protocols
	one.SetHTTP1(true)
	if t.Enabled {
		two.SetHTTP1(true) // ALPN decides
		two.SetHTTP2(true)
	} else {
		two.SetUnencryptedHTTP2(true)
	}
	return &upstream{to: to, h1: transport(conf, &one), h2: transport(conf, &two)}, nil
}

func transport(conf *tls.Config, p *http.Protocols) *http.Transport {
	dialer := net.Dialer{Timeout: dialTimeout}
	if conf != nil {
		conf = conf.Clone() // the transport adds its protocols
	}
	// No proxy from the environment, no compression of our own: what is
	// recorded is what would have been on the wire.
	return &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: conf, TLSHandshakeTimeout: dialTimeout,
		Protocols: p, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}
}

func (u *upstream) close() {
	u.h1.CloseIdleConnections()
	u.h2.CloseIdleConnections()
}

// transportFor speaks the client's protocol version.
func (u *upstream) transportFor(r *http.Request) *http.Transport {
	if r.ProtoMajor >= 2 {
		return u.h2
	}
	return u.h1
}

// timing collects when things happened towards the upstream.
type timing struct {
	mu                                         sync.Mutex
	dnsAt, connectAt, tlsAt, wroteAt, answered time.Time
	dns, connect, handshake                    time.Duration
	peer                                       string
}

func (t *timing) trace(ctx context.Context) context.Context {
	at := func(p *time.Time) {
		t.mu.Lock()
		*p = time.Now()
		t.mu.Unlock()
	}
	took := func(d *time.Duration, from *time.Time) {
		t.mu.Lock()
		*d = time.Since(*from)
		t.mu.Unlock()
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { at(&t.dnsAt) },
		DNSDone:              func(httptrace.DNSDoneInfo) { took(&t.dns, &t.dnsAt) },
		ConnectStart:         func(string, string) { at(&t.connectAt) },
		ConnectDone:          func(string, string, error) { took(&t.connect, &t.connectAt) },
		TLSHandshakeStart:    func() { at(&t.tlsAt) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { took(&t.handshake, &t.tlsAt) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { at(&t.wroteAt) },
		GotFirstResponseByte: func() { at(&t.answered) },
		GotConn: func(i httptrace.GotConnInfo) {
			t.mu.Lock()
			t.peer = i.Conn.RemoteAddr().String()
			t.mu.Unlock()
		},
	})
}

// attrs are the phases that took place, and the whole since began.
func (t *timing) attrs(began time.Time) (out []probes.Attr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	add := func(name string, d time.Duration) {
		if d > 0 {
			out = append(out, probes.Attr{Name: name, Value: fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond))})
		}
	}
	if t.peer != "" {
		out = append(out, probes.Attr{Name: probes.AttrPeer, Value: t.peer})
	}
	add(probes.TimingDNS, t.dns)
	add(probes.TimingConnect, t.connect)
	add(probes.TimingTLS, t.handshake)
	if !t.answered.IsZero() {
		from := t.wroteAt
		if from.IsZero() || from.After(t.answered) { // a stream answers while it is being written
			from = began
		}
		add(probes.TimingFirstByte, t.answered.Sub(from))
	}
	add(probes.TimingTotal, time.Since(began))
	return out
}
