package proxy

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/probetest"
)

// recorder is a sink whose records a test can wait for.
type recorder struct {
	mu      sync.Mutex
	recs    []probes.Record
	changed chan struct{}
	fail    error
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{}, 1)} }

func (r *recorder) Write(_ context.Context, rec probes.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recs = append(r.recs, rec)
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return r.fail
}

func (r *recorder) all() []probes.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.recs)
}

// wait blocks until there are n records of a kind.
func (r *recorder) wait(t *testing.T, kind probes.Kind, n int) []probes.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		var of []probes.Record
		for _, rec := range r.all() {
			if rec.Kind == kind {
				of = append(of, rec)
			}
		}
		if len(of) >= n {
			return of
		}
		select {
		case <-r.changed:
		case <-ctx.Done():
			t.Fatalf("%d of %d records of kind %s; all: %s", len(of), n, kind, list(r.all()))
		}
	}
}

// list shows records in short.
func list(recs []probes.Record) string {
	var b strings.Builder
	for _, r := range recs {
		b.WriteString("\n  " + r.Kind.String() + " " + r.ID + " " + r.Source.Subject + " " + string(r.Body[:min(40, len(r.Body))]) + " err=" + r.Err)
	}
	return b.String()
}

// serve runs a proxy in front of an upstream until the test ends, or until stop
// is called, which returns what Serve does.
func serve(t *testing.T, to string, rec *recorder, change func(*Options)) (addr string, stop func() error) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	o := Options{To: u, Target: "shop-api", Sink: rec, OnReady: func(a net.Addr) { ready <- a.String() }}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, o) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { stop() })
	select {
	case addr = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	return addr, stop
}

// client speaks one version of HTTP to a proxy without TLS.
func client(t *testing.T, two bool) *http.Client {
	var p http.Protocols
	p.SetHTTP1(!two)
	p.SetUnencryptedHTTP2(two)
	tr := &http.Transport{Protocols: &p, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// upstreamServer speaks HTTP/1.1 and, by prior knowledge, HTTP/2.
func upstreamServer(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	s.Config.Protocols = &p
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func header(r *probes.Record, name string) string {
	v, _ := r.HeaderValue(name)
	return string(v)
}

func attr(r *probes.Record, name string) string {
	v, _ := r.Attr(name)
	return v
}

func TestACallIsPassedOnAndRecorded(t *testing.T) {
	for _, two := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[two], func(t *testing.T) {
			var seen *http.Request
			var body []byte
			up := upstreamServer(t, func(w http.ResponseWriter, r *http.Request) {
				var b bytes.Buffer
				b.ReadFrom(r.Body)
				seen, body = r, b.Bytes()
				w.Header().Set("X-Answer", "1")
				w.Header().Set("Trailer", "X-Sum")
				w.WriteHeader(http.StatusTeapot)
				w.Write([]byte("short and stout\x00\xff"))
				w.Header().Set("X-Sum", "abc")
			})
			rec := newRecorder()
			addr, _ := serve(t, up.URL+"/base", rec, nil)
			req, _ := http.NewRequest("POST", "http://"+addr+"/orders/a%2Fb?x=1;y&z=%zz", strings.NewReader("\x00body\xff"))
			req.Header = http.Header{"X-Many": {"1", "2"}, "X-Forwarded-For": {"1.2.3.4"}, "User-Agent": nil, "Content-Type": {"application/x-thing"}}
			res, err := client(t, two).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var answer bytes.Buffer
			answer.ReadFrom(res.Body)
			if res.StatusCode != http.StatusTeapot || answer.String() != "short and stout\x00\xff" || res.Trailer.Get("X-Sum") != "abc" || res.Header.Get("X-Answer") != "1" {
				t.Fatalf("the client got %v %q, trailer %v", res.Status, answer.String(), res.Trailer)
			}
			if seen.URL.Path != "/base/orders/a/b" || seen.URL.RawQuery != "x=1;y&z=%zz" || seen.URL.EscapedPath() != "/base/orders/a%2Fb" || string(body) != "\x00body\xff" ||
				!slices.Equal(seen.Header["X-Many"], []string{"1", "2"}) || seen.Header.Get("X-Forwarded-For") != "1.2.3.4" || len(seen.Header["User-Agent"]) != 0 || (seen.ProtoMajor == 2) != two {
				t.Fatalf("the upstream got %s %v %q", seen.URL, seen.Header, body)
			}
			rec.wait(t, probes.End, 1)
			recs := rec.all()
			if len(recs) != 3 || recs[0].Kind != probes.Request || recs[1].Kind != probes.Response || recs[2].Kind != probes.End {
				t.Fatalf("records:%s", list(recs))
			}
			q, r, e := recs[0], recs[1], recs[2]
			if q.Source != (probes.Ref{Target: "shop-api", Subject: "POST /orders/a%2Fb?x=1;y&z=%zz"}) || string(q.Body) != "\x00body\xff" || header(&q, "Host") != addr ||
				header(&q, "x-many") != "1" || attr(&q, probes.AttrURL) != "http://"+addr+"/orders/a%2Fb?x=1;y&z=%zz" || attr(&q, "iscope.connection") == "" {
				t.Fatalf("request %+v", q)
			}
			if string(r.Body) != "short and stout\x00\xff" || header(&r, "X-Answer") != "1" || attr(&r, probes.AttrHTTPStatus) != "418" {
				t.Fatalf("response %+v", r)
			}
			if e.Err != "418 I'm a teapot" || attr(&e, probes.AttrHTTPStatus) != "418" || header(&e, "X-Sum") != "abc" || attr(&e, probes.TimingTotal) == "" ||
				attr(&e, probes.TimingFirstByte) == "" || attr(&e, probes.AttrPeer) != strings.TrimPrefix(up.URL, "http://") {
				t.Fatalf("end %+v", e)
			}
			if q.Call == "" || q.Call != r.Call || q.Call != e.Call || q.ID == r.ID || q.Seen.After(e.Seen) {
				t.Fatalf("calls %q %q %q", q.Call, r.Call, e.Call)
			}
		})
	}
}

func TestRequestsOfAConnectionAreNumbered(t *testing.T) {
	up := upstreamServer(t, func(http.ResponseWriter, *http.Request) {})
	rec := newRecorder()
	addr, _ := serve(t, up.URL, rec, nil)
	c := client(t, false)
	for range 3 {
		res, err := c.Get("http://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	if _, err := client(t, false).Get("http://" + addr + "/"); err != nil {
		t.Fatal(err)
	}
	rec.wait(t, probes.End, 4)
	got := map[string]bool{}
	calls := map[string]bool{}
	for _, r := range rec.wait(t, probes.Request, 4) {
		conn := attr(&r, "iscope.connection")
		got[conn[strings.LastIndex(conn, "-")+1:]+"/"+attr(&r, AttrStream)] = true
		calls[r.Call] = true
		if r.Body != nil {
			t.Errorf("a GET without a body has %q", r.Body)
		}
	}
	if !got["1/1"] || !got["1/2"] || !got["1/3"] || !got["2/1"] || len(calls) != 4 {
		t.Fatalf("%v, %d calls", got, len(calls))
	}
}

func TestTheUpstreamMayUseTLS(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Proto)) }))
	up.EnableHTTP2 = true
	up.StartTLS()
	defer up.Close()
	ca := certFile(t, up.Certificate())
	for _, two := range []bool{false, true} {
		rec := newRecorder()
		addr, _ := serve(t, up.URL, rec, func(o *Options) { o.TLS = probes.TLS{CAFile: ca} })
		res, err := client(t, two).Get("http://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[two]; b.String() != want || res.StatusCode != 200 {
			t.Fatalf("%d, the upstream was spoken to in %s", res.StatusCode, b.String())
		}
		if end := rec.wait(t, probes.End, 1)[0]; attr(&end, probes.TimingTLS) == "" || end.Err != "" {
			t.Fatalf("%+v", end)
		}
	}
	// Without the CA the upstream is not trusted, and the client is told.
	rec := newRecorder()
	addr, _ := serve(t, up.URL, rec, nil)
	res, err := client(t, false).Get("http://" + addr + "/")
	if err != nil || res.StatusCode != http.StatusBadGateway {
		t.Fatalf("%v, %v", res, err)
	}
	if end := rec.wait(t, probes.End, 1)[0]; attr(&end, probes.AttrErrorType) != probes.ErrTLS.Error() || !strings.Contains(end.Err, "x509") {
		t.Fatalf("%+v", end)
	}
}

