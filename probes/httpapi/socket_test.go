package httpapi

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/probetest"
)

// sockets serves WebSockets with f.
func sockets(t testing.TB, doc string, f func(context.Context, *websocket.Conn, *http.Request)) *httptest.Server {
	return serve(t, doc, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat.v2", "chat.v1"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		f(r.Context(), c, r)
	})
}

// echo answers each message and closes after "bye".
func echo(ctx context.Context, c *websocket.Conn, _ *http.Request) {
	for {
		kind, b, err := c.Read(ctx)
		if err != nil {
			return
		}
		if string(b) == "bye" {
			c.Close(websocket.StatusNormalClosure, "see you")
			return
		}
		if c.Write(ctx, kind, append([]byte("echo "), b...)) != nil {
			return
		}
	}
}

// frames sums up the records of a conversation.
func frames(recs []probes.Record) []string {
	var out []string
	for _, r := range recs {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %q %s%s", r.Kind, attr(r, attrMessage), r.Body, attr(r, attrCloseCode), r.Err)))
	}
	return out
}

func TestWebSocket(t *testing.T) {
	srv := sockets(t, "", func(ctx context.Context, c *websocket.Conn, r *http.Request) {
		if c.Subprotocol() != "chat.v1" || r.URL.Query().Get("room") != "1" {
			c.Close(websocket.StatusPolicyViolation, "no room")
			return
		}
		for range 3 {
			kind, b, err := c.Read(ctx)
			if err != nil {
				return
			}
			c.Write(ctx, kind, append([]byte("echo "), b...))
		}
		c.Close(websocket.StatusNormalClosure, "see \x1b[31myou")
	})
	p := openTarget(t, noDoc(srv.URL))
	host := strings.TrimPrefix(srv.URL, "http://")
	for _, method := range []string{"WS /chat?room=1", "ws /chat?room=1", "GET ws://" + host + "/chat?room=1", "ws://" + host + "/chat?room=1"} {
		recs, err := invoke(t, p, method, "", header("Sec-WebSocket-Protocol", "chat.v1, other"), func(in *probes.Invocation) {
			in.Next = docs(`{"n":1}`, "\x00bin\xff", "three")
		})
		if err != nil {
			t.Fatal(err)
		}
		// What is sent and what arrives meet in any order; each side keeps its own.
		var sent, came []string
		for _, l := range frames(recs) {
			if strings.HasPrefix(l, "request") {
				sent = append(sent, l)
			} else {
				came = append(came, l)
			}
		}
		if diff := cmp.Diff([]string{`request  ""`, `request text "{\"n\":1}"`, `request binary "bin\xff"`, `request text "three"`}, sent); diff != "" {
			t.Error(diff)
		}
		want := []string{`response  ""`, `response text "echo {\"n\":1}"`, `response binary "echo bin\xff"`, `response text "echo three"`, `end  "" 1000`}
		if diff := cmp.Diff(want, came); diff != "" {
			t.Error(diff)
		}
		end := recs[len(recs)-1]
		if attr(end, attrCloseReason) != "see \x1b[31myou" || attr(end, probes.TimingTotal) == "" || attr(end, probes.AttrHTTPStatus) != "101" ||
			end.Source.Subject != "WS /chat?room=1" || attr(end, probes.AttrPeer) != host {
			t.Errorf("end %+v", end)
		}
		if v, _ := recs[1].HeaderValue("Sec-WebSocket-Protocol"); string(v) != "chat.v1" {
			t.Errorf("headers %v", recs[1].Header)
		}
	}
	_, err := invoke(t, p, "GET ws://elsewhere.example/chat", "")
	wantError(t, err, probes.ErrUsage, "another host than the target's")
}

