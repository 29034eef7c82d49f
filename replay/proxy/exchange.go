package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"os"
	"strings"
	"sync"
	"time"

	"iscope/probes"
	"iscope/replay"
)

// AttrStream numbers the requests of a connection, from 1.
const AttrStream = "iscope.stream"

// AttrClient is the client's address (OpenTelemetry).
const AttrClient = "client.address"

// wireNative marks a body as a protobuf message in its wire form.
var wireNative = json.RawMessage(`{"wire":"protobuf"}`)

// exchange is one call going through.
type exchange struct {
	s     *server
	r     *http.Request
	call  string
	src   probes.Ref
	rpc   bool
	began time.Time
	times timing

	mu        sync.Mutex // one record at a time, in an order that makes sense
	attrs     []probes.Attr
	in, out   half
	res       *http.Response
	code      int
	upgrade   bool // asked for
	upgraded  bool
	failure   string // why there was no answer, or not all of it
	errorType string
	done      bool
}

// half is one direction of a call.
type half struct {
	split  splitter
	header []probes.Field // goes with the first record
	n      int            // records
	ended  bool
	err    error // how its body ended; nil: well
}

// ServeHTTP passes one request on and records it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	defer s.calls.Done()
	if r.Method == http.MethodConnect {
		http.Error(w, "this is a reverse proxy, it opens no tunnels", http.StatusMethodNotAllowed)
		return
	}
	x := s.newExchange(r)
	defer x.finish() // also when net/http aborts the handler by a panic
	if strings.EqualFold(r.Header.Get("Upgrade"), "h2c") {
		// Some clients ask every server (RFC 7540 §3.2, since withdrawn). What
		// is behind such an upgrade could not be recorded; not upgrading is
		// always an answer.
		r.Header.Del("Upgrade")
		r.Header.Del("Http2-Settings")
		x.upgrade = false
	}
	if r.ContentLength != 0 {
		body := &tee{rc: r.Body, take: func(p []byte) { x.pass(&x.in, probes.Request, p) }, end: x.asked}
		r.Body = body
		if x.rpc {
			p := &patient{body: body, deadline: http.NewResponseController(w).SetReadDeadline, state: x.request}
			r.Body = p
			defer p.rest()
		}
	} else {
		x.end(&x.in, probes.Request, nil)
	}
	proxy := &httputil.ReverseProxy{Rewrite: x.rewrite, Transport: s.up.transportFor(r), FlushInterval: -1,
		ErrorHandler: x.failed, ErrorLog: s.http.ErrorLog}
	proxy.ModifyResponse = func(res *http.Response) error {
		if trailersOnly(res) {
			proxy.FlushInterval = 0 // a flush would send the header by itself
		}
		return x.answered(res)
	}
	proxy.ServeHTTP(w, r)
}

// trailersOnly reports a gRPC answer whose header is its trailers, too: a client
// takes it for that only if the stream ends with it.
func trailersOnly(res *http.Response) bool {
	return res.ContentLength == 0 && res.Header.Get("Grpc-Status") != ""
}

func (s *server) newExchange(r *http.Request) *exchange {
	x := &exchange{s: s, r: r, began: time.Now(), upgrade: r.Header.Get("Upgrade") != ""}
	conn, _ := r.Context().Value(connKey{}).(*connection)
	stream := conn.requests.Add(1)
	x.call = fmt.Sprintf("%s-%d-%d", s.run, conn.id, stream)
	x.rpc = isRPC(r.Header) && r.Method == http.MethodPost
	subject := r.Method + " " + r.URL.RequestURI()
	max := s.o.MaxBody
	if x.rpc {
		subject = strings.TrimPrefix(r.URL.Path, "/")
		x.in.split = &frames{max: max, encoding: r.Header.Get("Grpc-Encoding")}
	} else {
		x.in.split = &whole{max: max, some: true}
	}
	x.src = probes.Ref{Target: s.o.Target, Subject: subject}
	x.in.header = append([]probes.Field{{Name: "Host", Value: []byte(r.Host)}}, fields(r.Header, r.ProtoMajor, x.rpc)...)
	x.attrs = []probes.Attr{{Name: probes.AttrHTTPMethod, Value: r.Method}, {Name: probes.AttrURL, Value: "http://" + r.Host + r.URL.RequestURI()},
		{Name: probes.AttrProtocol, Value: "http"}, {Name: probes.AttrProtoVersion, Value: version(r)}, {Name: AttrClient, Value: r.RemoteAddr},
		{Name: replay.AttrConnection, Value: fmt.Sprintf("%s-%d", s.run, conn.id)}, {Name: AttrStream, Value: fmt.Sprint(stream)}}
	if x.rpc {
		x.in.header = x.in.header[1:]
		x.attrs = append([]probes.Attr{{Name: probes.AttrRPCMethod, Value: subject}}, x.attrs[1:]...)
	}
	return x
}

