package rabbitmq

import (
	"slices"
	"strconv"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
	"iscope/probes/probetest"
)

func at(kind probes.PosKind, offset int64) probes.Position {
	return probes.Position{Kind: kind, Offset: offset}
}

// TestStreamPositions reads parts of a stream of messages 0 to 299, sent in
// three lots with more than a second between the first two.
func TestStreamPositions(t *testing.T) {
	b := newBed(t)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	b.publish(t, "", "log", numbered(0, 100)...)
	time.Sleep(2100 * time.Millisecond) // AMQP's timestamps have whole seconds: nothing to wait for
	between := time.Now()
	b.publish(t, "", "log", numbered(100, 200)...)
	b.publish(t, "", "log", numbered(200, 300)...)
	end := at(probes.PosLatest, 0)
	for _, c := range []struct {
		name     string
		q        probes.TailQuery
		from, to int
	}{
		{"all", probes.TailQuery{From: at(probes.PosEarliest, 0), Until: end}, 0, 300},
		{"by offset", probes.TailQuery{From: at(probes.PosOffset, 42), Until: at(probes.PosOffset, 50)}, 42, 50},
		{"last", probes.TailQuery{Last: 7}, 293, 300},
		{"more than there are", probes.TailQuery{Last: 1000}, 0, 300},
		{"last until", probes.TailQuery{Last: 100, Until: at(probes.PosOffset, 205)}, 200, 205},
		{"from a time", probes.TailQuery{From: probes.Position{Kind: probes.PosTime, Time: between}, Until: end}, 100, 300},
		{"until a time", probes.TailQuery{From: at(probes.PosEarliest, 0), Until: probes.Position{Kind: probes.PosTime, Time: between}}, 0, 100},
		{"at the end", probes.TailQuery{From: at(probes.PosOffset, 300), Until: end}, 300, 300},
		{"now until now", probes.TailQuery{Until: end}, 300, 300},
		{"resumed", probes.TailQuery{Resume: "250", From: at(probes.PosEarliest, 0), Until: end}, 250, 300},
		{"offset in the subject", probes.TailQuery{Subject: "queue/log?offset=290", Until: end}, 290, 300},
		{"first in the subject", probes.TailQuery{Subject: "queue/log?offset=first", Until: end}, 0, 300},
		{"an interval", probes.TailQuery{Subject: "queue/log?offset=1h", Until: end}, 0, 300},
	} {
		for _, edit := range []func(*probes.Target){nil, amqpOnly} {
			if c.q.Subject == "" {
				c.q.Subject = "log"
			}
			got := bodies(read(t, b.open(t, edit), c.q))
			if want := texts(numbered(c.from, c.to)); !slices.Equal(got, want) {
				t.Errorf("%s: got %d messages %.60q, want %d to %d", c.name, len(got), got, c.from, c.to)
			}
		}
	}
	// The last chunk begins where the broker says; it ends with the last message.
	got := bodies(read(t, b.open(t, nil), probes.TailQuery{Subject: "queue/log?offset=last", Until: end}))
	if len(got) == 0 || got[len(got)-1] != "299" {
		t.Errorf("the last chunk is %q", got)
	}
}

func TestStreamOutOfRange(t *testing.T) {
	b := newBed(t)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	b.publish(t, "", "log", numbered(0, 5)...)
	p := b.open(t, nil)
	err := ending(t, p, probes.TailQuery{Subject: "log", From: at(probes.PosOffset, 6)})
	wantKind(t, err, probes.ErrUsage)
	if h := probes.HintOf(err); h != "it holds offsets 0 to 4" {
		t.Errorf("hint %q", h)
	}
	// Where a tail was is beyond the end: the stream is another one.
	recs := read(t, p, probes.TailQuery{Subject: "log", Resume: "900", Until: at(probes.PosLatest, 0)})
	if len(recs) != 1 || recs[0].Kind != probes.Gap {
		t.Errorf("got %v", bodies(recs))
	}
	wantKind(t, ending(t, p, probes.TailQuery{Subject: "queue/classic?offset=1"}), probes.ErrNotFound)
}

func TestEmptyStream(t *testing.T) {
	b := newBed(t)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	p := b.open(t, nil)
	for _, q := range []probes.TailQuery{{Last: 3}, {From: at(probes.PosEarliest, 0), Until: at(probes.PosLatest, 0)}} {
		q.Subject = "log"
		if recs := read(t, p, q); len(recs) != 0 {
			t.Errorf("got %v", bodies(recs))
		}
	}
	f := b.follow(t, p, probes.TailQuery{Subject: "log", Last: 3, Follow: true})
	b.publish(t, "", "log", []byte("a"))
	if r := f.next(); string(r.Body) != "a" || r.ID != "0" {
		t.Errorf("got %+v", r)
	}
}

func TestStreamDeletedWhileTailed(t *testing.T) {
	b := newBed(t)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	b.publish(t, "", "log", numbered(0, 1)...)
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "log", From: at(probes.PosEarliest, 0), Follow: true})
	f.next()
	if _, err := b.channel(t).QueueDelete("log", false, false, false); err != nil {
		t.Fatal(err)
	}
	wantKind(t, f.failed(), probes.ErrNotFound)
}

// TestStreamResumes cuts the wire again and again: every message comes once.
func TestStreamResumes(t *testing.T) {
	b := newBed(t)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	relay := probetest.NewRelay(t, "127.0.0.1:0", b.addresses["amqp"])
	p := b.open(t, func(t *probes.Target) { t.Address = relay.Addr })
	q := probes.TailQuery{Subject: "log", From: at(probes.PosEarliest, 0), Follow: true}
	next, cuts := 0, 0
	for next < 500 {
		b.publish(t, "", "log", numbered(100*cuts, 100*cuts+100)...)
		for r, err := range p.Tail(limit(t), q) {
			if err != nil {
				wantKind(t, err, probes.ErrUnreachable)
				var e *probes.Error
				if !asError(err, &e) || e.Resume == "" {
					t.Fatalf("%v does not say where it was", err)
				}
				q.Resume = e.Resume
				break
			}
			if string(r.Body) != strconv.Itoa(next) {
				t.Fatalf("got %q, want %d", r.Body, next)
			}
			if next++; next == 100*cuts+60 {
				cuts++
				relay.Cut()
				b.publish(t, "", "log", numbered(100*cuts, 100*cuts)...)
			}
			if next == 500 {
				break
			}
			if next == 100*(cuts+1) {
				t.Fatal("the wire was not cut")
			}
		}
	}
	if cuts < 5 {
		t.Errorf("%d cuts", cuts)
	}
}
