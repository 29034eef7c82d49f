package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"iscope/probes"
)

func certFile(t *testing.T, c *x509.Certificate) string {
	t.Helper()
	path := t.TempDir() + "/ca.pem"
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The client has the first piece while the upstream still holds back the
// second: nothing waits for the end.
func TestAStreamFlowsWhileItIsOpen(t *testing.T) {
	for _, two := range []bool{false, true} {
		next := make(chan struct{})
		up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("first"))
			w.(http.Flusher).Flush()
			<-next
			w.Write([]byte("second"))
		})
		rec := newRecorder()
		addr, _ := serve(t, up.URL, rec, nil)
		res, err := client(t, two).Get("http://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != "first" {
			t.Fatalf("%q, %v", b, err)
		}
		rec.wait(t, probes.Request, 1)
		close(next)
		if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "second" {
			t.Fatalf("%q, %v", rest, err)
		}
		rec.wait(t, probes.End, 1)
		if r := rec.wait(t, probes.Response, 1)[0]; string(r.Body) != "firstsecond" {
			t.Fatalf("%+v", r)
		}
	}
}

func TestAnUploadFlowsWhileItIsOpen(t *testing.T) {
	got := make(chan string)
	up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 5)
		for {
			n, err := io.ReadFull(r.Body, b)
			if n > 0 {
				got <- string(b[:n])
			}
			if err != nil {
				return
			}
		}
	})
	rec := newRecorder()
	addr, _ := serve(t, up.URL, rec, nil)
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		res, err := client(t, false).Post("http://"+addr+"/", "text/plain", pr)
		if err == nil {
			err = res.Body.Close()
		}
		done <- err
	}()
	pw.Write([]byte("hello"))
	if s := <-got; s != "hello" {
		t.Fatal(s)
	}
	pw.Write([]byte("world"))
	if s := <-got; s != "world" {
		t.Fatal(s)
	}
	pw.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	rec.wait(t, probes.End, 1)
	if q := rec.wait(t, probes.Request, 1)[0]; string(q.Body) != "helloworld" || q.Err != "" {
		t.Fatalf("%+v", q)
	}
}

func TestServerSentEventsAreRecordedOneByOne(t *testing.T) {
	next := make(chan struct{})
	up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, s := range []string{"data: 1\nid: a\n\n", "data: 2\r\n\r", "\n: rest"} {
			io.WriteString(w, s)
			w.(http.Flusher).Flush()
			<-next
		}
	})
	rec := newRecorder()
	addr, _ := serve(t, up.URL, rec, nil)
	res, err := client(t, false).Get("http://" + addr + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := rec.wait(t, probes.Response, 1)[0]
	if string(first.Body) != "data: 1\nid: a\n\n" || header(&first, "Content-Type") == "" {
		t.Fatalf("%+v", first)
	}
	next <- struct{}{}
	next <- struct{}{}
	second := rec.wait(t, probes.Response, 2)[1]
	if string(second.Body) != "data: 2\r\n\r\n" || len(second.Header) != 0 || first.Call != second.Call || first.ID == second.ID {
		t.Fatalf("%+v", second)
	}
	next <- struct{}{}
	io.Copy(io.Discard, res.Body)
	rec.wait(t, probes.End, 1)
	if last := rec.wait(t, probes.Response, 3)[2]; string(last.Body) != ": rest" {
		t.Fatalf("%+v", last)
	}
}

func TestBigBodiesPassWholeAndAreCutInTheRecord(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	rec := newRecorder()
	addr, _ := serve(t, up.URL, rec, func(o *Options) { o.MaxBody = 1000 })
	res, err := client(t, true).Post("http://"+addr+"/", "", bytes.NewReader(big))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(b, big) {
		t.Fatalf("%d bytes came back, %v", len(b), err)
	}
	rec.wait(t, probes.End, 1)
	for _, kind := range []probes.Kind{probes.Request, probes.Response} {
		if r := rec.wait(t, kind, 1)[0]; !bytes.Equal(r.Body, big[:1000]) || r.Cut != int64(len(big)-1000) {
			t.Fatalf("%s: %d bytes kept, %d cut", kind, len(r.Body), r.Cut)
		}
	}
}

