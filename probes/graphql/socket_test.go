package graphql

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"iscope/probes"
)

// wsServer takes subscriptions by script: it sends what the script has, and
// gives what it receives to heard. "close CODE" closes.
type wsServer struct {
	protocol string
	ack      string // after connection_init; "" for the usual
	script   []string
	secure   bool // over TLS, on a server that also speaks HTTP/2
	heard    chan string
	*httptest.Server
}

func serveWS(t *testing.T, s *wsServer) *wsServer {
	s.heard = make(chan string, 100)
	if s.ack == "" {
		s.ack = `{"type":"connection_ack"}`
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{s.protocol}})
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		for {
			_, text, err := c.Read(ctx)
			if err != nil {
				s.heard <- "gone"
				return
			}
			s.heard <- string(text)
			var m message
			if err := json.Unmarshal(text, &m); err != nil {
				t.Error(err)
			}
			var send []string
			switch m.Type {
			case "connection_init":
				send = []string{s.ack}
			case "subscribe", "start":
				send = s.script
			}
			for _, line := range send {
				if code, ok := strings.CutPrefix(line, "close "); ok {
					var n int
					fmt.Sscan(code, &n)
					c.Close(websocket.StatusCode(n), "for a reason")
				} else if line == "break" {
					c.CloseNow()
				} else if err := c.Write(ctx, websocket.MessageText, []byte(line)); err != nil {
					return
				}
			}
		}
	}))
	if s.EnableHTTP2 = s.secure; s.secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// told waits for the next message of a type.
