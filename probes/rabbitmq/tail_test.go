package rabbitmq

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

func wantKind(t testing.TB, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v (kind %v), want kind %q", err, probes.KindOf(err), kind)
	}
}

// ending runs a tail that must end with an error.
func ending(t testing.TB, p *probe, q probes.TailQuery) error {
	t.Helper()
	for _, err := range p.Tail(limit(t), q) {
		if err != nil {
			return err
		}
	}
	t.Fatal("the tail just ended")
	return nil
}

func TestTapOfEachType(t *testing.T) {
	b := newBed(t)
	for _, kind := range []string{"topic", "fanout", "direct", "headers"} {
		t.Run(kind, func(t *testing.T) {
			x, q := b.exchange(t, "x."+kind, kind, nil), b.queue(t, "q."+kind, nil)
			b.bind(t, q, "a.b", x)
			b.bind(t, q, "c", x)
			p := b.open(t, nil)
			f := b.follow(t, p, probes.TailQuery{Subject: "exchange/" + x})
			b.bound(t, x)
			// The last binding of a direct exchange may be a moment later.
			wait(t, "both bindings", func() bool { b.publish(t, x, "c", []byte("probe")); return len(f.recs) > 0 })
			b.publish(t, x, "a.b", []byte("one"))
			b.publish(t, x, "c", []byte("two"))
			var got []string
			for !slices.Contains(got, "two") {
				if r := f.next(); string(r.Body) != "probe" {
					got = append(got, string(r.Key)+" "+string(r.Body), string(r.Body))
				}
			}
			if want := []string{"a.b one", "one", "c two", "two"}; !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestTapOfOneKey(t *testing.T) {
	b := newBed(t)
	x := b.exchange(t, "x", "direct", nil)
	for subject, edit := range map[string]func(*probes.Target){
		"exchange/x?key=a": amqpOnly,
		"exchange/x":       func(t *probes.Target) { t.Options[optKey] = "a" },
	} {
		f := b.follow(t, b.open(t, edit), probes.TailQuery{Subject: subject})
		b.bound(t, x)
		b.publish(t, x, "b", []byte("not this"))
		b.publish(t, x, "a", []byte("this"))
		if r := f.message(); string(r.Body) != "this" {
			t.Errorf("%s: got %q", subject, r.Body)
		}
		f.end()
	}
}

// TestTapRefuses goes through what a tap would change for others.
func TestTapRefuses(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "hash", "direct", nil)
	for _, kind := range []string{"x-consistent-hash", "x-random", "x-modulus-hash", "x-recent-history"} {
		b.exchange(t, kind, kind, nil)
	}
	b.exchange(t, "aside", "fanout", nil)
	b.exchange(t, "guarded", "topic", amqp.Table{"alternate-exchange": "aside"})
	if err := b.channel(t).ExchangeDeclare("fleeting", "topic", true, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	before := b.left(t)
	for _, c := range []struct {
		subject, says string
		kind          error
		amqpOnly      bool
	}{
		{"exchange/", "default exchange", probes.ErrRefused, false},
		{"exchange/", "default exchange", probes.ErrRefused, true},
		{"exchange/x-consistent-hash", "shares its messages out", probes.ErrRefused, false},
		{"exchange/x-consistent-hash", "", probes.ErrRefused, true},
		{"exchange/x-random", "shares its messages out", probes.ErrRefused, false},
		{"exchange/x-random", "", probes.ErrRefused, true},
		{"exchange/x-modulus-hash", "shares its messages out", probes.ErrRefused, false},
		{"exchange/x-modulus-hash", "", probes.ErrRefused, true},
		{"exchange/x-recent-history", "it is not known whether", probes.ErrRefused, false},
		{"exchange/x-recent-history", "", probes.ErrRefused, true},
		{"exchange/guarded", "alternate exchange", probes.ErrRefused, false},
		{"exchange/guarded", "alternate exchange", probes.ErrRefused, true},
		{"exchange/fleeting", "deletes itself", probes.ErrRefused, false},
		{"exchange/fleeting", "deletes itself", probes.ErrRefused, true},
		{"exchange/hash", "nothing is bound", probes.ErrUsage, false},
		{"exchange/hash", "key by key", probes.ErrUsage, true},
		{"exchange/nope", "no exchange", probes.ErrNotFound, false},
		{"exchange/nope", "no exchange", probes.ErrNotFound, true},
		{"nope", "no exchange or queue", probes.ErrNotFound, false},
		{"", "no exchange or queue was named", probes.ErrUsage, false},
		{"queue/", "no exchange or queue was named", probes.ErrUsage, false},
		{"exchange/hash?offset=1", "no exchange", probes.ErrNotFound, false},
		{"exchange/hash?key=a&offset=soon", "no stream offset", probes.ErrUsage, false},
		{"queue/hash?offset=soon", "no stream offset", probes.ErrUsage, false},
	} {
		p := b.open(t, func(t *probes.Target) {
			if c.amqpOnly {
				amqpOnly(t)
			}
		})
		err := ending(t, p, probes.TailQuery{Subject: c.subject})
		wantKind(t, err, c.kind)
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s (AMQP only: %v): %v", c.subject, c.amqpOnly, err)
		}
		if probes.HintOf(err) == "" && c.kind == probes.ErrRefused {
			t.Errorf("%s: %v gives no hint", c.subject, err)
		}
	}
	if d := cmp.Diff(before, b.left(t)); d != "" {
		t.Errorf("looking changed something (-before +after):\n%s", d)
	}
}

// TestAlternateKeepsItsShare: with keys that others have bound, an exchange with
// an alternate can be tapped, and the alternate gets what it got before.
func TestAlternateKeepsItsShare(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "aside", "fanout", nil)
	b.exchange(t, "main", "topic", amqp.Table{"alternate-exchange": "aside"})
	b.queue(t, "taken", nil)
	b.queue(t, "rest", nil)
	b.bind(t, "taken", "order.*", "main")
	b.bind(t, "rest", "", "aside")
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "exchange/main"})
	b.bound(t, "main")
	b.publish(t, "main", "order.new", []byte("known"))
	b.publish(t, "main", "other", []byte("unknown"))
	if r := f.message(); string(r.Body) != "known" {
		t.Errorf("got %q", r.Body)
	}
	if got := b.drain(t, "rest"); len(got) != 1 || string(got[0].Body) != "unknown" {
		t.Errorf("the alternate exchange got %v", got)
	}
	err := ending(t, b.open(t, nil), probes.TailQuery{Subject: "exchange/main?key=other"})
	wantKind(t, err, probes.ErrRefused)
}

