package httpapi

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// TestEventsArriveOneByOne has a server that sends the next event only when the
// one before has been seen, longer than the target's timeout allows a request.
func TestEventsArriveOneByOne(t *testing.T) {
	next := make(chan struct{})
	const timeout = 500 * time.Millisecond
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		var out io.Writer = w
		flush := w.(http.Flusher).Flush
		if r.URL.Path == "/zipped" {
			w.Header().Set("Content-Encoding", "gzip")
			zw := gzip.NewWriter(w)
			defer zw.Close()
			out = zw
			flush = func() { zw.Flush(); w.(http.Flusher).Flush() }
		}
		for i := range 3 {
			if i == 2 && r.URL.Path == "/plain" {
				<-time.After(timeout + 100*time.Millisecond) // outlast it
			}
			fmt.Fprintf(out, "event: tick\nid: %d\ndata: {\"n\":%d}\n\n", i, i)
			flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	})
	tg := noDoc(srv.URL)
	tg.Timeout = timeout
	p := openTarget(t, tg)
	for _, path := range []string{"/plain", "/zipped"} {
		var got []string
		for rec, err := range p.Invoke(patience(t), probes.Invocation{Method: "GET " + path}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %s %s %v", rec.Kind, rec.Body, attr(rec, attrEventID), len(rec.Header) > 0))
			if rec.Kind == probes.Response {
				next <- struct{}{}
			}
		}
		want := []string{"request   true", `response {"n":0} 0 true`, `response {"n":1} 1 false`, `response {"n":2} 2 false`, "end   false"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	// A deadline asked for holds for a stream too.
	in := probes.Invocation{Method: "GET /plain", Deadline: 400 * time.Millisecond}
	var last error
	n := 0
	for _, err := range p.Invoke(patience(t), in) {
		last = err
		n++
	}
	wantError(t, last, probes.ErrTimeout, "within 400ms")
	if n != 3 {
		t.Errorf("%d records, want a request, an event and the error", n)
	}
}

func TestStreamWithoutEvents(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusServiceUnavailable)
		if r.URL.Path == "/cut" {
			io.WriteString(w, "data: a\n\ndata: b\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	p := openTarget(t, noDoc(srv.URL))
	_, resp, end := mustInvoke(t, p, "GET /none", "")
	if len(resp.Header) == 0 || end.Err != "503 Service Unavailable" {
		t.Errorf("response %+v, end %+v", resp, end)
	}
	recs, err := invoke(t, p, "GET /cut", "")
	wantError(t, err, probes.ErrUnreachable)
	if len(recs) != 3 || string(recs[2].Body) != "b" || recs[2].Err == "" {
		t.Errorf("records %+v", recs)
	}
}
