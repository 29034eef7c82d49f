package rabbitmq

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

func discover(t *testing.T, p *probe, q probes.DiscoverQuery) probes.Snapshot {
	t.Helper()
	for snap, err := range p.Discover(limit(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	t.Fatal("no snapshot")
	return probes.Snapshot{}
}

// edges lists what a snapshot says, as "from kind to" with the names of subjects.
func edges(s probes.Snapshot) (out []string) {
	short := func(id string) string {
		_, rest, _ := strings.Cut(id, "/")
		return rest
	}
	for _, c := range s.Claims {
		if e := c.Edge; e != nil {
			line := short(e.From) + " " + string(e.Kind) + " " + short(e.To)
			for _, a := range e.Attrs {
				if a.Name == attrRoutingKey || a.Name == attrRelation {
					line += " " + a.Value
				}
			}
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

func nodeNamed(s probes.Snapshot, kind probes.NodeKind, name string) *probes.Node {
	for _, c := range s.Claims {
		if c.Node != nil && c.Node.Kind == kind && c.Node.Name == name {
			return c.Node
		}
	}
	return nil
}

// TestDiscoverShop follows messages from publisher to consumer.
func TestDiscoverShop(t *testing.T) {
	b := newBed(t)
	b.dead(t, numbered(0, 1)...)
	b.exchange(t, "aside", "fanout", nil)
	b.exchange(t, "main", "topic", amqp.Table{"alternate-exchange": "aside"})
	if err := b.channel(t).ExchangeBind("x", "up.#", "main", false, nil); err != nil {
		t.Fatal(err)
	}
	ch := b.channel(t)
	if _, err := ch.Consume("orders", "app", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	app := "application of " + t.Name()
	want := []string{
		"exchange/dlx routes queue/orders.dlq #",
		"exchange/main routes exchange/aside alternate",
		"exchange/main routes exchange/x up.#",
		"exchange/x routes queue/audit #",
		"exchange/x routes queue/orders order.#",
		"queue/orders consumes " + app,
		"queue/orders routes exchange/dlx dead-letter",
	}
	// The connection publishes on, so that the statistics know it.
	p := b.open(t, nil)
	var snap probes.Snapshot
	wait(t, "all edges", func() bool {
		b.publish(t, "x", "order.new", []byte("m"))
		snap = discover(t, p, probes.DiscoverQuery{Detail: true})
		got := edges(snap)
		return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(got, w) })
	})
	if !snap.Complete || len(snap.Missing) > 0 {
		t.Errorf("complete %v, missing %q", snap.Complete, snap.Missing)
	}
	if n := nodeNamed(snap, probes.NodeExternal, app); n == nil || n.Health != probes.HealthOK {
		t.Errorf("%+v", n)
	}
	if n := nodeNamed(snap, probes.NodeExchange, "main"); n == nil || !slices.Contains(n.Attrs, probes.Attr{Name: attrKind, Value: "topic"}) {
		t.Errorf("%+v", n)
	}
	only := discover(t, p, probes.DiscoverQuery{Subject: "queue/orders.dlq"})
	for _, e := range edges(only) {
		if !strings.Contains(e, "dlx") {
			t.Errorf("not about the subject: %s", e)
		}
	}
	if nodeNamed(only, probes.NodeQueue, "audit") != nil {
		t.Error("another queue is in the answer")
	}
}

func TestDiscoverByAMQP(t *testing.T) {
	b := newBed(t)
	b.queue(t, "q", amqp.Table{"x-queue-type": queueStream})
	b.exchange(t, "x", "headers", nil)
	p := b.open(t, amqpOnly)
	all := discover(t, p, probes.DiscoverQuery{})
	if all.Complete || len(all.Missing) == 0 || len(all.Claims) != 1 {
		t.Errorf("%+v", all)
	}
	q := discover(t, p, probes.DiscoverQuery{Subject: "q"})
	if n := nodeNamed(q, probes.NodeQueue, "q"); n == nil || !slices.Contains(n.Attrs, probes.Attr{Name: attrKind, Value: queueStream}) || q.Complete {
		t.Errorf("%+v", q)
	}
	x := discover(t, p, probes.DiscoverQuery{Subject: "exchange/x"})
	if n := nodeNamed(x, probes.NodeExchange, "x"); n == nil || !slices.Contains(n.Attrs, probes.Attr{Name: attrKind, Value: "headers"}) {
		t.Errorf("%+v", x)
	}
}

// TestDiscoverWithoutMonitoring: what a plain user is not shown is said to be
// missing.
func TestDiscoverWithoutMonitoring(t *testing.T) {
	b := newBed(t)
	user := b.newUser(t, "management")
	b.allow(t, user, ".*", ".*", ".*")
	snap := discover(t, b.open(t, func(t *probes.Target) { t.Auth = probes.Auth{Username: user, Password: probes.NewSecret("secret")} }), probes.DiscoverQuery{})
	if snap.Complete || !strings.Contains(strings.Join(snap.Missing, ";"), "monitoring") {
		t.Errorf("%v %q", snap.Complete, snap.Missing)
	}
}

// TestDiscoverAwkwardNames: whatever a name holds, it is shown as it is, and can
// be asked for.
func TestDiscoverAwkwardNames(t *testing.T) {
	b := newBed(t)
	p := b.open(t, nil)
	for _, name := range []string{"a/b c?d#e%2f", "\x1b]0;title\x07", "ünï", "x?key=y", "exchange/q"} {
		b.queue(t, name, nil)
		snap := discover(t, p, probes.DiscoverQuery{Subject: "queue/" + name})
		if nodeNamed(snap, probes.NodeQueue, name) == nil {
			t.Errorf("%q is not in %+v", name, snap.Claims)
		}
	}
}

// TestDiscoverAwkwardConnections: a client may call its connection anything.
func TestDiscoverAwkwardConnections(t *testing.T) {
	b := newBed(t)
	b.queue(t, "q", nil)
	names := []string{"a/b c?d#e%2f", "\x1b]0;title\x07", "ünï\u202e", "bytes \xff\xfe that are no text"}
	var want []string
	for _, name := range names {
		conn, err := amqp.DialConfig("amqp://"+b.addresses["amqp"], amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: b.user(), Password: b.password()}},
			Vhost: b.vhost, Properties: amqp.Table{"connection_name": name}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.Consume("q", "", true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		want = append(want, "queue/q consumes "+string([]rune(name))) // a byte that is no text is U+FFFD
	}
	slices.Sort(want)
	p := b.open(t, nil)
	var got []string
	wait(t, "the connections", func() bool {
		got = edges(discover(t, p, probes.DiscoverQuery{}))
		return slices.Equal(got, want)
	})
}

// TestPublishersAreKnown where the broker keeps detailed statistics: from answers
// of such a RabbitMQ 3.10.8.
func TestPublishersAreKnown(t *testing.T) {
	raw, err := os.ReadFile("testdata/detailed.json")
	if err != nil {
		t.Fatal(err)
	}
	s := &survey{}
	if err := json.Unmarshal(raw, &s.exchanges); err != nil {
		t.Fatal(err)
	}
	s.connections = []connection{{Name: "127.0.0.1:47236 -> 127.0.0.1:21672", Provided: "shop"}}
	want := []string{"127.0.0.1:53402 -> 127.0.0.1:21672 produces exchange/", "exchange/ routes queue/iq", "shop produces exchange/ix"}
	if got := edges(probes.Snapshot{Claims: (&reporter{survey: s, target: "t"}).claims()}); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// manyQueuesOf serves the management API of a broker with n queues.
func manyQueuesOf(t *testing.T, n int) *httptest.Server {
	mux := http.NewServeMux()
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(v)
		}
	}
	mux.HandleFunc("/api/whoami", answer(map[string]any{"name": "u"}))
	mux.HandleFunc("/api/overview", answer(map[string]any{"rabbitmq_version": "3.10.8", "object_totals": map[string]int{"queues": n}}))
	mux.HandleFunc("/api/nodes", answer([]any{}))
	mux.HandleFunc("/api/bindings/", answer([]any{}))
	mux.HandleFunc("/api/consumers/", answer([]any{}))
	mux.HandleFunc("/api/queues/", func(w http.ResponseWriter, r *http.Request) {
		var page, size int
		fmt.Sscan(r.FormValue("page"), &page)
		fmt.Sscan(r.FormValue("page_size"), &size)
		if r.FormValue("disable_stats") != "true" {
			t.Errorf("statistics of %d queues were asked for", n)
		}
		var items []any
		for i := (page - 1) * size; i < min(n, page*size); i++ {
			items = append(items, map[string]any{"name": fmt.Sprintf("q%05d", i), "type": "classic", "messages": i})
		}
		answer(map[string]any{"items": items, "page_count": (n + size - 1) / size})(w, r)
	})
	empty := answer(map[string]any{"items": []any{}, "page_count": 1})
	mux.HandleFunc("/api/exchanges/", empty)
	mux.HandleFunc("/api/vhosts/", answer([]any{}))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestDiscoverThousandsOfQueues(t *testing.T) {
	const n = 12_345
	s := manyQueuesOf(t, n)
	p, err := open(context.Background(), probes.Target{Name: "many", Address: "127.0.0.1:1", Options: map[string]string{optManagement: s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	snap := discover(t, p.(*probe), probes.DiscoverQuery{})
	queues := 0
	for _, c := range snap.Claims {
		if c.Node != nil && c.Node.Kind == probes.NodeQueue {
			queues++
		}
	}
	if queues != n || snap.Complete || len(snap.Missing) != 1 {
		t.Errorf("%d queues, complete %v, missing %q", queues, snap.Complete, snap.Missing)
	}
}

// TestHealth words what is wrong, from recorded answers changed where a healthy
// broker says nothing.
func TestHealth(t *testing.T) {
	read := func(into any, text string) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{
		`{"running":true,"disk_free":"disk_free_monitoring_disabled"}`:                    "ok",
		`{"running":true,"mem_alarm":true,"mem_used":10485760,"mem_limit":8388608}`:       "fail memory alarm: 10 MiB of 8 MiB used, publishers are blocked",
		`{"running":true,"disk_free_alarm":true,"disk_free":0,"disk_free_limit":1048576}`: "fail disk alarm: 0 MiB free, limit 1 MiB, publishers are blocked",
		`{"running":false}`:                            "fail not running",
		`{"running":true,"partitions":["rabbit@b"]}`:   "fail network partition: it does not see rabbit@b",
		`{"running":true,"fd_used":95,"fd_total":100}`: "warn 95 of 100 file descriptors used",
	} {
		var n node
		read(&n, text)
		h, why := n.health()
		if got := strings.TrimSpace(h.String() + " " + why); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`{"type":"classic","consumers":0,"messages":7,"messages_details":{"rate":2.5}}`:                              "warn no consumer, 7 messages and 2.5 more each second",
		`{"type":"classic","consumers":0,"messages":7,"messages_details":{"rate":0}}`:                                "ok",
		`{"type":"stream","consumers":0,"messages":7,"messages_details":{"rate":2.5}}`:                               "ok",
		`{"type":"classic","consumers":1,"messages_unacknowledged":2000,"message_stats":{"ack_details":{"rate":0}}}`: "warn 2000 messages are with consumers that acknowledge none",
		`{"type":"quorum","members":["a","b","c"],"online":["a"]}`:                                                   "fail no majority: 1 of 3 members online",
		`{"type":"quorum","members":["a","b","c"],"online":["a","b"]}`:                                               "warn 2 of 3 members online",
		`{"type":"classic","state":"down"}`:                                                                          "fail the queue is down",
	} {
		var q queue
		read(&q, text)
		h, why := q.health()
		if got := strings.TrimSpace(h.String() + " " + why); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	blocked := &connection{State: "blocked"}
	if h, why := connectionsHealth([]*connection{{}, blocked}); h != probes.HealthWarn || why == "" {
		t.Errorf("%v %q", h, why)
	}
	if !(&connection{PeerHost: "10.0.0.1"}).exposed() || (&connection{PeerHost: "10.0.0.1", TLS: true}).exposed() || (&connection{PeerHost: "127.0.0.1"}).exposed() {
		t.Error("what is exposed?")
	}
}

// TestModelReadsRealAnswers holds the model against answers of RabbitMQ 3.10.8.
func TestModelReadsRealAnswers(t *testing.T) {
	raw, err := os.ReadFile("testdata/management.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	s := &survey{}
	for path, into := range map[string]any{"GET /api/overview": &s.overview, "GET /api/queues/%2F": &s.queues, "GET /api/bindings": &s.bindings,
		"GET /api/connections": &s.connections, "GET /api/channels": &s.channels, "GET /api/consumers": &s.consumers} {
		if err := json.Unmarshal(all[path], into); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	r := &reporter{survey: s, target: "t"}
	snap := probes.Snapshot{Claims: r.claims()}
	want := []string{"exchange/orders routes queue/orders.billing order.*", "exchange/orders routes queue/orders.stream #",
		"queue/orders.billing consumes guest@127.0.0.1", "queue/orders.billing routes exchange/orders.dlx dead-letter"}
	if got := edges(snap); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if q := s.queues[0]; q.Messages == nil || *q.Messages != 0 || q.Stats == nil || s.queues[1].Messages != nil {
		t.Errorf("%+v", q)
	}
}
