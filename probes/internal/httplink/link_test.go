package httplink

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"iscope/probes"
)

func link(t *testing.T, raw string, edit func(*probes.Target)) *Link {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	tg := probes.Target{Name: "api", TLS: probes.TLS{Enabled: u.Scheme == "https"}}
	if edit != nil {
		edit(&tg)
	}
	l, err := New(tg, u, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// get makes one request and returns what Explain says of its failure.
func get(t *testing.T, l *Link) error {
	t.Helper()
	ctx := l.Bound(t.Context(), 2*time.Second)
	defer ctx.Release()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.Base.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := NewStopwatch()
	resp, err := l.HTTP.RoundTrip(w.Attach(req.WithContext(ctx)))
	if err != nil {
		return l.Explain(ctx, "asking", w, err)
	}
	defer resp.Body.Close()
	body, _, err := ReadBody(resp.Body, 0, 0)
	if err != nil {
		return l.Explain(ctx, "asking", w, err)
	}
	if IsTLSMixUp(resp, body) {
		return l.SpeaksTLS("asking")
	}
	return nil
}

// talker accepts connections and does something with each.
func talker(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			talk(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func TestExplain(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	gone := talker(t, func(net.Conn) {})
	for name, tt := range map[string]struct {
		url   string
		kind  error
		texts []string
	}{
		"plain HTTP to TLS": {"http://" + secure.Listener.Addr().String(), probes.ErrTLS, []string{"the server speaks TLS", "use https://"}},
		"TLS to plain HTTP": {"https://" + plain.Listener.Addr().String(), probes.ErrTLS, []string{"the server answered plain HTTP", "use http://"}},
		"an unknown CA":     {secure.URL, probes.ErrTLS, []string{"signed by an unknown authority", "tls.ca"}},
		"nothing listens":   {"http://127.0.0.1:1", probes.ErrUnreachable, []string{"nothing listens on 127.0.0.1:1", "start the server"}},
		"no such host":      {"http://no-such-host.invalid", probes.ErrUnreachable, []string{"no-such-host.invalid"}},
		"hangs up":          {"http://" + gone, probes.ErrUnreachable, []string{"closed the connection without an answer"}},
		"speaks first":      {"http://" + talker(t, func(c net.Conn) { io.WriteString(c, "220 mail\r\n"); c.Read(make([]byte, 1)) }), probes.ErrProtocol, []string{"does not look like an HTTP server"}},
		"something else":    {"http://" + talker(t, func(c net.Conn) { c.Read(make([]byte, 10)); io.WriteString(c, "-ERR no\r\n") }), probes.ErrProtocol, []string{"does not look like an HTTP server"}},
		"a TLS alert":       {"http://" + talker(t, func(c net.Conn) { c.Read(make([]byte, 10)); io.WriteString(c, "\x15\x03\x01\x00\x02\x02\x46") }), probes.ErrTLS, []string{"speaks TLS"}},
		"never answers":     {"http://" + talker(t, func(c net.Conn) { c.SetDeadline(time.Now().Add(10 * time.Second)); io.Copy(io.Discard, c) }), probes.ErrTimeout, []string{"within 2s (connected and sent the request, no answer came)"}},
		"ends in the middle": {"http://" + talker(t, func(c net.Conn) {
			c.Read(make([]byte, 10))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nx")
		}), probes.ErrUnreachable, nil},
		"HTTP/2 and no other": {"http://" + talker(t, func(c net.Conn) { c.Read(make([]byte, 24)); c.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00")) }), probes.ErrProtocol, []string{"HTTP/2 only", "grpc://"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := get(t, link(t, tt.url, nil))
			if !errors.Is(err, tt.kind) {
				t.Fatalf("%v, want %v", err, tt.kind)
			}
			for _, text := range tt.texts {
				if all := err.Error() + " // " + probes.HintOf(err); !strings.Contains(all, text) {
					t.Errorf("%q is not in %s", text, all)
				}
			}
		})
	}
	if err := get(t, link(t, secure.URL, func(t *probes.Target) { t.TLS.InsecureSkipVerify = true })); err != nil {
		t.Error(err)
	}
	l := link(t, plain.URL, nil)
	l.End()
	if err := get(t, l); !strings.Contains(err.Error(), "the target was closed") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := link(t, plain.URL, nil).Explain(ctx, "asking", NewStopwatch(), io.EOF); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCodings(t *testing.T) {
	text := []byte(strings.Repeat("well ", 1000))
	decode := func(coding string, body []byte) ([]byte, int64, error) {
		d := NewDecoder(&http.Response{Header: http.Header{"Content-Encoding": {coding}}, Body: io.NopCloser(bytes.NewReader(body))})
		defer d.Close()
		out, _, err := ReadBody(d, 0, 0)
		return out, d.Wire, err
	}
	for _, coding := range []string{"", "gzip", "deflate", "zstd"} {
		body, err := Compress(coding, text)
		if err != nil || coding != "" && len(body) > 500 {
			t.Fatalf("%s: %d bytes, %v", coding, len(body), err)
		}
		out, wire, err := decode(coding, body)
		if err != nil || !bytes.Equal(out, text) || wire != int64(len(body)) {
			t.Errorf("%s: %d bytes from %d of %d, %v", coding, len(out), wire, len(body), err)
		}
		if coding == "" {
			continue
		}
		var bad *DecodeError
		if _, _, err := decode(coding, []byte("<html>no such coding")); !errors.As(err, &bad) {
			t.Errorf("%s of something else: %v", coding, err)
		}
		if out, _, err := decode(coding, nil); err != nil || len(out) != 0 {
			t.Errorf("%s of nothing: %q %v", coding, out, err)
		}
	}
	var bare bytes.Buffer
	w, _ := flate.NewWriter(&bare, flate.BestSpeed)
	w.Write(text)
	w.Close()
	if out, _, err := decode("deflate", bare.Bytes()); err != nil || !bytes.Equal(out, text) {
		t.Errorf("bare deflate: %d bytes, %v", len(out), err)
	}
	if out, _, err := decode("none", text); err != nil || !bytes.Equal(out, text) {
		t.Errorf("an unknown coding: %d bytes, %v", len(out), err)
	}
	if _, err := Compress("lzma", text); err == nil {
		t.Error("lzma is taken")
	}
}

func TestEvents(t *testing.T) {
	r := NewEventReader(strings.NewReader("\xef\xbb\xbf:hello\r\n\r\nid: 7\revent: next\rdata: a\rdata:b\r\rretry: 5\n\ndata\n\ndata: 1234567890\n\ndata: half"), 8)
	var got []string
	for {
		ev, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		text := ev.Name + "/" + ev.ID + "/" + string(ev.Data)
		if ev.Cut > 0 {
			text += "+"
		}
		if ev.Unsent {
			text += "…"
		}
		got = append(got, text)
	}
	if want := []string{"next/7/a\nb", "/7/", "/7/12345678+", "//half…"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHeaders(t *testing.T) {
	for name, bad := range map[string]probes.Field{"name": {Name: "a b"}, "value": {Name: "a", Value: []byte("x\r\ny: z")}} {
		if _, _, err := HeaderOf([]probes.Field{bad}); err == nil || strings.Contains(err.Error(), "z") {
			t.Errorf("%s: %v", name, err)
		}
	}
	h, host, err := HeaderOf([]probes.Field{{Name: "host", Value: []byte("h")}, {Name: "content-length", Value: []byte("5")}, {Name: "x", Value: []byte("1")}, {Name: "X", Value: []byte("2")}})
	if err != nil || host != "h" || len(h) != 1 || !slices.Equal(h["X"], []string{"1", "2"}) {
		t.Errorf("%v %q %v", h, host, err)
	}
	for mechanism, want := range map[string]string{"": "Basic dTpw", "basic": "Basic dTpw", "bearer": "Bearer t"} {
		c, err := CredentialOf(probes.Auth{Mechanism: mechanism, Username: "u", Password: probes.NewSecret("p"), Token: secretIf(mechanism == "bearer", "t")})
		if err != nil || c.Name != "Authorization" || c.Value.Reveal() != want {
			t.Errorf("%q: %v %v", mechanism, c, err)
		}
	}
	if _, err := CredentialOf(probes.Auth{Mechanism: "plain", Username: "u"}); err == nil {
		t.Error("plain is taken")
	}
}

func secretIf(has bool, text string) probes.Secret {
	if !has {
		return probes.Secret{}
	}
	return probes.NewSecret(text)
}

// TestNothingBeginsAfterClose: a context that is made of a link that has ended has
// ended too, at once.
func TestNothingBeginsAfterClose(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	t.Cleanup(s.Close)
	l := link(t, s.URL, nil)
	l.Close()
	for range 100 {
		ctx := l.Bound(t.Context(), time.Minute)
		if ctx.Err() == nil {
			t.Fatal("the context of a request after Close has not ended")
		}
		ctx.Release()
	}
	if err := get(t, l); err == nil || len(asked) > 0 {
		t.Errorf("error %v, %d requests", err, len(asked))
	}
}

func TestDress(t *testing.T) {
	l := link(t, "http://api.test", nil)
	for name, tt := range map[string]struct {
		with         *Credential
		query        string
		header, want string
	}{
		"a header":         {&Credential{Name: "X-Key", Value: probes.NewSecret("s")}, "", "X-Key", "s"},
		"a cookie":         {&Credential{In: "cookie", Name: "sid", Value: probes.NewSecret("s")}, "", "Cookie", "have=1; sid=s"},
		"a query":          {&Credential{In: "query", Name: "k&y", Value: probes.NewSecret("s=")}, "a=1&k%26y=s%3D", "User-Agent", "iscope"},
		"none":             {nil, "", "User-Agent", "iscope"},
		"the caller's own": {&Credential{Name: "Cookie", Value: probes.NewSecret("s")}, "", "Cookie", "have=1"},
	} {
		req := httptest.NewRequest(http.MethodGet, "http://api.test/?a=1", nil)
		req.Header.Set("Cookie", "have=1")
		l.Dress(req, tt.with)
		if got := req.Header.Get(tt.header); got != tt.want {
			t.Errorf("%s: %s %q, want %q", name, tt.header, got, tt.want)
		}
		if want := max("a=1", tt.query); req.URL.RawQuery != want {
			t.Errorf("%s: query %q, want %q", name, req.URL.RawQuery, want)
		}
	}
}
