package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/coder/websocket"
)

// socket is a WebSocket with one subscription. One goroutine reads; leave may be
// called from another.
type socket struct {
	conn   *websocket.Conn
	legacy bool // the older protocol, which calls most messages otherwise

	mu      sync.Mutex
	open    bool // subscribed, and neither side has ended it
	hasLeft bool
}

// subscription is the id of the only one on a connection.
const subscription = "1"

// errBadMessage is a message that is none of the protocol.
var errBadMessage = errors.New("the server sent what is no message of the protocol")

// refused is a connection that the server does not want.
type refused struct{ words string }

func (r *refused) Error() string { return "the server refused the connection: " + r.words }

// begin introduces us and waits for the server's consent. The target's credential
// goes along, as browsers do it, which cannot send headers.
func (s *socket) begin(x *exchange) error {
	init := message{Type: "connection_init"}
	if auth := x.p.link.Auth; auth != nil {
		init.Payload = marshal(map[string]string{auth.Name: auth.Value.Reveal()})
	}
	if err := s.write(init); err != nil {
		return err
	}
	for {
		m, _, err := s.read()
		switch {
		case err != nil:
			return err
		case m.Type == "connection_ack":
			return nil
		case m.Type == "connection_error":
			return &refused{readError(m.Payload).message}
		}
	}
}

func (s *socket) subscribe(payload json.RawMessage) error {
	s.mu.Lock()
	s.open = true
	s.mu.Unlock()
	kind := "subscribe"
	if s.legacy {
		kind = "start"
	}
	return s.write(message{ID: subscription, Type: kind, Payload: payload})
}

// read returns the next message about the connection or our subscription, and
// its size. Pings are answered.
func (s *socket) read() (message, int, error) {
	for {
		_, text, err := s.conn.Read(context.Background()) // leave ends it
		if err != nil {
			return message{}, 0, err
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			return message{}, 0, fmt.Errorf("%w: it begins %.40q", errBadMessage, bytes.TrimSpace(text))
		}
		switch {
		case m.Type == "ping":
			if err := s.write(message{Type: "pong", Payload: m.Payload}); err != nil {
				return message{}, 0, err
			}
		case m.Type == "pong", m.Type == "ka", m.ID != "" && m.ID != subscription:
		default:
			return m, len(text), nil
		}
	}
}

func (s *socket) write(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.conn.Write(context.Background(), websocket.MessageText, text) // leave ends it
}

// over notes that the server has ended the subscription.
func (s *socket) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
}

// leave ends the subscription, if it is open, and the connection. It ends reads
// and writes that wait.
func (s *socket) leave() {
	s.mu.Lock()
	open, again := s.open, s.hasLeft
	s.open, s.hasLeft = false, true
	s.mu.Unlock()
	if again {
		return
	}
	if open {
		last := message{ID: subscription, Type: "complete"}
		if s.legacy {
			last.Type = "stop"
		}
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		_ = s.conn.Write(ctx, websocket.MessageText, marshal(last))
	}
	s.conn.CloseNow()
}