func TestWebSocketEnds(t *testing.T) {
	srv := sockets(t, "", func(ctx context.Context, c *websocket.Conn, r *http.Request) {
		c.Write(ctx, websocket.MessageText, []byte("first and long"))
		switch r.URL.Path {
		case "/error":
			c.Close(websocket.StatusInternalError, "broken")
		case "/gone":
			c.CloseNow()
		default:
			c.Read(ctx)
		}
	})
	p := openTarget(t, noDoc(srv.URL))
	recs, err := invoke(t, p, "WS /error", "", func(in *probes.Invocation) { in.MaxBody = 5 })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`request  ""`, `response  ""`, `response text "first"`, `end  "" 1011closed with 1011 internal error: broken`}, frames(recs)); diff != "" {
		t.Error(diff)
	}
	if recs[2].Cut != 9 || attr(recs[2], probes.AttrWireSize) != "14" {
		t.Errorf("cut %d of %s", recs[2].Cut, attr(recs[2], probes.AttrWireSize))
	}
	recs, err = invoke(t, p, "WS /gone", "")
	wantError(t, err, probes.ErrUnreachable, "ended without a close frame")
	if len(recs) != 3 || string(recs[2].Body) != "first and long" {
		t.Errorf("what arrived is %q", frames(recs))
	}
	recs, err = invoke(t, p, "WS /quiet", "", func(in *probes.Invocation) { in.Deadline = 300 * time.Millisecond })
	wantError(t, err, probes.ErrTimeout, "within 300ms")
	if len(recs) != 3 {
		t.Errorf("what arrived is %q", frames(recs))
	}
	_, err = invoke(t, p, "WS /quiet", "", func(in *probes.Invocation) {
		in.Next = func(context.Context) ([]byte, error) { return nil, io.ErrNoProgress }
	})
	wantError(t, err, probes.ErrUsage, "reading the next message")
}

// TestLeavingAWebSocket has a server that tells how it was left.
func TestLeavingAWebSocket(t *testing.T) {
	left := make(chan websocket.StatusCode, 1)
	srv := sockets(t, "", func(ctx context.Context, c *websocket.Conn, r *http.Request) {
		c.Write(ctx, websocket.MessageText, []byte("hello"))
		_, _, err := c.Read(ctx)
		left <- websocket.CloseStatus(err)
	})
	p := openTarget(t, noDoc(srv.URL))
	for rec, err := range p.Invoke(patience(t), probes.Invocation{Method: "WS /x"}) {
		if err != nil {
			t.Fatal(err)
		}
		if string(rec.Body) == "hello" {
			break
		}
	}
	if code := <-left; code != websocket.StatusNormalClosure {
		t.Errorf("breaking out closed with %d", code)
	}
	ctx, stop := context.WithCancel(patience(t))
	defer stop()
	var last error
	for rec, err := range p.Invoke(ctx, probes.Invocation{Method: "WS /x", Next: func(ctx context.Context) ([]byte, error) {
		<-ctx.Done() // a person who types nothing
		return nil, ctx.Err()
	}}) {
		if last = err; string(rec.Body) == "hello" {
			stop()
		}
	}
	if code := <-left; code != websocket.StatusNormalClosure || last == nil {
		t.Errorf("cancelling closed with %d, error %v", code, last)
	}
}

func TestPingsAreAnswered(t *testing.T) {
	srv := sockets(t, "", func(ctx context.Context, c *websocket.Conn, r *http.Request) {
		go func() {
			if c.Ping(ctx) == nil { // it waits for the pong, which Read below takes in
				c.Close(websocket.StatusNormalClosure, "pong")
			}
		}()
		c.Read(ctx)
	})
	recs, err := invoke(t, openTarget(t, noDoc(srv.URL)), "WS /x", "")
	if err != nil || attr(recs[len(recs)-1], attrCloseReason) != "pong" {
		t.Errorf("records %q, error %v", frames(recs), err)
	}
}

// TestHalfAMessageIsKept has a server that vanishes within one.
func TestHalfAMessageIsKept(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		c, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprintf(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		out.WriteString("\x81\x0ahalf ") // a text of ten bytes
		out.Flush()
	})
	recs, err := invoke(t, openTarget(t, noDoc(srv.URL)), "WS /x", "")
	wantError(t, err, probes.ErrUnreachable, "without a close frame")
	if len(recs) != 3 || string(recs[2].Body) != "half " || recs[2].Err != "cut off after 5 bytes" {
		t.Errorf("records %q", frames(recs))
	}
}

func TestWebSocketThatIsNone(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok" {
			io.WriteString(w, "just a page")
			return
		}
		http.Error(w, "no such room", http.StatusNotFound)
	})
	p := openTarget(t, noDoc(srv.URL))
	recs, err := invoke(t, p, "WS /x", "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`request  ""`, `response  "no such room\n"`, `end  "" 404 Not Found`}, frames(recs)); diff != "" {
		t.Error(diff)
	}
	recs, err = invoke(t, p, "WS /ok", "")
	if err != nil || recs[2].Err != "the server did not open a WebSocket" {
		t.Errorf("records %q, error %v", frames(recs), err)
	}
	_, err = invoke(t, openTarget(t, noDoc("127.0.0.1:1")), "WS /x", "")
	wantError(t, err, probes.ErrUnreachable, "nothing listens")
}

