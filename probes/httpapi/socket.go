package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

const switchingProtocols = http.StatusSwitchingProtocols

const (
	attrMessage     = "iscope.websocket.message" // "text" or "binary"
	attrCloseCode   = "iscope.websocket.close.code"
	attrCloseReason = "iscope.websocket.close.reason"
)

// farewell is how long a peer may take to answer a close frame.
const farewell = time.Second

// converse opens a WebSocket (RFC 6455), sends the caller's documents as they
// come and records the messages that arrive until either side closes. There is
// no half-close: when the documents end, we go on listening.
func (x *exchange) converse(limited *httplink.Bounded) error {
	if !x.emit(x.request()) {
		return errLeft
	}
	conn, err := x.dialSocket(limited)
	if conn == nil {
		return err
	}
	if x.in.Deadline <= 0 {
		limited.Lift()
	}
	rec := x.response()
	rec.Header = httplink.Fields(x.resp.Header)
	if !x.emit(rec) {
		conn.CloseNow()
		return errLeft
	}
	return x.talk(limited, conn)
}

// dialSocket makes the handshake. A nil connection without an error is a server
// that answered with something else, which is recorded.
func (x *exchange) dialSocket(limited *httplink.Bounded) (*websocket.Conn, error) {
	rt, err := x.p.sockets()
	if err != nil {
		return nil, x.p.Fail(x.op(), probes.ErrUsage, err, "")
	}
	header := x.req.Header.Clone()
	var offered []string
	for _, v := range header.Values("Sec-Websocket-Protocol") {
		for _, name := range strings.Split(v, ",") {
			offered = append(offered, strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Sec-Websocket-Protocol", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions"} {
		header.Del(name)
	}
	x.watch = httplink.NewStopwatch()
	traced := x.watch.Attach(x.req)
	conn, resp, err := websocket.Dial(traced.Context(), x.req.URL.String(), &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		HTTPHeader: header, Host: x.req.Host, Subprotocols: offered})
	x.resp = resp
	switch {
	case err == nil:
		return conn, nil
	case resp == nil:
		var sent *url.Error // its text repeats the URL, which may hold a key
		if errors.As(err, &sent) {
			err = sent.Err
		}
		return nil, x.p.Explain(x.req.Context(), x.op(), x.watch, err)
	case resp.StatusCode == switchingProtocols:
		return nil, x.p.Fail(x.op(), probes.ErrProtocol, err, "")
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if err := x.answer(); err != nil {
		return nil, err
	}
	end := x.ending()
	if end.Err == "" {
		end.Err = "the server did not open a WebSocket"
	}
	if !x.emit(end) {
		return nil, errLeft
	}
	return nil, nil
}

// happening is something that one of a conversation's goroutines has seen.
type happening struct {
	rec  probes.Record
	kind websocket.MessageType
	sent bool
	err  error // the side has ended
}

// talk moves messages both ways. One goroutine reads, one sends; both end before
// it returns.
func (x *exchange) talk(limited *httplink.Bounded, conn *websocket.Conn) error {
	conn.SetReadLimit(-1) // messages are cut, not refused
	ctx, cancel := context.WithCancel(context.WithoutCancel(limited))
	events := make(chan happening)
	var speaking sync.Mutex // held while a message is on its way out
	var wg sync.WaitGroup
	wg.Go(func() { x.listen(ctx, conn, events) })
	if x.in.Next != nil {
		// Next blocks on a person; it ends with the caller's context or ours.
		wg.Go(func() { x.speak(ctx, conn, &speaking, events) })
	}
	defer wg.Wait()
	defer cancel()
	for {
		select {
		case <-limited.Done():
			x.hangUp(conn, events, cancel)
			x.watch.Ended()
			return x.p.Explain(limited, x.op(), x.watch, context.Cause(limited))
		case h := <-events:
			switch {
			case h.err != nil && h.sent:
				x.hangUp(conn, events, cancel)
				return x.spoiled(h.err)
			case h.err != nil:
				x.watch.Ended()
				conn.CloseNow()
				// The last message sent may still have to be told of.
				spoken := make(chan struct{})
				wg.Go(func() { speaking.Lock(); close(spoken); speaking.Unlock() })
				if !x.drain(events, spoken) {
					return errLeft
				}
				return x.closed(h)
			case !x.emit(x.message(h)):
				x.hangUp(conn, events, cancel)
				return errLeft
			}
		}
	}
}

// drain records what was sent until done. It returns false if nobody wants that.
func (x *exchange) drain(events <-chan happening, done <-chan struct{}) bool {
	for {
		select {
		case h := <-events:
			if h.err == nil && !x.emit(x.message(h)) {
				return false
			}
		case <-done:
			return true
		}
	}
}

// listen reads messages until the connection ends.
func (x *exchange) listen(ctx context.Context, conn *websocket.Conn, events chan<- happening) {
	for {
		var h happening
		var r io.Reader
		if h.kind, r, h.err = conn.Reader(ctx); h.err == nil {
			h.rec.Body, h.rec.Cut, h.err = httplink.ReadBody(r, -1, x.in.MaxBody)
		}
		select {
		case events <- h:
		case <-ctx.Done():
			return
		}
		if h.err != nil {
			return
		}
	}
}

// speak sends documents until there are no more.
func (x *exchange) speak(ctx context.Context, conn *websocket.Conn, speaking *sync.Mutex, events chan<- happening) {
	tell := func(h happening) (told bool) {
		select {
		case events <- h:
			return h.err == nil
		case <-ctx.Done():
			return false
		}
	}
	say := func(kind websocket.MessageType, doc []byte) bool {
		speaking.Lock()
		defer speaking.Unlock()
		if conn.Write(ctx, kind, doc) != nil {
			return false // who listens knows better why
		}
		return tell(happening{sent: true, kind: kind, rec: probes.Record{Body: orEmpty(doc)}})
	}
	for {
		doc, err := x.in.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			tell(happening{sent: true, err: err})
			return
		}
		kind := websocket.MessageText
		if len(doc) > 0 && doc[0] == probes.WireDocument {
			doc, kind = doc[1:], websocket.MessageBinary
		}
		if !say(kind, doc) {
			return
		}
	}
}

// message makes the record of one message.
func (x *exchange) message(h happening) probes.Record {
	kind, word := probes.Response, "text"
	if h.sent {
		kind = probes.Request
	}
	if h.kind == websocket.MessageBinary {
		word = "binary"
	}
	rec := x.record(kind)
	rec.Body, rec.Cut = h.rec.Body, h.rec.Cut
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: attrMessage, Value: word}, wireSize(int64(len(rec.Body))+rec.Cut))
	return rec
}