func TestWhoeverBreaksACallOffIsNamed(t *testing.T) {
	hold := make(chan struct{})
	up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/upstream":
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("part"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/upload":
			io.Copy(io.Discard, r.Body)
		default:
			w.Write([]byte("part"))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			<-hold
		}
	})
	up.Config.ErrorLog = nil
	defer close(hold)
	rec := newRecorder()
	addr, stop := serve(t, up.URL, rec, func(o *Options) { o.Drain = 50 * time.Millisecond })

	res, err := client(t, false).Get("http://" + addr + "/upstream")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Fatal("half a body was passed off as whole")
	}
	end := rec.wait(t, probes.End, 1)[0]
	if !strings.HasPrefix(end.Err, "the upstream broke off") {
		t.Fatalf("%+v", end)
	}
	if r := rec.wait(t, probes.Response, 1)[0]; string(r.Body) != "part" || r.Err == "" {
		t.Fatalf("%+v", r)
	}

	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/client", nil)
	gone, err := client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	gone.Body.Close()
	if end = rec.wait(t, probes.End, 2)[1]; end.Err != "the client went away" {
		t.Fatalf("%+v", end)
	}

	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
	conn.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, conn)
	conn.Close()
	if end = rec.wait(t, probes.End, 3)[2]; !strings.HasPrefix(end.Err, "the client broke its request off") {
		t.Fatalf("%+v", end)
	}
	if q := rec.wait(t, probes.Request, 3)[2]; string(q.Body) != "half" || q.Err == "" {
		t.Fatalf("%+v", q)
	}

	if res, err = client(t, true).Get("http://" + addr + "/open"); err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	recs := rec.all()
	if end = recs[len(recs)-1]; end.Kind != probes.End || end.Err != errStopped.Error() {
		t.Fatalf("records:%s", list(recs))
	}
}

func TestAnUpgradePassesWithANotice(t *testing.T) {
	up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		rw.Flush()
		line, _ := rw.ReadString('\n')
		fmt.Fprintf(rw, "echo %s", line)
		rw.Flush()
		io.Copy(io.Discard, rw)
	})
	rec := newRecorder()
	addr, stop := serve(t, up.URL, rec, func(o *Options) { o.Drain = 50 * time.Millisecond })
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	br := bufio.NewReader(conn)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	fmt.Fprintf(conn, "hello\n")
	if line, err := br.ReadString('\n'); err != nil || line != "echo hello\n" {
		t.Fatalf("%q, %v", line, err)
	}
	n := rec.wait(t, probes.Notice, 1)[0]
	if n.Source.Subject != "GET /ws" || !strings.Contains(attr(&n, probes.AttrReason), "websocket") {
		t.Fatalf("%+v", n)
	}
	if recs := rec.all(); len(recs) != 1 {
		t.Fatalf("records:%s", list(recs))
	}

	// An upgrade that is refused is a call like any other.
	req, _ := http.NewRequest("GET", "http://"+addr+"/no", nil)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	if res, err := client(t, false).Do(req); err != nil || res.StatusCode != http.StatusForbidden {
		t.Fatalf("%v, %v", res, err)
	}
	rec.wait(t, probes.End, 1)
	if recs := rec.all(); len(recs) != 4 || recs[1].Kind != probes.Request {
		t.Fatalf("records:%s", list(recs))
	}
	// An open upgrade does not keep the proxy.
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
		t.Fatalf("the upgraded connection: %v", err)
	}
}

// What Java's client sends to every server must not take the traffic out of
// sight.
func TestAnOfferOfHTTP2IsDeclined(t *testing.T) {
	up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("Upgrade")) })
	rec := newRecorder()
	addr, _ := serve(t, up.URL, rec, nil)
	req, _ := http.NewRequest("GET", "http://"+addr+"/", nil)
	req.Header = http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}, "Http2-Settings": {"AAMAAABkAARAAAAAAAIAAAAA"}}
	res, err := client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 200 || len(b) != 0 {
		t.Fatalf("%s %q", res.Status, b)
	}
	rec.wait(t, probes.End, 1)
	if recs := rec.all(); len(recs) != 3 {
		t.Fatalf("records:%s", list(recs))
	}
}