func TestWebSocketOperation(t *testing.T) {
	doc := head + `"paths":{"/chat/{room}":{"get":{"parameters":[{"name":"room","in":"path","schema":{"type":"integer"}}],
		"responses":{"101":{"description":"a WebSocket"}}}}}}`
	p := openTarget(t, target(sockets(t, doc, echo).URL))
	m, err := p.Method(patience(t), "GET /chat/{room}")
	if err != nil || !m.ClientStream || !m.ServerStream || m.Effect != probes.EffectUnknown {
		t.Errorf("method %+v, error %v", m, err)
	}
	_, err = invoke(t, p, "GET /chat/{room}", "", param("room", "blue"))
	wantError(t, err, probes.ErrUsage, "path/room: it is of type string, not integer")
	recs, err := invoke(t, p, "GET /chat/{room}", "", param("room", "1"), func(in *probes.Invocation) { in.Next = docs("hello", "bye") })
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(frames(recs), "\n")
	for _, want := range []string{`request text "hello"`, `response text "echo hello"`, `end  "" 1000`} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	if attr(recs[0], probes.AttrHTTPRoute) != "/chat/{room}" || recs[0].Source.Subject != "WS /chat/1" {
		t.Errorf("request %+v", recs[0])
	}
}

func TestWebSocketOverTLS(t *testing.T) {
	a := newAuthority(t)
	cert, _, _ := a.issue(t, "127.0.0.1", time.Now().Add(time.Hour))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			echo(r.Context(), c, r)
		}
	}))
	s.TLS, s.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{cert}}, true
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	tg := noDoc(s.URL)
	tg.TLS.CAFile = a.file
	recs, err := invoke(t, openTarget(t, tg), "WS /x", "", func(in *probes.Invocation) { in.Next = docs("bye") })
	if err != nil {
		t.Fatal(err)
	}
	if end := recs[len(recs)-1]; attr(end, probes.AttrTLSVersion) != "1.3" || attr(end, attrCloseReason) != "see you" || attr(end, probes.TimingTLS) == "" {
		t.Errorf("end %+v", end)
	}
	_, err = invoke(t, openTarget(t, noDoc(strings.Replace(s.URL, "https", "http", 1))), "WS /x", "")
	wantError(t, err, probes.ErrTLS, "the server speaks TLS")
	plainServer := sockets(t, "", echo)
	_, err = invoke(t, openTarget(t, noDoc(strings.Replace(plainServer.URL, "http", "https", 1))), "WS /x", "")
	wantError(t, err, probes.ErrTLS, "the server answered plain HTTP")
}

// TestRealWebSocket talks graphql-transport-ws by hand with a server that nobody
// here wrote.
func TestRealWebSocket(t *testing.T) {
	s := probetest.Need(t, "yoga")
	drivers := []probes.Driver{Driver()}
	tg, subject, err := probes.ParseURL(drivers, s.Addresses["ws"])
	if err != nil || subject != "WS /graphql" {
		t.Fatalf("subject %q, error %v", subject, err)
	}
	p := openTarget(t, tg)
	in := probes.Invocation{Method: subject, Next: docs(`{"type":"connection_init"}`),
		Header: []probes.Field{{Name: "Sec-WebSocket-Protocol", Value: []byte("graphql-transport-ws")}}}
	for rec, err := range p.Invoke(patience(t), in) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(rec.Body), "connection_ack") {
			return
		}
	}
	t.Error("the server acknowledged nothing")
}

// TestRealServerSentEvents reads a subscription of the same server as events.
func TestRealServerSentEvents(t *testing.T) {
	s := probetest.Need(t, "yoga")
	p := openTarget(t, noDoc(strings.TrimSuffix(s.Addresses["http"], "/graphql")))
	in := probes.Invocation{Method: "POST /graphql", Next: docs(`{"query":"subscription { countdown(from:2) }"}`),
		Header: []probes.Field{{Name: "Accept", Value: []byte("text/event-stream")}}}
	events := 0
	for rec, err := range p.Invoke(patience(t), in) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == probes.Response && attr(rec, attrEventName) == "next" {
			if events++; events == 2 {
				return
			}
		}
	}
	t.Errorf("%d events", events)
}