func isRPC(h http.Header) bool {
	t := h.Get("Content-Type")
	return t == "application/grpc" || strings.HasPrefix(t, "application/grpc+") || strings.HasPrefix(t, "application/grpc;")
}

func version(r *http.Request) string {
	if r.ProtoMajor >= 2 {
		return fmt.Sprint(r.ProtoMajor)
	}
	return fmt.Sprintf("%d.%d", r.ProtoMajor, r.ProtoMinor)
}

// rewrite addresses the request to the upstream and leaves the rest alone.
func (x *exchange) rewrite(pr *httputil.ProxyRequest) {
	pr.SetURL(x.s.up.to)
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // even what net/url cannot parse
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := pr.In.Header[name]; ok { // ReverseProxy takes them out
			pr.Out.Header[name] = v
		}
	}
	pr.Out = pr.Out.WithContext(x.times.trace(pr.Out.Context()))
}

// asked ends the request's body.
func (x *exchange) asked(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) { // ours, see patient
		err = errUnread
	}
	x.end(&x.in, probes.Request, err)
}

// request reports whether a message of the request has been recorded, and
// whether its body has ended.
func (x *exchange) request() (begun, ended bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.in.n > 0, x.in.ended
}

// answered has the response's header.
func (x *exchange) answered(res *http.Response) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.res, x.code = res, res.StatusCode
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.upgraded = true
		x.write(probes.Record{Kind: probes.Notice, ID: x.call, Attrs: []probes.Attr{{Name: probes.AttrReason,
			Value: "upgraded to " + res.Header.Get("Upgrade") + "; it passes through and is not recorded"}}})
		return nil
	}
	x.settle()
	x.out.header = fields(res.Header, res.ProtoMajor, x.rpc)
	limit := x.s.o.MaxBody
	switch {
	case x.rpc && isRPC(res.Header):
		x.out.split = &frames{max: limit, encoding: res.Header.Get("Grpc-Encoding")}
	case strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream"):
		x.out.split = &events{max: limit}
	default:
		x.out.split = &whole{max: limit, some: !x.rpc}
	}
	res.Body = &tee{rc: res.Body, take: func(p []byte) { x.pass(&x.out, probes.Response, p) }, end: func(err error) { x.end(&x.out, probes.Response, err) }}
	return nil
}

// failed answers a client whose request got no response.
func (x *exchange) failed(w http.ResponseWriter, r *http.Request, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if why := x.gone(); why != "" {
		x.failure = why
	} else {
		x.failure = fmt.Sprintf("upstream %s: %v", x.s.up.to.Redacted(), err)
		if k := probes.KindOf(err); k != nil {
			x.errorType = k.Error()
		}
	}
	x.code = http.StatusBadGateway
	http.Error(w, "iscope: "+x.failure, http.StatusBadGateway)
}

// gone says that it was not the upstream that broke the call off, "" if it was.
func (x *exchange) gone() string {
	if x.in.err != nil && !errors.Is(x.in.err, errUnread) {
		return "the client broke its request off: " + x.in.err.Error()
	}
	ctx := x.r.Context()
	if ctx.Err() == nil {
		return ""
	}
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) {
		return why.Error()
	}
	return "the client went away"
}
