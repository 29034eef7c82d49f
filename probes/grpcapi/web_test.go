package grpcapi

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"iscope/probes"
)

// webServer answers as the specifications of gRPC-Web and Connect say, one answer
// for each method; the contract comes from sources.
func webServer(t *testing.T, proto protocol, secure bool, answers map[string]http.HandlerFunc) *probe {
	t.Helper()
	mux := http.NewServeMux()
	for method, answer := range answers {
		mux.HandleFunc("/probe.v1.Probe/"+method, answer)
	}
	server := httptest.NewUnstartedServer(mux)
	target := probes.Target{Name: "fixture", Driver: "grpc",
		Options:     map[string]string{optProtocol: string(proto), optProto: "testdata/proto/probe/v1/probe.proto", optImport: "testdata/proto", optMaxMessage: "1000"},
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
	if secure {
		a := newAuthority(t, "web")
		cert, _, _ := a.issue("127.0.0.1", time.Hour)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		server.EnableHTTP2 = true
		server.StartTLS()
		target.TLS = probes.TLS{Enabled: true, CAFile: a.file}
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	target.Address = server.Listener.Addr().String()
	return dial(t, target)
}

// frameOf is a message with its five bytes.
func frameOf(flags byte, b []byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(b)))
	return append(out, b...)
}

// named is a probe.v1.Item, which has its name in field 1.
func named(sku string) []byte { return field(1, []byte(sku)) }

func write(w http.ResponseWriter, contentType string, parts ...[]byte) {
	w.Header().Set("Content-Type", contentType)
	for _, p := range parts {
		w.Write(p)
	}
}

func TestConnectAnswers(t *testing.T) {
	detail, err := proto.Marshal(durationpb.New(1500000000))
	if err != nil {
		t.Fatal(err)
	}
	var seen *http.Request
	var body []byte
	answers := map[string]http.HandlerFunc{
		"Peek": func(w http.ResponseWriter, r *http.Request) {
			seen = r
			body, _ = io.ReadAll(r.Body)
			z, _ := compress(named("a"))
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Trailer-X-Cost", "7")
			w.Header().Set("X-Raw-Bin", "AP8")
			write(w, "application/proto", z)
		},
		"Fail": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintf(w, `{"code":"already_exists","message":"∞ there","details":[{"type":"google.protobuf.Duration","value":%q,"debug":{}}]}`,
				base64.RawStdEncoding.EncodeToString(detail))
		},
		"Hang": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"GetAny": func(w http.ResponseWriter, r *http.Request) { write(w, "text/html", []byte("<html>")) },
		"GetBig": func(w http.ResponseWriter, r *http.Request) { write(w, "application/proto", make([]byte, 1001)) },
		"ListNumbers": func(w http.ResponseWriter, r *http.Request) {
			write(w, "application/connect+proto", frameOf(0, []byte{8, 1}), frameOf(0, []byte{8, 2}),
				frameOf(2, []byte(`{"error":{"code":"canceled","message":"enough"},"metadata":{"x-cost":["8"]}}`)))
		},
		"WatchForever": func(w http.ResponseWriter, r *http.Request) {
			write(w, "application/connect+proto", frameOf(0, []byte{8, 1}), []byte{0, 0}) // and then nothing
		},
	}
	for _, secure := range []bool{false, true} {
		p := webServer(t, protoConnect, secure, answers)
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Peek", Next: docs(`{"sku":"x"}`), Compression: "gzip"})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(`request {"sku":"x"} | response {"sku":"a"} | end OK`, shape(recs)); d != "" {
				t.Error(d)
			}
			if got, err := decompress(body, 100); err != nil || string(got) != string(named("x")) || seen.Header.Get("Connect-Protocol-Version") != "1" {
				t.Errorf("sent %q, %v, header %v", got, err, seen.Header)
			}
			end := recs[2]
			if v, _ := end.HeaderValue("x-cost"); string(v) != "7" {
				t.Errorf("no trailer in %v", end.Header)
			}
			if v, _ := end.HeaderValue("x-raw-bin"); string(v) != "\x00\xff" {
				t.Errorf("no binary header in %v", end.Header)
			}
			if v, _ := end.Attr(probes.TimingTLS); secure == (v == "") {
				t.Errorf("TLS took %q in %v", v, end.Attrs)
			}
			if v, _ := end.Attr(probes.AttrProtocol); v != "connect" {
				t.Errorf("protocol is %q", v)
			}
			for _, c := range []struct{ method, shape, err string }{
				{"Fail", `end ALREADY_EXISTS`, "ALREADY_EXISTS (6): ∞ there"},
				{"Hang", `end UNAVAILABLE`, "UNAVAILABLE (14): unexpected HTTP status code received from server: 503 (Service Unavailable)"},
				{"GetNewer", `end UNIMPLEMENTED`, "UNIMPLEMENTED (12): the server has no such path (HTTP 404)"},
				{"GetAny", `end INTERNAL`, `INTERNAL (13): the answer is no connect: its content type is "text/html"`},
				{"ListNumbers", `response {"value":"1"} | response {"value":"2"} | end CANCELLED`, "CANCELLED (1): enough"},
			} {
				recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/" + c.method})
				if err != nil {
					t.Errorf("%s: %v", c.method, err)
					continue
				}
				end := recs[len(recs)-1]
				if d := cmp.Diff([]string{"request {} | " + c.shape, c.err}, []string{shape(recs), end.Err}); d != "" {
					t.Errorf("%s (-want +got)\n%s", c.method, d)
				}
				if c.method == "Fail" && !strings.Contains(string(end.Body), `"value":"1.500s"`) {
					t.Errorf("details: %s", end.Body)
				}
			}
			_, err = collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/GetBig"})
			wantError(t, err, probes.ErrLimit, "larger than max (1001 vs. 1000)", optMaxMessage)
			recs, err = collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/WatchForever"})
			wantError(t, err, probes.ErrUnreachable, "unexpected EOF", "")
			if d := cmp.Diff(`request {} | response {"value":"1"}`, shape(recs)); d != "" {
				t.Errorf("what arrived is kept (-want +got)\n%s", d)
			}
		})
	}
}

