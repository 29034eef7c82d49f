package rabbitmq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// heartbeat is how often both sides say that they live; three missed ones end
// the connection.
const heartbeat = 10 * time.Second

// farewell bounds the closing handshake: leaving must not hang.
const farewell = 500 * time.Millisecond

// link is one AMQP connection. Its calls have deadlines and can be cancelled,
// which the library's cannot: both close the connection.
type link struct {
	conn    *amqp.Connection
	wire    *wire
	addr    string
	timeout time.Duration
	closed  chan *amqp.Error // why the library closed, once

	watching sync.WaitGroup // the goroutine that listens for blocking

	mu  sync.Mutex
	why *amqp.Error
	// blocked is why the broker takes no publications; "" if it does.
	blocked string
}

// connect opens a connection that the broker's lists show under the given name.
func (p *probe) connect(ctx context.Context, name string) (*link, error) {
	ctx, stop := context.WithTimeout(ctx, p.target.RequestTimeout())
	defer stop()
	tcp, addr, err := dialTCP(ctx, p.set.hosts)
	if err != nil {
		return nil, ended(ctx, err)
	}
	release := context.AfterFunc(ctx, func() { tcp.Close() })
	defer release()
	conn := tcp
	if p.set.tls != nil {
		if conn, err = p.secure(ctx, tcp, addr); err != nil {
			tcp.Close()
			return nil, ended(ctx, err)
		}
	}
	l := &link{addr: addr, timeout: p.target.RequestTimeout(), closed: make(chan *amqp.Error, 1), wire: newWire(conn)}
	l.conn, err = amqp.Open(l.wire, amqp.Config{SASL: p.set.sasl, Vhost: p.set.vhost, Heartbeat: heartbeat, FrameSize: 131072,
		Locale: "en_US", Properties: amqp.Table{"product": "iscope", "connection_name": name}})
	if err != nil {
		l.wire.Close()
		return nil, ended(ctx, p.refused(ctx, l, err))
	}
	l.conn.NotifyClose(l.closed)
	blocks := l.conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	l.watching.Go(func() { l.listen(blocks) })
	return l, nil
}

// ended prefers the context's end over what it caused.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("connecting: %w", ctx.Err())
	}
	return err
}

func (p *probe) secure(ctx context.Context, raw net.Conn, addr string) (net.Conn, error) {
	config := p.set.tls.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr) // addresses has checked it
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		var header tls.RecordHeaderError
		if errors.As(err, &header) {
			return nil, &fault{kind: probes.ErrTLS, err: fmt.Errorf("no TLS handshake: %w", err),
				hint: "the broker speaks plaintext on this port: use amqp://, or the port of its TLS listener (5671)"}
		}
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return conn, nil
}

// refused explains why the broker did not open the connection.
func (p *probe) refused(ctx context.Context, l *link, err error) error {
	first, cause := l.wire.broke()
	var e *amqp.Error
	switch {
	case len(first) > 1 && first[0] == 0x15 && first[1] == 0x03, // a TLS alert
		cause != nil && isGone(cause) && len(first) == 0 && p.set.tls == nil && speaksTLS(ctx, l.addr):
		return &fault{kind: probes.ErrTLS, err: errors.New("the broker does not take plaintext"), hint: hintUseTLS}
	case len(first) >= 4 && string(first[:4]) == "HTTP":
		return &fault{kind: probes.ErrProtocol, err: errors.New("the peer speaks HTTP"),
			hint: "that may be the management port; AMQP is on 5672, with TLS on 5671"}
	case len(first) >= 4 && string(first[:4]) == "AMQP":
		return &fault{kind: probes.ErrProtocol, err: fmt.Errorf("the peer speaks another AMQP than 0-9-1: % x", first)}
	case errors.As(err, &e) && e.Server && e.Code == amqp.NotAllowed:
		return p.vhostFault(e)
	case errors.As(err, &e) && e.Server && containsFold(e.Reason, "is down"): // a vhost of a broker that starts
		return &fault{kind: probes.ErrUnreachable, err: brokerSays(e), hint: "if the broker is not just starting: rabbitmqctl restart_vhost"}
	case errors.Is(err, amqp.ErrSASL):
		return &fault{kind: probes.ErrAuth, err: errors.New("the broker takes none of the SASL mechanisms we have"), hint: hintMechanism}
	case errors.Is(err, amqp.ErrCredentials) && (cause == nil || isGone(cause)), errors.As(err, &e) && e.Server && e.Code == amqp.AccessRefused:
		return p.loginFault()
	case errors.Is(err, amqp.ErrVhost) && isGone(cause):
		return fmt.Errorf("opening vhost %q: %w", p.set.vhost, errGone)
	case cause != nil && isGone(cause) && len(first) == 0 && p.set.tls == nil:
		return &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("%w before it said anything", errGone), hint: hintSilent}
	}
	return l.cause(err)
}

