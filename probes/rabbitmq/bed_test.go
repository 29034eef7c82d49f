package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
	"iscope/probes/probetest"
)

// bed is a vhost of its own on the real broker, with an independent connection
// to make traffic and to look at what was left behind.
type bed struct {
	addresses map[string]string
	vhost     string
	conn      *amqp.Connection
}

var unique atomic.Int64

// name is used by no other test, in this run or another.
func name(t testing.TB) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	return fmt.Sprintf("t-%s-%s-%d", clean[:min(len(clean), 60)], strconv.FormatInt(time.Now().UnixNano(), 36), unique.Add(1))
}

func limit(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

func newBed(t testing.TB) *bed {
	t.Helper()
	return bedOn(t, probetest.Need(t, "rabbitmq"))
}

func bedOn(t testing.TB, s probetest.Server) *bed {
	t.Helper()
	b := &bed{addresses: s.Addresses, vhost: name(t)}
	b.api(t, http.MethodPut, "/api/vhosts/"+b.vhost, map[string]any{"description": "of a test", "tags": "one,two"}, nil)
	t.Cleanup(func() { b.api(t, http.MethodDelete, "/api/vhosts/"+b.vhost, nil, nil) })
	b.allow(t, b.user(), ".*", ".*", ".*")
	b.conn = b.connect(t)
	return b
}

func (b *bed) user() string     { return b.addresses["username"] }
func (b *bed) password() string { return b.addresses["password"] }

func (b *bed) allow(t testing.TB, user, configure, write, read string) {
	t.Helper()
	b.api(t, http.MethodPut, "/api/permissions/"+b.vhost+"/"+user, map[string]any{"configure": configure, "write": write, "read": read}, nil)
}

// api asks the management API; a failure fails the test.
func (b *bed) api(t testing.TB, method, path string, body, into any) {
	t.Helper()
	if status := b.try(t, method, path, body, into); status/100 != 2 {
		t.Fatalf("%s %s: status %d", method, path, status)
	}
}

func (b *bed) try(t testing.TB, method, path string, body, into any) (status int) {
	t.Helper()
	var payload io.Reader
	if body != nil {
		j, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		payload = bytes.NewReader(j)
	}
	req, err := http.NewRequest(method, b.addresses["management"]+path, payload)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(b.user(), b.password())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

func (b *bed) connect(t testing.TB) *amqp.Connection {
	t.Helper()
	u := url.URL{Scheme: "amqp", User: url.UserPassword(b.user(), b.password()), Host: b.addresses["amqp"], Path: "/" + b.vhost}
	conn, err := amqp.DialConfig(u.String(), amqp.Config{Properties: amqp.Table{"connection_name": "application of " + t.Name()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (b *bed) channel(t testing.TB) *amqp.Channel {
	t.Helper()
	ch, err := b.conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func (b *bed) exchange(t testing.TB, name, kind string, args amqp.Table) string {
	t.Helper()
	if err := b.channel(t).ExchangeDeclare(name, kind, true, false, false, false, args); err != nil {
		t.Fatal(err)
	}
	return name
}

func (b *bed) queue(t testing.TB, name string, args amqp.Table) string {
	t.Helper()
	if _, err := b.channel(t).QueueDeclare(name, true, false, false, false, args); err != nil {
		t.Fatal(err)
	}
	return name
}

func (b *bed) bind(t testing.TB, queue, key, exchange string) {
	t.Helper()
	if err := b.channel(t).QueueBind(queue, key, exchange, false, nil); err != nil {
		t.Fatal(err)
	}
}

// publish sends bodies and waits for their confirmation.
func (b *bed) publish(t testing.TB, exchange, key string, bodies ...[]byte) {
	t.Helper()
	msgs := make([]amqp.Publishing, len(bodies))
	for i := range bodies {
		msgs[i].Body = bodies[i]
	}
	b.send(t, exchange, key, msgs...)
}

// fire sends bodies without asking for confirmations.
func (b *bed) fire(t testing.TB, exchange, key string, bodies ...[]byte) {
	t.Helper()
	ch := b.channel(t)
	for _, body := range bodies {
		if err := ch.Publish(exchange, key, false, false, amqp.Publishing{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ch.Close(); err != nil { // answered when all has been routed
		t.Fatal(err)
	}
}

func (b *bed) send(t testing.TB, exchange, key string, msgs ...amqp.Publishing) {
	t.Helper()
	ch := b.channel(t)
	defer ch.Close()
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	var all []*amqp.DeferredConfirmation
	for _, m := range msgs {
		dc, err := ch.PublishWithDeferredConfirm(exchange, key, false, false, m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, dc)
	}
	for _, dc := range all {
		if ok, err := dc.WaitContext(limit(t)); err != nil || !ok {
			t.Fatalf("not confirmed: %v", err)
		}
	}
}

// drain gets and acknowledges everything in a queue.
func (b *bed) drain(t testing.TB, queue string) []amqp.Delivery {
	t.Helper()
	var out []amqp.Delivery
	ch := b.channel(t)
	defer ch.Close()
	for {
		d, ok, err := ch.Get(queue, true)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, d)
	}
}

// left lists what exists in the vhost now, except what the broker makes itself.
func (b *bed) left(t testing.TB) []string {
	t.Helper()
	var defs struct {
		Queues    []struct{ Name string }
		Exchanges []struct{ Name string }
		Bindings  []struct {
			Source, Destination string
			Key                 string `json:"routing_key"`
		}
	}
	b.api(t, http.MethodGet, "/api/definitions/"+b.vhost, nil, &defs)
	var out []string
	for _, q := range defs.Queues {
		out = append(out, "queue "+q.Name)
	}
	for _, x := range defs.Exchanges {
		out = append(out, "exchange "+x.Name)
	}
	for _, x := range defs.Bindings {
		out = append(out, "binding "+x.Source+" "+x.Key+" "+x.Destination)
	}
	// Definitions leave out what is exclusive.
	var queues []struct{ Name string }
	b.api(t, http.MethodGet, "/api/queues/"+b.vhost+"?columns=name&disable_stats=true", nil, &queues)
	for _, q := range queues {
		if strings.HasPrefix(q.Name, tapPrefix) {
			out = append(out, "queue "+q.Name)
		}
	}
	var v vhost
	b.api(t, http.MethodGet, "/api/vhosts/"+b.vhost, nil, &v)
	out = append(out, fmt.Sprintf("vhost %q %v tracing %v", v.Description, v.Tags, v.Tracing))
	slices.Sort(out)
	return out
}

func (b *bed) target() probes.Target {
	return probes.Target{Name: "test", Driver: "rabbitmq", Address: b.addresses["amqp"],
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true},
		Auth:        probes.Auth{Username: b.user(), Password: probes.NewSecret(b.password())},
		Options:     map[string]string{optManagement: b.addresses["management"], optVhost: b.vhost}}
}

// open opens the bed as a target, changed by edit.
func (b *bed) open(t testing.TB, edit func(*probes.Target)) *probe {
	t.Helper()
	target := b.target()
	if edit != nil {
		edit(&target)
	}
	p, err := open(limit(t), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p.(*probe)
}

// amqpOnly keeps a driver from the management API.
func amqpOnly(t *probes.Target) { t.Options[optManagement] = "off" }

// following is a tail that runs until it is stopped.
type following struct {
	t    testing.TB
	recs chan probes.Record
	err  chan error
	stop context.CancelFunc
}

// follow starts a tail. Use bound to wait until a tap is there.
func (b *bed) follow(t testing.TB, p *probe, q probes.TailQuery) *following {
	t.Helper()
	ctx, stop := context.WithCancel(limit(t))
	f := &following{t: t, recs: make(chan probes.Record, 1<<16), err: make(chan error, 1), stop: stop}
	if q.Ledger == nil {
		q.Ledger = &probes.Ledger{}
	}
	go func() {
		defer close(f.recs)
		for r, err := range p.Tail(ctx, q) {
			if err != nil {
				f.err <- err
				return
			}
			f.recs <- r
		}
		f.err <- nil
	}()
	t.Cleanup(f.end)
	return f
}

// end stops the tail and waits for it.
func (f *following) end() {
	f.stop()
	for range f.recs {
	}
}

// next returns the next record, or fails.
func (f *following) next() probes.Record {
	f.t.Helper()
	select {
	case r, ok := <-f.recs:
		if !ok {
			f.t.Fatalf("the tail ended: %v", <-f.err)
		}
		return r
	case <-time.After(30 * time.Second):
		f.t.Fatal("nothing arrived")
	}
	return probes.Record{}
}

// message skips notices.
func (f *following) message() probes.Record {
	f.t.Helper()
	for {
		if r := f.next(); r.Kind != probes.Notice {
			return r
		}
	}
}

// failed waits for the error that ends the tail.
func (f *following) failed() error {
	f.t.Helper()
	select {
	case err := <-f.err:
		return err
	case <-time.After(30 * time.Second):
		f.t.Fatal("the tail does not end")
	}
	return nil
}

// bound waits until the tap of a tail is bound to an exchange.
func (b *bed) bound(t testing.TB, exchange string) {
	t.Helper()
	wait(t, "a tap of "+exchange, func() bool {
		var answer json.RawMessage
		var list []binding
		// A broker that has just started may not have the vhost yet.
		status := b.try(t, http.MethodGet, "/api/exchanges/"+url.PathEscape(b.vhost)+"/"+url.PathEscape(exchange)+"/bindings/source", nil, &answer)
		if status != http.StatusOK || json.Unmarshal(answer, &list) != nil {
			return false
		}
		return slices.ContainsFunc(list, func(x binding) bool { return strings.HasPrefix(x.Dest, tapPrefix) })
	})
}

// wait asks until it is so.
func wait(t testing.TB, what string, so func() bool) {
	t.Helper()
	for ctx := limit(t); ; {
		if so() {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s never came", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func read(t testing.TB, p *probe, q probes.TailQuery) (recs []probes.Record) {
	t.Helper()
	for r, err := range p.Tail(limit(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, r)
	}
	return recs
}

func bodies(recs []probes.Record) (out []string) {
	for _, r := range recs {
		if r.Kind != probes.Message {
			out = append(out, r.Kind.String())
			continue
		}
		out = append(out, string(r.Body))
	}
	return out
}

func numbered(from, to int) (out [][]byte) {
	for i := from; i < to; i++ {
		out = append(out, []byte(strconv.Itoa(i)))
	}
	return out
}

func texts(b [][]byte) (out []string) {
	for _, x := range b {
		out = append(out, string(x))
	}
	return out
}
