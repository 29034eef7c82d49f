package probetest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Instance is a real server that one test has to itself: it may be killed,
// paused and started again on the same addresses and data, which no shared
// server may.
type Instance struct {
	Server
	t       testing.TB
	control string
}

// Own starts a private copy of the named server, for as long as the test runs.
// It skips or fails the test like Need. Starting takes what the server takes:
// seconds for those on the JVM or Erlang.
func Own(t testing.TB, name string) *Instance {
	t.Helper()
	Need(t, name)
	base := Lookup("testenv").Addresses["control"]
	if base == "" {
		t.Fatalf("%s names no control address; run the tests with: go run ./cmd/testenv test", EnvFile)
	}
	var answer struct {
		ID     string
		Server Server
	}
	body := call(t, http.MethodPost, base+"/own?server="+name)
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("starting a %s: %v in %q", name, err, body)
	}
	i := &Instance{Server: answer.Server, t: t, control: base + "/own/" + answer.ID}
	t.Cleanup(func() { call(t, http.MethodDelete, i.control) })
	return i
}

// Kill ends the server at once, as a crash does.
func (i *Instance) Kill() { i.act("kill") }

// Start starts it again and returns when it is ready.
func (i *Instance) Start() { i.act("start") }

// Pause stops it from running without closing its connections.
func (i *Instance) Pause() { i.act("pause") }

// Resume ends a pause.
func (i *Instance) Resume() { i.act("resume") }

func (i *Instance) act(action string) {
	i.t.Helper()
	call(i.t, http.MethodPost, i.control+"/"+action)
}

func call(t testing.TB, method, url string) []byte {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	// A transport of its own: a kept connection would be a goroutine that tests
	// for leaks find.
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the testbed answers %s: %s %v", resp.Status, strings.TrimSpace(string(body)), err)
	}
	return body
}
