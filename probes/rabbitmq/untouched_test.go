package rabbitmq

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// order is what a child process is told to do.
type order struct {
	Address, User, Password, Management, Vhost, Subject string
	Peek                                                int // so many messages, instead of tailing
}

// childOrder makes TestMain tail instead of testing, until it is killed.
const childOrder = "ISCOPE_TEST_TAIL"

func TestMain(m *testing.M) {
	text := os.Getenv(childOrder)
	if text == "" {
		os.Exit(m.Run())
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	p, err := open(context.Background(), probes.Target{Name: "child", Address: o.Address, Environment: probes.Environment{Write: true},
		Auth:    probes.Auth{Username: o.User, Password: probes.NewSecret(o.Password)},
		Options: map[string]string{optManagement: o.Management, optVhost: o.Vhost}})
	if err != nil {
		panic(err)
	}
	ledger := &probes.Ledger{OnDeed: func(d probes.Deed) { fmt.Println("deed", d.Kind, d.What) }}
	seq := p.(*probe).Tail(context.Background(), probes.TailQuery{Subject: o.Subject, Ledger: ledger})
	if o.Peek > 0 {
		seq = p.(*probe).Peek(context.Background(), probes.PeekQuery{Subject: o.Subject, Limit: o.Peek, Ledger: ledger})
	}
	for r, err := range seq {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(r.Kind, string(r.Body))
	}
}

// child is a tail, or a peek, in another process.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
}

func (b *bed) child(t *testing.T, subject string, peek int) *child {
	t.Helper()
	j, err := json.Marshal(order{b.addresses["amqp"], b.user(), b.password(), b.addresses["management"], b.vhost, subject, peek})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOrder+"="+string(j))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, out: bufio.NewScanner(out)}
	t.Cleanup(func() { c.cmd.Process.Kill(); c.cmd.Wait() })
	return c
}

// until reads the child's lines up to one with that beginning.
func (c *child) until(begin string) []string {
	c.t.Helper()
	var lines []string
	for c.out.Scan() {
		lines = append(lines, c.out.Text())
		if strings.HasPrefix(c.out.Text(), begin) {
			return lines
		}
	}
	c.t.Fatalf("no %q in the child's output: %q", begin, lines)
	return nil
}

// kill ends it as kill -9 does.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// consumer is an application's: it acknowledges what it gets, and keeps it.
type appConsumer struct {
	t    *testing.T
	msgs <-chan amqp.Delivery
}

func (b *bed) consume(t *testing.T, queue string, args amqp.Table) *appConsumer {
	t.Helper()
	ch := b.channel(t)
	if err := ch.Qos(50, 0, false); err != nil {
		t.Fatal(err)
	}
	msgs, err := ch.Consume(queue, "application", false, false, false, false, args)
	if err != nil {
		t.Fatal(err)
	}
	return &appConsumer{t, msgs}
}

// expect checks that exactly these bodies come, in order and for the first time.
func (c *appConsumer) expect(want []string) {
	c.t.Helper()
	ctx := limit(c.t)
	for i, w := range want {
		select {
		case d, ok := <-c.msgs:
			if !ok || string(d.Body) != w || d.Redelivered {
				c.t.Fatalf("message %d is %q (redelivered %v), want %q", i, d.Body, d.Redelivered, w)
			}
			if err := d.Ack(false); err != nil {
				c.t.Fatal(err)
			}
		case <-ctx.Done():
			c.t.Fatalf("%d of %d messages came", i, len(want))
		}
	}
	select {
	case d := <-c.msgs:
		c.t.Fatalf("another message: %q", d.Body)
	default:
	}
}