func (s *wsServer) told(t *testing.T, kind string) message {
	t.Helper()
	for {
		select {
		case text := <-s.heard:
			var m message
			if text == kind {
				return m
			}
			if json.Unmarshal([]byte(text), &m) == nil && m.Type == kind {
				return m
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("the server never heard %s", kind)
		}
	}
}

func TestSubscribe(t *testing.T) {
	for protocol, words := range map[string]struct{ start, next string }{protocolWS: {"subscribe", "next"}, protocolLegacy: {"start", "data"}} {
		t.Run(protocol, func(t *testing.T) {
			s := serveWS(t, &wsServer{protocol: protocol, script: []string{`{"type":"ka"}`, `{"type":"ping","payload":{"n":1}}`,
				`{"id":"1","type":"` + words.next + `","payload":{"data":{"countdown":1}}}`, `{"id":"77","type":"complete"}`,
				`{"id":"1","type":"` + words.next + `","payload":{"data":null,"errors":[{"message":"bad","path":["countdown"]}]}}`, `{"id":"1","type":"complete"}`}})
			tg := target(s.URL + "/graphql")
			tg.Auth.Token, tg.Auth.Header = probes.NewSecret("hunter2"), "X-Key"
			tg.Options[optSchema] = withSchema(t, s.URL).link.Target.Options[optSchema]
			recs, err := invoke(t, openTarget(t, tg), "countdown", `{"from": 1}`)
			if err != nil || len(recs) != 4 {
				t.Fatalf("%v %v", recs, err)
			}
			if got := string(s.told(t, "connection_init").Payload); got != `{"X-Key":"hunter2"}` {
				t.Errorf("connection_init has %s", got)
			}
			var q request
			if err := json.Unmarshal(s.told(t, words.start).Payload, &q); err != nil || string(q.Variables) != `{"from":1}` || !strings.HasPrefix(q.Query, "subscription countdown(") {
				t.Errorf("%+v %v", q, err)
			}
			if got := string(s.told(t, "pong").Payload); got != `{"n":1}` {
				t.Errorf("pong has %s", got)
			}
			if attr(recs[0], probes.AttrProtocol) != protocol || attr(recs[0], probes.AttrRedacted) != "x-key" || string(recs[1].Body) != `{"data":{"countdown":1}}` {
				t.Errorf("%+v", recs[:2])
			}
			if recs[2].Err != "1 error" || attr(recs[2], probes.AttrPath) != "countdown: bad" {
				t.Errorf("%+v", recs[2])
			}
			if end := recs[3]; end.Err != "1 error" || attr(end, probes.AttrStatus) != "complete, 2 answers, 1 error" || attr(end, probes.TimingTotal) == "" {
				t.Errorf("%+v", end)
			}
		})
	}
}

func TestSubscriptionEndsBadly(t *testing.T) {
	next := `{"id":"1","type":"next","payload":{"data":{"countdown":1}}}`
	for name, tt := range map[string]struct {
		ack    string
		script []string
		kept   int // records
		kind   error
		texts  []string
	}{
		"an error message":  {script: []string{next, `{"id":"1","type":"error","payload":[{"message":"no"},{"message":"more"}]}`}, kept: 4},
		"closed":            {script: []string{next, "close 1001"}, kept: 2, kind: probes.ErrUnreachable, texts: []string{`closed the WebSocket with 1001 "for a reason", after 1 answer`}},
		"broken":            {script: []string{next, "break"}, kept: 2, kind: probes.ErrUnreachable, texts: []string{"broke, after 1 answer"}},
		"unauthorized":      {script: []string{"close 4401"}, kept: 1, kind: probes.ErrAuth, texts: []string{"4401", "connection_init"}},
		"forbidden at once": {ack: "close 4403", kind: probes.ErrDenied, texts: []string{"4403", "connection_init"}},
		"refused":           {ack: `{"type":"connection_error","payload":{"message":"who are you?"}}`, kind: probes.ErrDenied, texts: []string{"who are you?"}},
		"no message":        {script: []string{next, "<html>"}, kept: 2, kind: probes.ErrProtocol, texts: []string{"no message of the protocol", "<html>"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveWS(t, &wsServer{protocol: protocolWS, ack: tt.ack, script: tt.script})
			recs, err := invoke(t, withSchema(t, s.URL+"/graphql"), "countdown", `{"from": 1}`)
			if len(recs) != tt.kept {
				t.Errorf("%d records, want %d", len(recs), tt.kept)
			}
			if tt.kind != nil {
				wantError(t, err, tt.kind, tt.texts...)
				return
			}
			if err != nil || recs[3].Err != "2 errors" || string(recs[2].Body) != `{"errors":[{"message":"no"},{"message":"more"}]}` {
				t.Errorf("%v %v", recs, err)
			}
		})
	}
}

// Leaving a subscription tells the server, however it is left.
func TestLeavingASubscription(t *testing.T) {
	next := `{"id":"1","type":"next","payload":{"data":{"countdown":1}}}`
	for protocol, word := range map[string]string{protocolWS: "complete", protocolLegacy: "stop"} {
		s := serveWS(t, &wsServer{protocol: protocol, script: []string{next}})
		p := withSchema(t, s.URL+"/graphql")
		in := probes.Invocation{Method: "subscription countdown", Next: docs(`{"from": 1}`)}
		ctx, cancel := context.WithCancel(patience(t))
		defer cancel()
		for rec, err := range p.Invoke(ctx, in) {
			if err == nil && rec.Kind == probes.Response {
				cancel()
			} else if err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
		}
		s.told(t, word)
		s.told(t, "gone")
		in.Next = docs(`{"from": 1}`)
		for rec, err := range p.Invoke(patience(t), in) {
			if err != nil || rec.Kind == probes.Response {
				break
			}
		}
		s.told(t, word)
		in.Next, in.Deadline = docs(`{"from": 1}`), 100*time.Millisecond
		var last error
		for _, err := range p.Invoke(patience(t), in) {
			last = err
		}
		wantError(t, last, probes.ErrTimeout, "timed out")
		s.told(t, word)
	}
}

func TestWaysToSubscribe(t *testing.T) {
	sse := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" {
			http.Error(w, "no", http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, ":\n\nevent: next\ndata: {\"data\":{\"countdown\":1}}\n\n")
		if r.URL.Path != "/cut" {
			io.WriteString(w, "event: complete\ndata:\n\n")
		}
	}
	s := httptest.NewServer(http.HandlerFunc(sse))
	t.Cleanup(s.Close)
	call := func(path, how string) ([]probes.Record, error) {
		return invoke(t, withSchema(t, s.URL+path, optSubscriptions, how), "countdown", `{"from": 1}`)
	}
	for _, how := range []string{"auto", "sse"} {
		recs, err := call("/graphql", how)
		if err != nil || len(recs) != 3 || attr(recs[0], probes.AttrProtocol) != protocolSSE || string(recs[1].Body) != `{"data":{"countdown":1}}` {
			t.Errorf("%s: %v %v", how, recs, err)
		} else if tried := attr(recs[0], attrFallback); (tried == "WebSocket: the server answered 406 Not Acceptable") != (how == "auto") {
			t.Errorf("%s: tried %q", how, tried)
		}
	}
	_, err := call("/graphql", "ws")
	wantError(t, err, probes.ErrUnsupported, "406 Not Acceptable", "subscriptions: sse")
	recs, err := call("/cut", "sse")
	wantError(t, err, probes.ErrUnreachable, "without saying that it is complete, after 1 answer")
	if len(recs) != 2 {
		t.Errorf("%d records", len(recs))
	}
	// Another path for WebSockets, and an answer that is no stream.
	ws := serveWS(t, &wsServer{protocol: protocolWS, script: []string{`{"id":"1","type":"complete"}`}})
	recs, err = invoke(t, withSchema(t, ws.URL+"/graphql", optSubscriptions, "ws:/live"), "countdown", `{"from": 1}`)
	if err != nil || attr(recs[0], probes.AttrURL) != "ws"+strings.TrimPrefix(ws.URL, "http")+"/live" {
		t.Errorf("%v %v", recs, err)
	}
	plain := serve(t, says(`{"errors":[{"message":"no subscriptions here"}]}`))
	_, _, end := mustInvoke(t, withSchema(t, plain.URL+"/graphql"), "countdown", `{"from": 1}`)
	if end.Err != "1 error" || !slices.Equal(attrs(end, probes.AttrPath), []string{"request: no subscriptions here"}) {
		t.Errorf("%+v", end)
	}
	if _, err := newProbe(target(s.URL, optSubscriptions, "pigeon")); err == nil || !strings.Contains(err.Error(), "use auto, ws, sse or ws:/PATH") {
		t.Error(err)
	}
}

// A WebSocket takes HTTP/1.1, whatever else the server speaks.
func TestSubscribeOverTLS(t *testing.T) {
	s := serveWS(t, &wsServer{protocol: protocolWS, secure: true, script: []string{`{"id":"1","type":"next","payload":{"data":{"countdown":1}}}`, `{"id":"1","type":"complete"}`}})
	tg := target(s.URL + "/graphql")
	tg.TLS.InsecureSkipVerify = true
	tg.Options[optSchema] = withSchema(t, s.URL).link.Target.Options[optSchema]
	_, resp, end := mustInvoke(t, openTarget(t, tg), "countdown", `{"from": 1}`)
	if string(resp.Body) != `{"data":{"countdown":1}}` || attr(end, probes.AttrTLSVersion) == "" || !strings.HasPrefix(attr(end, probes.AttrURL), "wss://") {
		t.Errorf("%s %+v", resp.Body, end)
	}
}