func TestGRPCWebAnswers(t *testing.T) {
	trailers := func(s string) []byte { return frameOf(flagWebTrailers, []byte(s)) }
	answers := map[string]http.HandlerFunc{
		"Peek": func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			z, _ := compress(b[frameHeader:])
			w.Header().Set("Grpc-Encoding", "gzip")
			write(w, webType+"+proto", frameOf(flagCompressed, z), trailers("grpc-status: 0\r\nX-Cost: 7\r\n"))
		},
		"Fail": func(w http.ResponseWriter, r *http.Request) { // status in the headers, no body
			w.Header().Set("Grpc-Status", "5")
			w.Header().Set("Grpc-Message", "no %E2%88%9E 100%")
			write(w, webType)
		},
		"GetNewer": func(w http.ResponseWriter, r *http.Request) { write(w, webType, frameOf(0, nil)) },
		"GetAny":   func(w http.ResponseWriter, r *http.Request) { write(w, webType, trailers("nonsense")) },
		"GetBig":   func(w http.ResponseWriter, r *http.Request) { write(w, webType, []byte("\x00\xff\xff\xff\xff")) },
		"ListNumbers": func(w http.ResponseWriter, r *http.Request) {
			write(w, webType, frameOf(0, []byte{8, 1}), trailers("grpc-status:0\r\n\r\n"))
		},
		"WatchForever": func(w http.ResponseWriter, r *http.Request) { write(w, webType, frameOf(0, []byte{8, 1})) },
	}
	p := webServer(t, protoWeb, false, answers)
	for _, c := range []struct{ method, shape, err string }{
		{"Peek", `response {} | end OK`, ""},
		{"Fail", `end NOT_FOUND`, "NOT_FOUND (5): no %E2%88%9E 100%"},
		{"GetAny", `end INTERNAL`, `INTERNAL (13): malformed trailers: malformed MIME header: missing colon: "nonsense"`},
		{"ListNumbers", `response {"value":"1"} | end OK`, ""},
		{"Old", `end UNIMPLEMENTED`, "UNIMPLEMENTED (12): the server has no such path (HTTP 404)"},
	} {
		in := probes.Invocation{Method: "probe.v1.Probe/" + c.method}
		request := "request {} | "
		if c.method == "Old" {
			in.Next = docs(`{"id":"1","part":{"size":1}}`)
			request = `request {"id":"1","part":{"size":"1"}} | `
		}
		recs, err := collect(within(t), p, in)
		if err != nil {
			t.Errorf("%s: %v", c.method, err)
			continue
		}
		if d := cmp.Diff([]string{request + c.shape, c.err}, []string{shape(recs), recs[len(recs)-1].Err}); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.method, d)
		}
	}
	for _, method := range []string{"WatchForever", "GetNewer"} {
		_, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/" + method})
		wantError(t, err, probes.ErrUnreachable, "ended without a status", "")
	}
	_, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/GetBig"})
	wantError(t, err, probes.ErrLimit, "larger than max (4294967295 vs. 1000)", optMaxMessage)
}

// Servers pad each frame, or none but the last, and send them in any pieces.
func TestBase64InPieces(t *testing.T) {
	text := base64.StdEncoding.EncodeToString([]byte("a")) + base64.StdEncoding.EncodeToString([]byte("bcd")) + base64.StdEncoding.EncodeToString([]byte("ef"))
	for size := 1; size <= len(text); size++ {
		got, err := io.ReadAll(&quads{from: &pieces{text, size}})
		if err != nil || string(got) != "abcdef" {
			t.Errorf("in pieces of %d: %q, %v", size, got, err)
		}
	}
	if _, err := io.ReadAll(&quads{from: strings.NewReader("YQ=")}); err != io.ErrUnexpectedEOF {
		t.Errorf("cut off: %v", err)
	}
}

// pieces reads a text a few bytes at a time.
type pieces struct {
	rest string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.size)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func TestWebFaults(t *testing.T) {
	for _, proto := range []protocol{protoConnect, protoWeb} {
		t.Run(string(proto), func(t *testing.T) {
			target := probes.Target{Name: "fixture", Driver: "grpc", Address: freeAddress(t), Options: map[string]string{optProtocol: string(proto)}}
			_, err := dial(t, target).Methods(within(t))
			wantError(t, err, probes.ErrUnreachable, "nothing listens on "+target.Address, "start the server")

			plain := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(plain.Close)
			target.Address = plain.Listener.Addr().String()
			_, err = dial(t, target).Methods(within(t))
			wantError(t, err, probes.ErrUnsupported, "no reflection", optProto)

			target.TLS.Enabled = true
			_, err = dial(t, target).Methods(within(t))
			wantError(t, err, probes.ErrTLS, "plaintext HTTP/1 server", "")

			secure := httptest.NewUnstartedServer(http.NotFoundHandler())
			secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of what the test is about
			secure.StartTLS()
			t.Cleanup(secure.Close)
			target.TLS.Enabled, target.Address = false, secure.Listener.Addr().String()
			_, err = dial(t, target).Methods(within(t))
			wantError(t, err, probes.ErrTLS, "the server speaks TLS", "use grpcs://"+target.Address)
		})
	}
}