const (
	hintUseTLS    = "the broker speaks TLS on this port: use amqps:// or set tls for the target"
	hintMechanism = "EXTERNAL needs the plugin rabbitmq_auth_mechanism_ssl; else set a username and a password"
	hintLogin     = "check username and password; guest may log in from the broker's own machine only"
	hintExternal  = "the certificate's name (common name, or distinguished name: ssl_cert_login_from) must be a user of the broker"
	hintSilent    = "is that the port of another protocol? AMQP is on 5672, with TLS on 5671"
)

func (p *probe) loginFault() error {
	f := &fault{kind: probes.ErrAuth, err: errors.New("the broker refused the login"), hint: hintLogin}
	if _, external := p.set.sasl[0].(*amqp.ExternalAuth); external {
		f.err, f.hint = errors.New("the broker refused the login by certificate"), hintExternal
	}
	return f
}

// vhostFault words NOT_ALLOWED, which has several reasons.
func (p *probe) vhostFault(e *amqp.Error) error {
	f := &fault{kind: probes.ErrDenied, err: brokerSays(e), hint: "the user needs permissions on the vhost: rabbitmqctl set_permissions -p VHOST USER …"}
	if containsFold(e.Reason, "not found") {
		f.kind, f.hint = probes.ErrNotFound, "the vhost is the URL's path (amqp://host/vhost; / is %2f) or the option vhost"
	}
	if containsFold(e.Reason, "limit") {
		f.kind, f.hint = probes.ErrLimit, "close connections, or have the limit raised"
	}
	return f
}

// call runs one exchange with the broker within the timeout.
func (l *link) call(ctx context.Context, f func() error) error {
	ctx, stop := context.WithTimeout(ctx, l.timeout)
	defer stop()
	release := context.AfterFunc(ctx, func() { l.wire.kill(ctx.Err()) })
	err := f()
	if !release() && ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	return l.cause(err)
}

// channel opens a channel.
func (l *link) channel(ctx context.Context) (ch *amqp.Channel, err error) {
	err = l.call(ctx, func() error { ch, err = l.conn.Channel(); return err })
	return ch, err
}

// cause replaces the library's word for a dead connection by the reason.
func (l *link) cause(err error) error {
	var e *amqp.Error
	if err == nil || !errors.As(err, &e) || e.Server {
		return err
	}
	select {
	case why, ok := <-l.closed:
		if ok {
			l.mu.Lock()
			l.why = why
			l.mu.Unlock()
		}
	default:
	}
	l.mu.Lock()
	why := l.why
	l.mu.Unlock()
	if why != nil && why.Server {
		return why
	}
	if _, broken := l.wire.broke(); broken != nil {
		if isGone(broken) {
			return fmt.Errorf("%w: %w", errGone, broken)
		}
		return broken
	}
	return err
}

// listen keeps what the broker says of blocking; the library's reader would wait
// for a listener that does not listen. It ends with the connection.
func (l *link) listen(blocks <-chan amqp.Blocking) {
	for b := range blocks {
		l.mu.Lock()
		if l.blocked = ""; b.Active {
			l.blocked = b.Reason
		}
		l.mu.Unlock()
	}
}

func (l *link) blockedBy() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocked
}

// close says goodbye, briefly. What is exclusive to the connection goes with it.
func (l *link) close() {
	timer := time.AfterFunc(farewell, func() { l.wire.Close() })
	defer timer.Stop()
	l.conn.Close() // it is closed whatever this returns
	l.wire.Close()
	l.watching.Wait()
}

// lingering is a context that ends a little after ctx does: a call that is under
// way may still be answered, where cancelling it would cost the connection.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	var mu sync.Mutex
	unhook := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(farewell, cancel)
	})
	return out, func() {
		unhook()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
	}
}
