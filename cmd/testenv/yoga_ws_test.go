package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"iscope/probes/probetest"
)

// socket is as much of a WebSocket client (RFC 6455) as short text messages take.
type socket struct {
	net.Conn
	r *bufio.Reader
}

func openSocket(t *testing.T, address, protocol string) *socket {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: aXNjb3BlLXRlc3RlbnYtMQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", u.Path, u.Host, protocol)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Protocol") != protocol {
		t.Fatalf("%v %v", resp, err)
	}
	return &socket{conn, r}
}

// send sends a text of less than 126 bytes, masked with zeros.
func (s *socket) send(t *testing.T, text string) {
	t.Helper()
	frame := append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
	if _, err := s.Write(frame); err != nil || len(text) > 125 {
		t.Fatal(len(text), err)
	}
}

func (s *socket) receive(t *testing.T) string {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(s.r, head); err != nil {
		t.Fatal(err)
	}
	size := uint16(head[1])
	if size == 126 {
		if err := binary.Read(s.r, binary.BigEndian, &size); err != nil {
			t.Fatal(err)
		}
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(s.r, text); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestYogaWebSocket follows https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
func TestYogaWebSocket(t *testing.T) {
	s := openSocket(t, probetest.Need(t, "yoga").Addresses["ws"], "graphql-transport-ws")
	s.send(t, `{"type":"connection_init"}`)
	if got := s.receive(t); !strings.Contains(got, `"connection_ack"`) {
		t.Fatal(got)
	}
	s.send(t, `{"id":"1","type":"subscribe","payload":{"query":"subscription{countdown(from:1)}"}}`)
	for _, want := range []string{`{"countdown":1}`, `{"countdown":0}`, `"complete"`} {
		if got := s.receive(t); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
