package aws

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"iscope/probes"
)

// script is a server that answers as AWS would in situations that no stand-in
// for it gets into.
type script struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
	on    map[string]func(c call, w http.ResponseWriter)
}

type call struct {
	Op     string
	JSON   map[string]any // of SQS
	Form   url.Values     // of SNS and STS
	Header http.Header
	Nth    int // of this operation, from 1
}

// newScript answers operations that have no part in it with an empty success.
func newScript(t testing.TB, on map[string]func(call, http.ResponseWriter)) *script {
	t.Helper()
	s := &script{on: on}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c := call{Header: r.Header}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, c.Op, _ = strings.Cut(target, ".")
		_ = json.Unmarshal(body, &c.JSON)
	} else {
		c.Form, _ = url.ParseQuery(string(body))
		c.Op = c.Form.Get("Action")
	}
	s.mu.Lock()
	c.Nth = 1
	for _, earlier := range s.calls {
		if earlier.Op == c.Op {
			c.Nth++
		}
	}
	s.calls = append(s.calls, c)
	s.mu.Unlock()
	if do, ok := s.on[c.Op]; ok {
		do(c, w)
		return
	}
	if c.Form != nil {
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult></%[1]sResult></%[1]sResponse>", c.Op)
		return
	}
	io.WriteString(w, "{}")
}

// ops lists what was called.
func (s *script) ops() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		out = append(out, c.Op)
	}
	return out
}

func (s *script) count(op string) (n int) {
	for _, o := range s.ops() {
		if o == op {
			n++
		}
	}
	return n
}

const plantedToken = "session-token-never-shown"

func (s *script) target(driver string) probes.Target {
	return probes.Target{Name: "scripted", Driver: driver, Address: s.URL, Options: map[string]string{},
		Auth:        probes.Auth{Username: "AKIDEXAMPLE", Password: probes.NewSecret("secret-never-shown"), Token: probes.NewSecret(plantedToken)},
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
}

func (s *script) open(t testing.TB, driver string) *probes.Conn {
	return openTarget(t, s.target(driver))
}

// answers JSON.
func answers(doc any) func(call, http.ResponseWriter) {
	return func(_ call, w http.ResponseWriter) { json.NewEncoder(w).Encode(doc) }
}

// refuses with an error in the form of the operation's protocol.
func refuses(status int, code, message string) func(call, http.ResponseWriter) {
	return func(c call, w http.ResponseWriter) {
		if c.Form != nil {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>", code, message)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": message})
	}
}

// first does one thing for the first n calls of an operation, then another.
func first(n int, do, then func(call, http.ResponseWriter)) func(call, http.ResponseWriter) {
	return func(c call, w http.ResponseWriter) {
		if c.Nth <= n {
			do(c, w)
			return
		}
		then(c, w)
	}
}

// hangUp closes the connection without an answer.
func hangUp(_ call, w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

// pemOf is the certificate of a TLS server.
func pemOf(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
