package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"iscope/probes"
)

const full = `
default: shop
environments:
  shop:
    class: local
    targets:
      shop-kafka:
        url: kafka://${env:HOST}:9092,other:9093
        tls: {ca: ca.pem, cert: /abs/c.pem, key: ~/k.pem, server_name: broker}
        auth: {mechanism: scram-sha-512, username: u, password: "pre-${env:PW}"}
        aliases: [orders, bus]
        timeout: 1m30s
        schemas:
          registry: "http://${env:HOST}:8081"
          auth: {username: r, password: "${env:PW}"}
          strategy: TopicRecordName
          records: [orders=shop.Order]
          files: [orders.created=./o.avsc, "pay:key=/abs/p.proto#pay.Key", plain.json]
          imports: [proto]
      shop-api:
        url: https://api.test/v1/
        auth: {token: "${file:token}", header: X-Key}
        options: {openapi: ./api.yaml, strict: true, depth: "${env:DEPTH}", every: 5s}
      shop-cmd:
        url: http://me@h:1
        auth: {password: "${cmd:printf '%s\n' 'from a command'}"}
  live:
    class: prod
    targets:
      pay: {url: "kafka+tls://pay:9092"}
`

func vars() map[string]string {
	return map[string]string{"HOST": "broker.test", "PW": "hunter2", "DEPTH": "3", "HOME": "/home/u"}
}

func TestTargetResolvesReferences(t *testing.T) {
	c := load(t, full, env(vars()))
	dir := filepath.Dir(c.Location().Path)
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("t0ken\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	local := probes.Environment{Name: "shop", Class: probes.ClassLocal, Write: true, Dial: true}
	for _, want := range []probes.Target{
		{Name: "shop-kafka", Driver: "kafka", Address: "broker.test:9092,other:9093", Environment: local,
			TLS:     probes.TLS{Enabled: true, CAFile: filepath.Join(dir, "ca.pem"), CertFile: "/abs/c.pem", KeyFile: "/home/u/k.pem", ServerName: "broker"},
			Auth:    probes.Auth{Mechanism: "scram-sha-512", Username: "u", Password: probes.NewSecret("pre-hunter2")},
			Options: map[string]string{}, Aliases: []string{"orders", "bus"}, Timeout: 90 * time.Second,
			Schemas: probes.Schemas{Registry: "http://broker.test:8081", Auth: probes.Auth{Username: "r", Password: probes.NewSecret("hunter2")},
				Strategy: "TopicRecordName", Records: []string{"orders=shop.Order"}, Imports: []string{filepath.Join(dir, "proto")},
				Files: []string{"orders.created=" + filepath.Join(dir, "o.avsc"), "pay:key=/abs/p.proto#pay.Key", "*=" + filepath.Join(dir, "plain.json")}}},
		{Name: "shop-api", Driver: "http", Address: "api.test/v1", Environment: local, TLS: probes.TLS{Enabled: true},
			Auth:    probes.Auth{Token: probes.NewSecret("t0ken"), Header: "X-Key"},
			Options: map[string]string{"openapi": filepath.Join(dir, "api.yaml"), "strict": "true", "depth": "3", "every": "5s"}},
		{Name: "shop-cmd", Driver: "http", Address: "h:1", Environment: local, Options: map[string]string{},
			Auth: probes.Auth{Username: "me", Password: probes.NewSecret("from a command")}},
	} {
		got, err := c.Target("", want.Name)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(probes.Secret{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Name, diff)
		}
	}
	if got, err := c.Target("shop", "orders"); err != nil || got.Name != "shop-kafka" {
		t.Errorf("by alias: %v, %v", got.Name, err)
	}
	live, err := c.Target("live", "pay")
	if err != nil || live.Environment != (probes.Environment{Name: "live", Class: probes.ClassProd}) || !live.TLS.Enabled {
		t.Errorf("got %+v, %v", live, err)
	}
}

func TestTargetFailuresSayWhereAndNoSecret(t *testing.T) {
	dir := t.TempDir()
	big, empty := filepath.Join(dir, "big"), filepath.Join(dir, "empty")
	if os.WriteFile(big, make([]byte, maxSecret+1), 0o600) != nil || os.WriteFile(empty, []byte("\n"), 0o600) != nil {
		t.Fatal("no test files")
	}
	for _, tc := range []struct{ name, target, want string }{
		{"variable not set", `url: "http://h:1", auth: {token: "${env:NOPE}"}`, "6:44: environment variable NOPE is not set"},
		{"no such file", `url: "http://h:1", auth: {token: "${file:/nope}"}`, "reading /nope: no such file"},
		{"folder", `url: "http://h:1", auth: {token: "${file:` + dir + `}"}`, "is no regular file"},
		{"empty file", `url: "http://h:1", auth: {token: "${file:` + empty + `}"}`, "is empty"},
		{"big file", `url: "http://h:1", auth: {token: "${file:` + big + `}"}`, "larger than 64 KiB"},
		{"no such command", `url: "http://h:1", auth: {token: "${cmd:iscope-nope hunter2}"}`, "command iscope-nope: executable file not found"},
		{"failing command", `url: "http://h:1", auth: {token: "${cmd:sh -c 'echo hunter2; exit 3'}"}`, "command sh: exit status 3"},
		{"silent command", `url: "http://h:1", auth: {token: "${cmd:true}"}`, "printed nothing"},
		{"bad url", `url: "http://h:${env:PW}"`, "with its references filled in, it is no valid target"},
		{"bad scheme", `url: "${env:PW}"`, "with its references filled in, it is no valid target"},
		{"password in the url", `url: "${env:URL}"`, "it holds a password"},
		{"bad option", `url: "http://h:1", options: {depth: "${env:PW}"}`, "option depth: expected a whole number"},
		{"unknown option", `url: "${env:OK}", options: {dpth: 1}`, `unknown option "dpth" of driver http; did you mean depth?`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			getenv := env(map[string]string{"PW": "hunter2", "URL": "http://me:hunter2@h:1", "OK": "http://h:1"})
			c := load(t, "environments:\n\n  e:\n    class: dev\n    targets:\n      t: {"+tc.target+"}\n", getenv)
			got, err := c.Target("", "t")
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), c.Location().Path+":6:") {
				t.Fatalf("got %v", err)
			}
			if !errors.Is(err, probes.ErrUsage) || strings.Contains(fmt.Sprintf("%v %+v", err, got), "hunter2") {
				t.Errorf("kind %v, %v %+v", probes.KindOf(err), err, got)
			}
		})
	}
}