// TestAlternateByPolicy: a policy names the alternate exchange. Who may not read
// policies is refused, because there might be one.
func TestAlternateByPolicy(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "aside", "fanout", nil)
	b.exchange(t, "main", "topic", nil)
	b.exchange(t, "free", "topic", nil)
	b.api(t, "PUT", "/api/policies/"+b.vhost+"/p", map[string]any{"pattern": "^main$", "apply-to": "exchanges",
		"definition": map[string]any{"alternate-exchange": "aside"}}, nil)
	user := b.newUser(t, "management")
	b.allow(t, user, ".*", ".*", ".*")
	plain := func(t *probes.Target) { t.Auth = probes.Auth{Username: user, Password: probes.NewSecret("secret")} }
	for says, edit := range map[string]func(*probes.Target){`alternate exchange "aside"`: nil, "a policy that we are not shown": plain} {
		err := ending(t, b.open(t, edit), probes.TailQuery{Subject: "exchange/main"})
		wantKind(t, err, probes.ErrRefused)
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	f := b.follow(t, b.open(t, plain), probes.TailQuery{Subject: "exchange/free"})
	b.bound(t, "free")
	b.publish(t, "free", "k", []byte("m"))
	if r := f.message(); string(r.Body) != "m" {
		t.Errorf("got %q", r.Body)
	}
}

func TestLiveSaysThatThereIsNoPast(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "fanout", nil)
	p := b.open(t, nil)
	recs := read(t, p, probes.TailQuery{Subject: "x", Last: 5})
	if len(recs) != 1 || recs[0].Kind != probes.Notice {
		t.Errorf("got %v", bodies(recs))
	}
	recs = read(t, p, probes.TailQuery{Subject: "x", Until: probes.Position{Kind: probes.PosTime, Time: time.Now().Add(300 * time.Millisecond)}})
	if len(recs) != 0 {
		t.Errorf("got %v", bodies(recs))
	}
	wantKind(t, ending(t, p, probes.TailQuery{Subject: "x", From: probes.Position{Kind: probes.PosOffset, Offset: 3}}), probes.ErrUsage)
}

func TestExchangeDeletedWhileTailed(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "fanout", nil)
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "exchange/x"})
	b.bound(t, "x")
	if err := b.channel(t).ExchangeDelete("x", false, false); err != nil {
		t.Fatal(err)
	}
	wantKind(t, f.failed(), probes.ErrNotFound)
}

// TestAwkwardMessages: large, binary, and with text that is none.
func TestAwkwardMessages(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "fanout", nil)
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "exchange/x"})
	b.bound(t, "x")
	key, name := "k\xff\x1b[2J", "h\xfe\x00"
	large := bytes.Repeat([]byte("\x00\xff"), 6<<20)
	b.send(t, "x", key, amqp.Publishing{Body: large, Headers: amqp.Table{name: "v\xff", "n": nil, "i": int64(1) << 60, "b": []byte{0}}})
	r := f.message()
	if !bytes.Equal(r.Body, large) || string(r.Key) != key {
		t.Errorf("%d bytes, key %q", len(r.Body), r.Key)
	}
	want := []probes.Field{{Name: "b", Value: []byte{0}}, {Name: name, Value: []byte("v\xff")}, {Name: "i", Value: []byte("1152921504606846976")}, {Name: "n"}}
	if d := cmp.Diff(want, r.Header); d != "" {
		t.Error(d)
	}
	f.end()
	cut := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "exchange/x", MaxBody: 10})
	b.bound(t, "x")
	b.publish(t, "x", "", large)
	if r := cut.message(); len(r.Body) != 10 || r.Cut != int64(len(large)-10) {
		t.Errorf("%d bytes kept, %d cut", len(r.Body), r.Cut)
	}
}