// hangUp closes from our side, politely if the peer answers soon. What it still
// sends is not waited for.
func (x *exchange) hangUp(conn *websocket.Conn, events <-chan happening, cancel context.CancelFunc) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn.Close(websocket.StatusNormalClosure, "")
	}()
	late := time.AfterFunc(farewell, cancel)
	defer late.Stop()
	for {
		select {
		case <-events:
		case <-done:
			return
		}
	}
}

// spoiled is a document that could not be had.
func (x *exchange) spoiled(err error) error {
	var known *probes.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return x.p.Fail(x.op(), probes.KindOfCause(err), err, "")
	}
	return x.p.Fail(x.op(), probes.ErrUsage, fmt.Errorf("reading the next message: %w", err), "")
}

// closed records how the server ended the conversation; one that vanished
// without a word is an error.
func (x *exchange) closed(h happening) error {
	var bye websocket.CloseError
	if len(h.rec.Body) > 0 {
		rec := x.message(h)
		rec.Err = fmt.Sprintf("cut off after %d bytes", len(rec.Body))
		if !x.emit(rec) {
			return errLeft
		}
	}
	err := h.err
	if !errors.As(err, &bye) {
		return x.p.Explain(x.req.Context(), x.op(), x.watch, fmt.Errorf("reading messages: the connection ended without a close frame: %w", err))
	}
	end := x.ending()
	end.Attrs = append(end.Attrs, probes.Attr{Name: attrCloseCode, Value: strconv.Itoa(int(bye.Code))})
	end.Attrs = addAttr(end.Attrs, attrCloseReason, bye.Reason)
	switch bye.Code {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
	default:
		end.Err = strings.TrimSpace(fmt.Sprintf("closed with %d %s", bye.Code, closeWord(bye.Code)))
		if bye.Reason != "" {
			end.Err += ": " + bye.Reason
		}
	}
	if !x.emit(end) {
		return errLeft
	}
	return nil
}

// closeWord names a code (RFC 6455 §7.4.1).
func closeWord(code websocket.StatusCode) string {
	switch code {
	case websocket.StatusProtocolError:
		return "protocol error"
	case websocket.StatusUnsupportedData:
		return "unsupported data"
	case websocket.StatusInvalidFramePayloadData:
		return "invalid payload"
	case websocket.StatusPolicyViolation:
		return "policy violation"
	case websocket.StatusMessageTooBig:
		return "message too big"
	case websocket.StatusMandatoryExtension:
		return "mandatory extension"
	case websocket.StatusInternalError:
		return "internal error"
	case websocket.StatusServiceRestart:
		return "service restart"
	case websocket.StatusTryAgainLater:
		return "try again later"
	}
	return ""
}