func TestACommandThatHangsIsEnded(t *testing.T) {
	ctx, cancel := context.WithDeadline(context.Background(), time.Now())
	defer cancel()
	if _, err := runCommand(ctx, "sleep 600", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := runCommand(ctx, "sleep 600", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCommandsNeedTheUsersOwnFile(t *testing.T) {
	src := []byte(`environments: {e: {targets: {t: {url: "${env:U}", auth: {token: "${cmd:true}"}}}}}`)
	if _, err := parse(Location{"iscope.yaml", FromFolder}, src, testDrivers(), noEnv); err == nil || !strings.Contains(err.Error(), "--config") {
		t.Errorf("got %v", err)
	}
	for _, o := range []Origin{FromFlag, FromEnv, FromUser} {
		if _, err := parse(Location{"iscope.yaml", o}, src, testDrivers(), noEnv); err != nil {
			t.Errorf("origin %d: %v", o, err)
		}
	}
}

func TestUnknownNamesSayWhatThereIs(t *testing.T) {
	c := load(t, full, env(vars()))
	for _, tc := range []struct{ env, target, hint string }{
		{"", "shop-kafak", "shop-kafka"},
		{"", "pay", "pass --env live"},
		{"lvie", "pay", "did you mean live?"},
	} {
		_, err := c.Target(tc.env, tc.target)
		if !errors.Is(err, probes.ErrNotFound) || !strings.Contains(probes.HintOf(err), tc.hint) {
			t.Errorf("%s/%s: %v; %s", tc.env, tc.target, err, probes.HintOf(err))
		}
	}
	if _, err := Empty(nil).Target("", "x"); !errors.Is(err, probes.ErrNotFound) || probes.HintOf(err) == "" {
		t.Errorf("without a file: %v", err)
	}
}

func TestDefaultEnvironment(t *testing.T) {
	two := "environments: {a: {class: dev}, b: {write: true}}\n"
	if _, err := load(t, two, noEnv).Environment(""); !errors.Is(err, probes.ErrUsage) || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("without a default: %v", err)
	}
	e, err := load(t, "default: b\n"+two, noEnv).Environment("")
	if err != nil || e != (probes.Environment{Name: "b", Class: probes.ClassUnknown, Write: true}) {
		t.Errorf("got %+v, %v", e, err)
	}
	e, err = load(t, "environments: {only: {class: dev, dial: false}}", noEnv).Environment("")
	if err != nil || e != (probes.Environment{Name: "only", Class: probes.ClassDev, Write: true}) {
		t.Errorf("got %+v, %v", e, err)
	}
	if names := load(t, full, noEnv).TargetNames(""); fmt.Sprint(names) != "[shop-kafka shop-api shop-cmd]" {
		t.Errorf("got %v", names)
	}
}

func TestAConfigNeverPrintsItself(t *testing.T) {
	c := load(t, `environments: {e: {targets: {t: {url: "http://h:1", auth: {token: hunter2}}}}}`, noEnv)
	target, err := c.Target("", "t")
	if err != nil {
		t.Fatal(err)
	}
	js, err := json.Marshal([]any{c, *c, target})
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v %v %+v %#v %v %+v %s", c, c, c, *c, *c, *c, target, target, js); strings.Contains(s, "hunter2") {
		t.Errorf("got %s", s)
	}
}

func TestWarnings(t *testing.T) {
	c := load(t, `
environments:
  e:
    targets:
      a: {url: "https://h:1", auth: {token: hunter2, password: "x${env:Y}"}, tls: {insecure_skip_verify: true}}
      b: {url: "https://h:1", auth: {token: "${env:Y}"}, options: {client_secret: hunter2}}
`, noEnv)
	if err := os.Chmod(c.Location().Path, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(c.Location(), testDrivers())
	if err != nil {
		t.Fatal(err)
	}
	ws := c.Warnings()
	got := strings.ReplaceAll(ws.Error(), c.Location().Path, "iscope.yaml")
	golden(t, "testdata/warnings.want", got+"\n")
}

func TestSplitArgs(t *testing.T) {
	for in, want := range map[string][]string{
		`pass show kafka`:           {"pass", "show", "kafka"},
		`  a  'b c'  "d 'e' \" f" `: {"a", "b c", `d 'e' " f`},
		`a\ b '' 'x\y'`:             {"a b", "", `x\y`},
	} {
		got, err := splitArgs(in)
		if err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "  ", "'a", `"a`, `a\`, "''"} {
		if got, err := splitArgs(in); err == nil {
			t.Errorf("%q gave %q", in, got)
		}
	}
}
