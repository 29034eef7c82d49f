package httpapi

import (
	"bytes"
	stdflate "compress/flate"
	stdgzip "compress/gzip"
	stdzlib "compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// coded codes a text by the standard library, which the driver does not use.
func coded(t testing.TB, coding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = stdgzip.NewWriter(&b)
	case "deflate":
		w = stdzlib.NewWriter(&b)
	case "raw deflate":
		w, _ = stdflate.NewWriter(&b, 6)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	}
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestCodingsOfAnswers(t *testing.T) {
	text := strings.Repeat("abc ", 5000)
	for _, c := range []struct{ header, body, want, note string }{
		{"gzip", coded(t, "gzip", text), text, ""},
		{"x-gzip", coded(t, "gzip", text), text, ""},
		{"deflate", coded(t, "deflate", text), text, ""},
		{"deflate", coded(t, "raw deflate", text), text, ""},
		{"zstd", coded(t, "zstd", text), text, ""},
		{"deflate, gzip", coded(t, "gzip", coded(t, "deflate", text)), text, ""},
		{"identity", text, text, ""},
		{"br", "not brotli at all", "not brotli at all", `kept in its coding "br", which is not decoded`},
		{"br, gzip", coded(t, "gzip", "inner"), "inner", `kept in its coding "br", which is not decoded`},
		{"gzip", "", "", ""},
		{"none", text, text, ""},
		{"UTF-8", text, text, `as it came: "utf-8" is no coding`},
	} {
		t.Run(c.header, func(t *testing.T) {
			srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", c.header)
				io.WriteString(w, c.body)
			})
			_, resp, _ := mustInvoke(t, openTarget(t, noDoc(srv.URL)), "GET /x", "")
			if string(resp.Body) != c.want || attr(resp, probes.AttrWireSize) != itoa(len(c.body)) {
				t.Errorf("%d bytes, %s on the wire, want %d", len(resp.Body), attr(resp, probes.AttrWireSize), len(c.want))
			}
			if note := attr(resp, probes.AttrReason); !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
				t.Errorf("note %q", note)
			}
		})
	}
	for _, coding := range []string{"gzip", "deflate", "zstd"} {
		srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", coding)
			io.WriteString(w, "this is not in that coding")
		})
		_, err := invoke(t, openTarget(t, noDoc(srv.URL)), "GET /x", "")
		wantError(t, err, probes.ErrProtocol, "decoding the body")
	}
}

func TestRequestsAreCompressed(t *testing.T) {
	text := `{"a":"` + strings.Repeat("x", 5000) + `"}`
	for _, coding := range []string{"gzip", "deflate", "zstd"} {
		var s seen
		p := openTarget(t, noDoc(serve(t, "", s.handle).URL))
		req, _, _ := mustInvoke(t, p, "POST /any", text, func(in *probes.Invocation) { in.Compression = coding })
		got, body := s.request()
		d := httplink.NewDecoder(&http.Response{Header: http.Header{"Content-Encoding": {got.Header.Get("Content-Encoding")}}, Body: io.NopCloser(strings.NewReader(body))})
		plain, err := io.ReadAll(d)
		if err != nil || string(plain) != text || got.Header.Get("Content-Encoding") != coding || len(body) > 500 {
			t.Errorf("%s: %d bytes came, error %v", coding, len(body), err)
		}
		if string(req.Body) != text || attr(req, probes.AttrWireSize) != itoa(len(body)) {
			t.Errorf("%s: recorded %d bytes, %s on the wire", coding, len(req.Body), attr(req, probes.AttrWireSize))
		}
	}
	// A recorded request is sent as it was: coded again, or still.
	var s seen
	p := openTarget(t, noDoc(serve(t, "", s.handle).URL))
	for _, doc := range []string{text, coded(t, "gzip", text), "\x00" + text, "\x00" + coded(t, "gzip", text)} {
		mustInvoke(t, p, "POST /any", doc, header("Content-Encoding", "gzip"))
		_, body := s.request()
		if zr, err := stdgzip.NewReader(strings.NewReader(body)); err != nil {
			t.Errorf("%q: %v", doc[:2], err)
		} else if plain, _ := io.ReadAll(zr); string(plain) != text {
			t.Errorf("%q became %d bytes", doc[:2], len(plain))
		}
	}
	mustInvoke(t, p, "POST /any", "opaque", header("Content-Encoding", "br"))
	if _, body := s.request(); body != "opaque" {
		t.Errorf("a body in a coding of the caller's became %q", body)
	}
	for _, edit := range []func(*probes.Invocation){func(in *probes.Invocation) { in.Compression = "br" },
		func(in *probes.Invocation) {
			in.Compression = "gzip"
			header("Content-Encoding", "deflate")(in)
		}} {
		_, err := invoke(t, p, "POST /any", "{}", edit)
		wantError(t, err, probes.ErrUsage, "compression")
	}
}

// TestCodingThatIsNotUndone: a body in another coding is kept, and nothing is said
// of what may be in it.
func TestCodingThatIsNotUndone(t *testing.T) {
	const note = `coding "br", which is not decoded`
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/events" {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		io.WriteString(w, "\x8b\x02\x80opaque\n\n")
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	_, resp, _ := mustInvoke(t, p, "GET /orders/5", "")
	if attr(resp, probes.AttrViolation) != "" || !strings.Contains(attr(resp, attrUnchecked), note) || !strings.Contains(attr(resp, probes.AttrReason), note) {
		t.Errorf("%v", resp.Attrs)
	}
	_, resp, _ = mustInvoke(t, p, "GET /events", "")
	if string(resp.Body) != "\x8b\x02\x80opaque\n\n" || !strings.Contains(attr(resp, probes.AttrReason), note) {
		t.Errorf("events became %q, %v", resp.Body, resp.Attrs)
	}
	_, err := openTarget(t, target(srv.URL, optOpenAPI, "/openapi.json")).Methods(patience(t))
	wantError(t, err, probes.ErrNotFound, note)
}

// TestDocumentInABrokenCoding: it is passed over, like any answer that is no
// document.
func TestDocumentInABrokenCoding(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/openapi.json":
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "no gzip at all")
		case "/v3/api-docs":
			w.Write([]byte(read(t, "shop30.yaml")))
		default:
			http.NotFound(w, r)
		}
	})
	if got := snapshot(t, openTarget(t, target(srv.URL)), probes.DiscoverQuery{}).Claims[0].Call; got != "GET /v3/api-docs" {
		t.Errorf("found by %s", got)
	}
}

// BenchmarkLargeAnswer reads 50 MB; what it allocates is little more than that.
func BenchmarkLargeAnswer(b *testing.B) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 50<<20/16)
	srv := serve(b, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", itoa(len(large)))
		w.Write(large)
	})
	p := openTarget(b, noDoc(srv.URL))
	b.SetBytes(int64(len(large)))
	b.ReportAllocs()
	for b.Loop() {
		mustInvoke(b, p, "GET /x", "")
	}
}
