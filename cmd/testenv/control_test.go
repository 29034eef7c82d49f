package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAServerOfOnesOwn(t *testing.T) {
	b := testBed(t, "", script("s", "echo up; exec sleep 100"))
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer b.stop(false)
	base := b.answers["testenv"].Addresses["control"]
	do := func(method, path string) (int, string) {
		req, err := http.NewRequest(method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	status, body := do("POST", "/own?server=s")
	var own struct {
		ID     string
		Server answer
	}
	if err := json.Unmarshal([]byte(body), &own); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, body, err)
	}
	if own.Server.Addresses["addr"] == b.answers["s"].Addresses["addr"] {
		t.Error("the private server has the shared one's address")
	}
	proc := b.control.own[own.ID].proc
	for _, action := range []string{"pause", "resume", "kill", "start"} {
		if status, body := do("POST", "/own/"+own.ID+"/"+action); status != 200 {
			t.Errorf("%s: %d %s", action, status, body)
		}
	}
	gone(t, proc.cmd.Process.Pid)
	if status, body := do("POST", "/own/"+own.ID+"/start"); status == 200 {
		t.Errorf("started twice: %s", body)
	}
	proc = b.control.own[own.ID].proc
	if status, body := do("DELETE", "/own/"+own.ID); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	gone(t, proc.cmd.Process.Pid)
	if status, body := do("POST", "/own?server=none"); status != 404 || !strings.Contains(body, "none") {
		t.Errorf("%d %s", status, body)
	}
}
