package grpcapi

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/protobuf/proto"
)

// webChannel carries gRPC calls over gRPC-Web or Connect. To the rest of the
// driver it is a gRPC channel: health, reflection and calls work as they are.
//
// gRPC-Web: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
// Connect: https://connectrpc.com/docs/protocol
type webChannel struct {
	link     *link
	protocol protocol

	mu        sync.Mutex
	transport *http.Transport // chosen at first use
	broken    bool            // the last request could not be made
	closed    bool
}

var _ channel = (*webChannel)(nil)

func newWebChannel(l *link) (*webChannel, error) {
	return &webChannel{link: l, protocol: l.protocol}, nil
}

// GetState: requests connect when they need to, so a channel is ready until one
// could not.
func (w *webChannel) GetState() connectivity.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return connectivity.Shutdown
	case w.broken:
		return connectivity.TransientFailure
	}
	return connectivity.Ready
}

func (*webChannel) Connect() {}

// WaitForStateChange blocks until ctx ends: nothing watches the connections of
// an HTTP client.
func (*webChannel) WaitForStateChange(ctx context.Context, _ connectivity.State) bool {
	<-ctx.Done()
	return false
}

// Close drops idle connections. Those in use end with their calls.
func (w *webChannel) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.transport != nil {
		w.transport.CloseIdleConnections()
	}
	return nil
}

func (w *webChannel) failed(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = yes
}

// roundTripper returns the transport. Without TLS it first looks whether the
// server speaks HTTP/2, which streams in both directions need.
func (w *webChannel) roundTripper(ctx context.Context) *http.Transport {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.transport == nil {
		var p http.Protocols
		switch {
		case w.link.set.tls != nil:
			p.SetHTTP2(true)
			p.SetHTTP1(true)
		case w.link.set.protocol != protoAuto && w.link.speaksPlaintext(ctx):
			p.SetUnencryptedHTTP2(true)
		default:
			p.SetHTTP1(true)
		}
		w.transport = &http.Transport{
			Protocols: &p, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
			DialContext:    func(ctx context.Context, _, _ string) (net.Conn, error) { return w.link.dialObserved(ctx) },
			DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.dialTLS(ctx) },
		}
	}
	return w.transport
}

// dialObserved connects to the target's address.
func (l *link) dialObserved(ctx context.Context) (net.Conn, error) {
	return l.dial(ctx, l.set.addr.String())
}

// dialTLS shakes hands itself, so that time and failure are seen.
func (w *webChannel) dialTLS(ctx context.Context) (net.Conn, error) {
	raw, err := w.link.dialObserved(ctx)
	if err != nil {
		return nil, err
	}
	d := raw.(*dialled)
	config := w.link.set.tls.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	if config.ServerName == "" {
		config.ServerName = w.link.set.certificateName()
	}
	conn := tls.Client(raw, config)
	began := time.Now()
	err = conn.HandshakeContext(ctx)
	d.attempt.set(func(f *facts) {
		f.tls, f.tlsVersion = time.Since(began), conn.ConnectionState().Version
		if f.err = err; err == nil {
			f.phase = greeting
		}
	})
	if err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// certificateName is whom the server's certificate has to name.
func (s *settings) certificateName() string {
	name := s.serverName()
	if s.tls != nil && s.tls.ServerName != "" {
		name = s.tls.ServerName
	}
	if name == "" {
		return s.addr.host
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		return host
	}
	return name
}

// Invoke makes a unary call.
func (w *webChannel) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := w.NewStream(ctx, &grpc.StreamDesc{}, method, opts...)
	if err != nil {
		return err
	}
	if err := s.SendMsg(args); err != nil && err != io.EOF {
		return err
	}
	return s.RecvMsg(reply)
}

// NewStream starts a call. Its request is made when the first message is sent,
// or when something is to be received.
func (w *webChannel) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	var compression string
	for _, o := range opts {
		if c, ok := o.(grpc.CompressorCallOption); ok {
			compression = c.CompressorType
		}
	}
	t, _ := ctx.Value(timesKey{}).(*times)
	open := func(desc *grpc.StreamDesc) *webStream {
		return &webStream{channel: w, ctx: ctx, desc: desc, method: method, compression: compression, times: t, answered: make(chan struct{})}
	}
	if isReflection(method) {
		return &questions{ctx: ctx, ask: func() *webStream { return open(&grpc.StreamDesc{ServerStreams: true}) }}, nil
	}
	return open(desc), nil
}

// speaks reports whether the server answers in the channel's protocol at all,
// be it with an error.
func (w *webChannel) speaks(ctx context.Context) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := w.link.set.outgoing(ctx, nil)
	if err != nil {
		return false
	}
	s, err := w.NewStream(out, &grpc.StreamDesc{}, "/grpc.health.v1.Health/Check")
	if err != nil {
		return false
	}
	ws := s.(*webStream)
	// How the call ends does not matter, only in which language.
	_ = ws.SendMsg(&wire{})
	_ = ws.RecvMsg(&wire{})
	return ws.spoken
}

// url is where a method is. A socket has no host of its own.
func (w *webChannel) url(method string) string {
	set := w.link.set
	scheme, host := "http", set.addr.dial
	if set.tls != nil {
		scheme = "https"
	}
	if set.addr.network == "unix" {
		host = set.addr.host
	}
	return scheme + "://" + host + "/" + strings.TrimPrefix(method, "/")
}

// marshalAny and unmarshalAny take what calls pass: bytes, or the generated
// messages of health and reflection.
func marshalAny(m any) ([]byte, error) {
	if w, ok := m.(*wire); ok {
		return w.bytes, nil
	}
	return proto.Marshal(m.(proto.Message))
}

func unmarshalAny(b []byte, m any) error {
	if w, ok := m.(*wire); ok {
		w.bytes = b
		return nil
	}
	return proto.Unmarshal(b, m.(proto.Message))
}