func TestAnUpstreamThatIsDownIsA502(t *testing.T) {
	const dead = probetest.Nowhere
	for _, two := range []bool{false, true} {
		rec := newRecorder()
		addr, _ := serve(t, "http://me:secret@"+dead, rec, nil)
		res, err := client(t, two).Post("http://"+addr+"/x", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		if res.StatusCode != http.StatusBadGateway || !strings.Contains(b.String(), dead) || strings.Contains(b.String(), "secret") {
			t.Fatalf("%s: %q", res.Status, b.String())
		}
		end := rec.wait(t, probes.End, 1)[0]
		if attr(&end, probes.AttrHTTPStatus) != "502" || attr(&end, probes.AttrErrorType) != probes.ErrUnreachable.Error() || !strings.Contains(end.Err, dead) || strings.Contains(end.Err, "secret") {
			t.Fatalf("%+v", end)
		}
		if recs := rec.all(); recs[0].Kind != probes.Request || len(recs) != 2 {
			t.Fatalf("records:%s", list(recs))
		}
	}
}

func TestASinkThatFailsEndsTheProxy(t *testing.T) {
	up := upstreamServer(t, func(http.ResponseWriter, *http.Request) {})
	rec := newRecorder()
	rec.fail = errors.New("disk full")
	ready := make(chan net.Addr, 1)
	u, _ := url.Parse(up.URL)
	done := make(chan error, 1)
	go func() {
		done <- Serve(t.Context(), Options{To: u, Sink: rec, OnReady: func(a net.Addr) { ready <- a }})
	}()
	if res, err := client(t, false).Get("http://" + (<-ready).String()); err == nil {
		res.Body.Close()
	}
	if err := <-done; !errors.Is(err, rec.fail) {
		t.Fatalf("error %v", err)
	}
	if n := len(rec.all()); n != 1 {
		t.Fatalf("%d writes to a sink that has failed", n)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, to := range []string{"", "/x", "ftp://h", "h:80"} {
		u, err := url.Parse(to)
		if err != nil {
			u = nil
		}
		if err := Serve(t.Context(), Options{To: u, Sink: newRecorder()}); !errors.Is(err, probes.ErrUsage) {
			t.Errorf("%q: %v", to, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, _ := url.Parse("http://127.0.0.1:1")
	if err := Serve(t.Context(), Options{Listen: l.Addr().String(), To: u, Sink: newRecorder()}); !errors.Is(err, probes.ErrUsage) || probes.HintOf(err) == "" {
		t.Errorf("a port in use: %v", err)
	}
	if got := listenAddress(":9000"); got != "127.0.0.1:9000" {
		t.Errorf(":9000 listens on %s", got)
	}
	if got := listenAddress("0.0.0.0:9000"); got != "0.0.0.0:9000" {
		t.Errorf("told to listen on %s", got)
	}
}
