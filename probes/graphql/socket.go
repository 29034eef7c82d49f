package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// noSocket says that a server has no WebSocket for subscriptions here.
type noSocket struct {
	status int
	why    string
}

func (n *noSocket) Error() string { return n.why }

func (n *noSocket) kind() error {
	switch n.status {
	case http.StatusUnauthorized:
		return probes.ErrAuth
	case http.StatusForbidden:
		return probes.ErrDenied
	}
	return probes.ErrUnsupported
}

// message is one message of either sub-protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket subscribes over a WebSocket and records the answers. A *noSocket means
// that there is none, and nothing has been recorded.
func (x *exchange) socket(limited *httplink.Bounded) error {
	conn, err := x.dial(limited)
	if err != nil {
		return err
	}
	s := &socket{conn: conn, legacy: conn.Subprotocol() == protocolLegacy}
	x.protocol = conn.Subprotocol()
	// A read whose context ends takes the connection with it. The context of ours
	// outlives the caller's for the one message that says we leave.
	left := make(chan struct{})
	stop := context.AfterFunc(limited, func() { defer close(left); s.leave() })
	defer func() {
		if !stop() {
			<-left
		}
		s.leave()
	}()
	if err := s.begin(x); err != nil {
		return x.broken(limited, err)
	}
	if x.in.Deadline <= 0 {
		limited.Lift() // the target's timeout bounds requests, not streams
	}
	if err := x.subscribed(s); err != nil {
		return err
	}
	return x.listen(limited, s)
}

// dial opens the WebSocket, offering both sub-protocols.
func (x *exchange) dial(ctx context.Context) (*websocket.Conn, error) {
	u := *x.url
	u.Scheme = "ws" + strings.TrimPrefix(u.Scheme, "http")
	if path := x.p.ways.path; path != "" {
		u.Path, u.RawPath = path, ""
	}
	req, err := x.handshake(ctx, &u)
	if err != nil {
		return nil, err
	}
	x.watch = httplink.NewStopwatch()
	conn, resp, err := websocket.Dial(x.watch.Watch(ctx, httplink.HostPort(x.p.link.Base)), u.String(), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: x.p.link.HTTP, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		HTTPHeader: req.Header, Host: req.Host, Subprotocols: []string{protocolWS, protocolLegacy}})
	switch {
	case err != nil && resp == nil:
		return nil, x.p.link.Explain(ctx, x.op(), x.watch, err)
	case err != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, &noSocket{resp.StatusCode, "the server answered " + httplink.StatusText(resp.StatusCode)}
	case err != nil:
		return nil, &noSocket{resp.StatusCode, err.Error()}
	case conn.Subprotocol() == "":
		conn.CloseNow()
		return nil, &noSocket{resp.StatusCode, "the server chose neither " + protocolWS + " nor " + protocolLegacy}
	}
	conn.SetReadLimit(httplink.KeepAll)
	x.resp, x.url = resp, &u
	return conn, nil
}

// handshake is the request that opens the WebSocket, as far as it is ours.
func (x *exchange) handshake(ctx context.Context, u *url.URL) (*http.Request, error) {
	header, host, err := httplink.HeaderOf(x.in.Header)
	if err != nil {
		return nil, x.p.link.Fail(x.op(), probes.ErrUsage, err, "nothing was sent")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, x.p.link.Fail(x.op(), probes.ErrUsage, err, "")
	}
	req.Header, req.Host = header, host
	x.p.link.Dress(req, x.p.link.Auth)
	return req, nil
}

// subscribed records the request and sends it.
func (x *exchange) subscribed(s *socket) error {
	req, err := x.handshake(context.Background(), x.url)
	if err != nil {
		return err
	}
	if err := x.requested(req.Header, req); err != nil {
		return err
	}
	// A failure to write shows in the read that follows, with its reason.
	_ = s.subscribe(x.plan.payload())
	return nil
}

// listen records answers until the subscription ends.
func (x *exchange) listen(limited *httplink.Bounded, s *socket) error {
	for first := true; ; {
		m, size, err := s.read()
		if err != nil {
			return x.broken(limited, err)
		}
		switch m.Type {
		case "next", "data":
			body, cut := x.limit(m.Payload)
			if err := x.part(body, cut, size-int(cut), first, false); err != nil {
				return err
			}
			first = false
		case "error":
			s.over()
			body, cut := x.limit(errorBody(m.Payload))
			if err := x.part(body, cut, size-int(cut), first, false); err != nil {
				return err
			}
			x.watch.Ended()
			return x.end()
		case "complete":
			s.over()
			x.watch.Ended()
			return x.end()
		}
	}
}

// limit keeps as much of a body as was asked for.
func (x *exchange) limit(body []byte) ([]byte, int64) {
	if x.in.MaxBody <= 0 || len(body) <= x.in.MaxBody {
		return body, 0
	}
	return body[:x.in.MaxBody], int64(len(body) - x.in.MaxBody)
}

// errorBody makes an answer of an error message: a list of errors, or in the
// older protocol one.
func errorBody(payload json.RawMessage) []byte {
	if len(payload) == 0 || payload[0] != '[' {
		payload = json.RawMessage("[" + string(payload) + "]")
	}
	return []byte(`{"errors":` + string(payload) + "}")
}

// broken words the end of a WebSocket before that of its subscription.
func (x *exchange) broken(ctx context.Context, err error) error {
	if context.Cause(ctx) != nil || x.p.link.Life.Err() != nil {
		return x.p.link.Explain(ctx, x.op(), x.watch, err)
	}
	var known *refused
	if errors.As(err, &known) {
		return x.p.link.Fail(x.op(), probes.ErrDenied, known, "check the target's auth: it is the payload of connection_init")
	}
	after := ", after " + counted(x.answers, "answer")
	code := websocket.CloseStatus(err)
	if code == -1 {
		if errors.Is(err, errBadMessage) {
			return x.p.link.Fail(x.op(), probes.ErrProtocol, fmt.Errorf("%w%s", err, after), "")
		}
		return x.p.link.Fail(x.op(), probes.ErrUnreachable, fmt.Errorf("the connection broke%s: %w", after, err), "")
	}
	var closed websocket.CloseError
	errors.As(err, &closed)
	kind, hint := probes.ErrUnreachable, ""
	switch code {
	case 4401:
		kind, hint = probes.ErrAuth, "check the target's auth: it is the payload of connection_init"
	case 4403:
		kind, hint = probes.ErrDenied, "check the target's auth: it is the payload of connection_init"
	case 4400, 4406, 4408, 4409, 4429, websocket.StatusProtocolError, websocket.StatusUnsupportedData:
		kind = probes.ErrProtocol
	case websocket.StatusMessageTooBig:
		kind = probes.ErrLimit
	}
	return x.p.link.Fail(x.op(), kind, fmt.Errorf("the server closed the WebSocket with %d %q%s", int(code), closed.Reason, after), hint)
}

// goodbye bounds how long the last message may take.
const goodbye = 500 * time.Millisecond
