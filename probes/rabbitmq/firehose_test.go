package rabbitmq

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

func (b *bed) traced(t testing.TB) bool {
	t.Helper()
	var v vhost
	b.api(t, "GET", "/api/vhosts/"+b.vhost, nil, &v)
	if v.Description != "of a test" || len(v.Tags) != 2 {
		t.Errorf("the vhost became %+v", v)
	}
	return v.Tracing
}

func (b *bed) trace(t testing.TB, on bool) {
	t.Helper()
	b.api(t, "PUT", "/api/vhosts/"+b.vhost, map[string]any{"tracing": on, "description": "of a test", "tags": "one,two"}, nil)
}

// TestFirehoseShowsWhatAQueueGets: from any exchange and straight to it, whole,
// and nothing else's.
func TestFirehoseShowsWhatAQueueGets(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := newBed(t)
	b.exchange(t, "x", "topic", nil)
	b.queue(t, "q", nil)
	b.queue(t, "other", nil)
	b.bind(t, "q", "a.*", "x")
	b.bind(t, "other", "#", "x")
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "queue/q"})
	b.bound(t, traceExchange)
	headers := amqp.Table{"h\xff": int64(5), "nested": amqp.Table{"a": []any{true}}}
	b.publish(t, "x", "b.c", []byte("not for q"))
	b.publish(t, "", "other", []byte("not for q"))
	b.send(t, "x", "a.b", amqp.Publishing{Body: []byte("\x00\xff"), Headers: headers, ContentType: "text/plain", MessageId: "m",
		DeliveryMode: 2, Priority: 3, CorrelationId: "c", AppId: "app"})
	b.publish(t, "", "q", []byte("straight"))
	r := f.message()
	if string(r.Body) != "\x00\xff" || string(r.Key) != "a.b" {
		t.Errorf("got %+v", r)
	}
	for name, want := range map[string]string{probes.AttrDestination: "x", attrMessageID: "m", attrMode: "2", attrPriority: "3",
		attrCorrelation: "c", attrAppID: "app", attrRoutedTo: "other,q"} {
		if got, _ := r.Attr(name); got != want && name != attrRoutedTo {
			t.Errorf("%s is %q", name, got)
		}
	}
	if routed, _ := r.Attr(attrRoutedTo); !strings.Contains(routed, "q") || !strings.Contains(routed, "other") {
		t.Errorf("routed to %q", routed)
	}
	msg, err := compose(&r, "")
	if err != nil || msg.Headers["h\xff"] != int64(5) || msg.ContentType != "text/plain" {
		t.Errorf("composed again: %+v %v", msg, err)
	}
	if r := f.message(); string(r.Body) != "straight" || string(r.Key) != "q" {
		t.Errorf("got %+v", r)
	}
}

func TestFirehoseRefused(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := newBed(t)
	b.exchange(t, "x", "topic", nil)
	b.queue(t, "q", nil)
	b.bind(t, "q", "#", "x")
	low := b.newUser(t, "management")
	b.allow(t, low, ".*", ".*", ".*")
	readOnly := func(t *probes.Target) { t.Environment.Write = false }
	for _, c := range []struct {
		name string
		edit func(*probes.Target)
		kind error
		hint string
	}{
		{"read-only", readOnly, probes.ErrRefused, "exchange/x"},
		{"forbidden by option", func(t *probes.Target) { t.Options[optFirehose] = "false" }, probes.ErrRefused, "peek"},
		{"no API", amqpOnly, probes.ErrRefused, "peek"},
		{"no administrator", func(t *probes.Target) {
			t.Auth = probes.Auth{Username: low, Password: probes.NewSecret("secret")}
		}, probes.ErrDenied, "administrator"},
		{"nowhere to note it", func(*probes.Target) {
			file := filepath.Join(os.Getenv("XDG_STATE_HOME"), "iscope")
			if err := os.WriteFile(file, nil, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
				panic(err)
			}
		}, probes.ErrRefused, "XDG_STATE_HOME"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := ending(t, b.open(t, c.edit), probes.TailQuery{Subject: "queue/q"})
			wantKind(t, err, c.kind)
			if !strings.Contains(probes.HintOf(err), c.hint) {
				t.Errorf("%v, hint %q", err, probes.HintOf(err))
			}
			if b.traced(t) {
				t.Error("the firehose is on")
			}
		})
	}
}

// TestFirehoseStaysOn: it was on before us, and is on after us.
func TestFirehoseStaysOn(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := newBed(t)
	b.queue(t, "q", nil)
	b.trace(t, true)
	f := b.follow(t, b.open(t, func(t *probes.Target) { t.Environment.Write = false }), probes.TailQuery{Subject: "queue/q"})
	b.bound(t, traceExchange)
	b.publish(t, "", "q", []byte("m"))
	f.message()
	f.end()
	if !b.traced(t) {
		t.Error("it was switched off")
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv("XDG_STATE_HOME"), "iscope", "rabbitmq", "*.json"))
	if err != nil || len(files) > 0 {
		t.Errorf("%v are left (%v)", files, err)
	}
}

// TestFirehoseIsShared: the last of several tails switches it off, whichever
// that is, also beside one that was killed.
func TestFirehoseIsShared(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := newBed(t)
	b.queue(t, "q", nil)
	kid := b.child(t, "queue/q", 0)
	kid.until("deed changed")
	b.bound(t, traceExchange)
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "queue/q"})
	g := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "queue/q"})
	seen := func(f *following) {
		t.Helper()
		wait(t, "a message", func() bool { b.publish(t, "", "q", []byte("m")); return len(f.recs) > 0 })
	}
	seen(f)
	seen(g)
	kid.kill()
	f.end()
	if !b.traced(t) {
		t.Fatal("switched off under another tail")
	}
	if err := b.open(t, nil).Check(limit(t)); err != nil { // sweeps nothing: g lives
		t.Fatal(err)
	}
	for len(g.recs) > 0 {
		g.next()
	}
	seen(g)
	g.end()
	if b.traced(t) {
		t.Error("still on")
	}
}

// TestFirehoseSwitchedOffByOthers ends the tail with the reason, instead of
// staying silent.
func TestFirehoseSwitchedOffByOthers(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	b := newBed(t)
	b.queue(t, "q", nil)
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "queue/q"})
	b.bound(t, traceExchange)
	b.trace(t, false)
	wantKind(t, f.failed(), probes.ErrIncomplete)
	if b.traced(t) {
		t.Error("it was switched on again")
	}
}