// TestNothingIsTouched tails in every way while an application consumes: it gets
// what it would get without us, and nothing of ours is left.
func TestNothingIsTouched(t *testing.T) {
	for _, c := range []struct{ name, subject, tapped string }{
		{"exchange", "exchange/orders", "orders"},
		{"queue", "queue/billing", traceExchange},
		{"stream", "queue/log", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			b, app, stream := shop(t)
			before := b.left(t)
			ledger := &probes.Ledger{}
			f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: c.subject, Ledger: ledger})
			if c.tapped != "" {
				b.bound(t, c.tapped)
			} else {
				wait(t, "the stream's deed", func() bool { return len(ledger.Deeds()) > 0 })
			}
			want := texts(numbered(0, 2000))
			b.publish(t, "orders", "order.new", numbered(0, 2000)...)
			app.expect(want)
			stream.expect(want)
			if c.tapped != "" { // a stream's tail may have begun later
				var got []string
				for len(got) < len(want) {
					got = append(got, string(f.message().Body))
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			}
			f.end()
			if d := cmp.Diff(before, b.left(t)); d != "" {
				t.Errorf("left behind (-before +after):\n%s", d)
			}
			account(t, ledger, c.tapped != "")
		})
	}
}

// shop is an exchange with a queue and a stream, and a consumer on each.
func shop(t *testing.T) (b *bed, app, stream *appConsumer) {
	b = newBed(t)
	b.exchange(t, "orders", "topic", nil)
	b.queue(t, "billing", nil)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	b.bind(t, "billing", "order.#", "orders")
	b.bind(t, "log", "#", "orders")
	return b, b.consume(t, "billing", nil), b.consume(t, "log", amqp.Table{"x-stream-offset": "first"})
}

// account checks that whatever was created or changed was noted, and then that
// it was taken back.
func account(t *testing.T, l *probes.Ledger, created bool) {
	t.Helper()
	var kinds []probes.DeedKind
	for _, d := range l.Deeds() {
		kinds = append(kinds, d.Kind)
		if d.What == "" || d.Time.IsZero() {
			t.Errorf("%+v", d)
		}
	}
	if slices.Contains(kinds, probes.DeedCreated) != created || slices.Contains(kinds, probes.DeedRemoved) != created ||
		slices.Contains(kinds, probes.DeedChanged) != slices.Contains(kinds, probes.DeedUndone) || slices.Contains(kinds, probes.DeedLeft) {
		t.Errorf("the ledger says %v", kinds)
	}
}

// TestKilled kills a tail with SIGKILL. What it created goes with its connection;
// the firehose, which does not, is put back by the next start.
func TestKilled(t *testing.T) {
	for _, c := range []struct{ name, subject, tapped string }{
		{"exchange", "exchange/orders", "orders"},
		{"queue", "queue/billing", traceExchange},
		{"stream", "queue/log", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			b, app, stream := shop(t)
			before := b.left(t)
			kid := b.child(t, c.subject, 0)
			if c.tapped != "" {
				b.bound(t, c.tapped)
			} else {
				kid.until("deed read")
			}
			sent := 0
			// A stream's tail may begin a moment after its deed.
			publish := func() {
				// Not confirmed by the broker: it answers basic.nack to the first message of
				// a channel that meets a queue in the moment it goes with its connection
				// (3.10.8), although all other queues have got it.
				b.fire(t, "orders", "order.new", numbered(sent, sent+100)...)
				app.expect(texts(numbered(sent, sent+100)))
				stream.expect(texts(numbered(sent, sent+100)))
				sent += 100
			}
			publish()
			if c.tapped != "" {
				kid.until("message 50")
			}
			kid.kill()
			publish()
			if c.subject == "queue/billing" {
				if left := b.left(t); !slices.ContainsFunc(left, func(s string) bool { return strings.HasSuffix(s, "tracing true") }) {
					t.Errorf("the firehose went off by itself: %v", left)
				}
				// Any start will do, on any subject.
				if err := b.open(t, nil).Check(limit(t)); err != nil {
					t.Fatal(err)
				}
			}
			wait(t, "the broker's cleaning up", func() bool { return cmp.Equal(before, b.left(t)) })
			again := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: c.subject})
			if c.tapped != "" {
				b.bound(t, c.tapped)
				publish()
				if r := again.message(); string(r.Body) != strconv.Itoa(sent-100) {
					t.Errorf("after the kill came %q", r.Body)
				}
			}
			again.end()
			if d := cmp.Diff(before, b.left(t)); d != "" {
				t.Errorf("left behind (-before +after):\n%s", d)
			}
		})
	}
}
