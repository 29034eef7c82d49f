package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	amqp "github.com/rabbitmq/amqp091-go"
	"pgregory.net/rapid"

	"iscope/probes"
)

// TestValuesComeBack renders any AMQP value and reads it back.
func TestValuesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(2).Draw(t, "value")
		text, tg := renderValue(v)
		j, err := json.Marshal(map[string]tag{"t": tg})
		if err != nil {
			t.Fatal(err)
		}
		var stored map[string]any
		if err := json.Unmarshal(j, &stored); err != nil {
			t.Fatal(err)
		}
		got, err := parseValue(text, stored["t"])
		if err != nil {
			t.Fatalf("%T %v as %q %s: %v", v, v, text, j, err)
		}
		if d := cmp.Diff(v, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
			t.Fatalf("%q %s\n%s", text, j, d)
		}
	})
}

func anyValue(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int8().AsAny(), rapid.Byte().AsAny(), rapid.Int16().AsAny(), rapid.Uint16().AsAny(),
		rapid.Int32().AsAny(), rapid.Uint32().AsAny(), rapid.Int64().AsAny(), rapid.Float32().AsAny(), rapid.Float64().AsAny(),
		rapid.String().AsAny(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, -1), func(b []byte) any { return b }),
		rapid.Map(rapid.Int32(), func(n int32) any { return amqp.Decimal{Scale: uint8(n & 7), Value: n} }),
		rapid.Map(rapid.Int64Range(0, 1<<37), func(n int64) any { return time.Unix(n, 0).UTC() }),
	}
	if depth > 0 {
		kinds = append(kinds,
			rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 3), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(rapid.String(), anyValue(depth-1), 0, 3), func(m map[string]any) any { return amqp.Table(m) }))
	}
	return rapid.OneOf(kinds...)
}

// TestChangedValuesBecomeStrings: a masked number is no number any more.
func TestChangedValuesBecomeStrings(t *testing.T) {
	m := message{Publishing: amqp.Publishing{Headers: amqp.Table{"n": int32(5), "t": amqp.Table{"a": int32(1)}, "kept": int16(2)}}}
	r := m.record(probes.Ref{}, "", 0)
	for i := range r.Header {
		if r.Header[i].Name != "kept" {
			r.Header[i].Value = []byte("masked")
		}
	}
	got, err := compose(&r, "")
	if err != nil || got.Headers["n"] != "masked" || got.Headers["t"] != "masked" || got.Headers["kept"] != int16(2) {
		t.Errorf("%v %v", got.Headers, err)
	}
}

// TestContentTypeTwice: a property and a header of the same name stay two things.
func TestContentTypeTwice(t *testing.T) {
	for _, p := range []amqp.Publishing{
		{ContentType: "a/b", Headers: amqp.Table{"content-type": "c/d"}},
		{Headers: amqp.Table{"content-type": "c/d"}},
		{ContentType: "a/b"},
	} {
		m := message{Publishing: p}
		r := m.record(probes.Ref{}, "", 0)
		got, err := compose(&r, "")
		if d := cmp.Diff(p, got, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("%s %v", d, err)
		}
	}
}

func TestTopicMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, key string
		want         bool
	}{
		{"#", "", true}, {"#", "a.b.c", true}, {"*", "a", true}, {"*", "a.b", false}, {"a.*.c", "a.b.c", true}, {"a.#", "a", true},
		{"a.#.d", "a.b.c.d", true}, {"a.#.d", "a.b.c", false}, {"a.b", "a.b", true}, {"a.b", "a", false}, {"#.#", "a", true}, {"*.#", "", true},
	} {
		if got := topicMatches(strings.Split(c.pattern, "."), strings.Split(c.key, ".")); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.key, got)
		}
	}
}

// TestURLs reads targets as people write them.
func TestURLs(t *testing.T) {
	for _, c := range []struct{ url, address, vhost, subject string }{
		{"amqp://h", "h:5672", "/", ""},
		{"amqps://h", "h:5671", "/", ""},
		{"amqp://h:1/", "h:1", "/", ""},
		{"amqp://u:p@h/%2f", "h:5672", "/", ""},
		{"amqp://h/shop", "h:5672", "shop", ""},
		{"amqp://h/a%2fb/exchange/x/y", "h:5672", "a/b", "exchange/x/y"},
		{"amqp://h/exchange/x", "h:5672", "/", "exchange/x"},
		{"amqp://h/queue/q%20r", "h:5672", "/", "queue/q r"},
		{"amqp://h/shop?subject=queue/q", "h:5672", "shop", "queue/q"},
		{"amqp://h/shop/exchange/x?key=a.%23&key=b", "h:5672", "shop", "exchange/x?key=a.#&key=b"},
		{"amqp://h/shop/queue/s?offset=1h", "h:5672", "shop", "queue/s?offset=1h"},
		{"amqp://h?vhost=v&prefetch=7", "h:5672", "v", ""},
	} {
		target, subject, err := probes.ParseURL([]probes.Driver{Driver()}, c.url)
		if err != nil || subject != c.subject {
			t.Errorf("%s: subject %q, %v", c.url, subject, err)
			continue
		}
		p, err := open(context.Background(), target)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if s := p.(*probe).set; s.vhost != c.vhost || s.hosts[0] != c.address {
			t.Errorf("%s: vhost %q at %q", c.url, s.vhost, s.hosts)
		}
		p.Close()
	}
	// The configuration keeps the path in the address.
	p, err := open(context.Background(), probes.Target{Address: "h:1/%2fv", Options: map[string]string{}})
	if err != nil || p.(*probe).set.vhost != "/v" {
		t.Errorf("%v", err)
	}
	if u, _ := url.Parse("amqp://h/q"); urlSubject(&probes.Target{Options: map[string]string{}}, u) != "" {
		t.Error("a vhost was taken for a subject")
	}
}

func TestSettingsRefused(t *testing.T) {
	for _, c := range []struct {
		edit func(*probes.Target)
		says string
	}{
		{func(t *probes.Target) { t.Options["max_lenght"] = "1" }, "unknown option"},
		{func(t *probes.Target) { t.Options[optMaxLength] = "0" }, "no number from 1"},
		{func(t *probes.Target) { t.Options[optPrefetch] = "70000" }, "no number from 1"},
		{func(t *probes.Target) { t.Options[optFirehose] = "maybe" }, "neither true nor false"},
		{func(t *probes.Target) { t.Options[optManagement] = "http://u:hunter2@h" }, "no URL"},
		{func(t *probes.Target) { t.Options[optManagement] = "localhost:15672" }, "no URL"},
		{func(t *probes.Target) { t.Address = "a:b:c" }, "host:port"},
		{func(t *probes.Target) { t.Address = "" }, "no address"},
		{func(t *probes.Target) { t.Auth.Mechanism = "scram-sha-256" }, "mechanism"},
		{func(t *probes.Target) { t.Auth.Mechanism = "external" }, "client certificate"},
		{func(t *probes.Target) { t.TLS = probes.TLS{Enabled: true, CAFile: "/nowhere"} }, "CA file"},
	} {
		target := probes.Target{Name: "t", Address: "h", Options: map[string]string{}}
		c.edit(&target)
		_, err := open(context.Background(), target)
		wantKind(t, err, probes.ErrUsage)
		if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") || !strings.HasPrefix(err.Error(), "t: ") {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
}

// TestManagementGuesses never sends a password in the clear where TLS was asked
// for.
func TestManagementGuesses(t *testing.T) {
	for secure, want := range map[bool][]string{false: {"http://h:15672"}, true: {"https://h:15671", "https://h:15672"}} {
		target := probes.Target{Address: "h", TLS: probes.TLS{Enabled: secure}}
		s, err := readSettings(&target)
		if err != nil || !slices.Equal(s.management, want) {
			t.Errorf("%v %v", s.management, err)
		}
	}
}

// TestStateFiles: what a process that died has noted counts, what it had only
// begun to note does not, and a living one is told from a dead one.
func TestStateFiles(t *testing.T) {
	dir := stateDir(filepath.Join(t.TempDir(), "state"))
	scope := stateScope{Management: "http://h", Vhost: "/"}
	if !dir.empty() {
		t.Error("not empty")
	}
	unlock, err := dir.lock(limit(t), scope)
	if err != nil {
		t.Fatal(err)
	}
	soon, stop := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer stop()
	if _, err := dir.lock(soon, scope); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked twice: %v", err)
	}
	first, err := dir.write(scope, false)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(first.file.Name()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	read := func() *stateEntries {
		t.Helper()
		e, err := dir.entries(scope, nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if e := read(); !e.alive || len(e.stale) != 0 || e.previous(true) {
		t.Errorf("%+v", e)
	}
	if e, err := dir.entries(scope, first); err != nil || e.alive {
		t.Errorf("%+v %v", e, err)
	}
	first.release() // as a death does
	if e := read(); e.alive || len(e.stale) != 1 || e.previous(true) {
		t.Errorf("%+v", e)
	} else {
		e.removeStale()
	}
	half := filepath.Join(string(dir), scope.prefix()+".half.json")
	if err := os.WriteFile(half, []byte(`{"prev`), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := read(); e.alive || len(e.stale) != 1 || !e.previous(true) || e.previous(false) {
		t.Errorf("%+v", e)
	} else {
		e.removeStale()
	}
	other, err := dir.entries(stateScope{Management: "http://h", Vhost: "/b"}, nil)
	if err != nil || other.alive || !dir.empty() {
		t.Errorf("%+v %v", other, err)
	}
	unlock()
}

func BenchmarkDecode(b *testing.B) {
	d := amqp.Delivery{Exchange: "orders", RoutingKey: "order.created", ContentType: "application/json", MessageId: "m-1", DeliveryMode: 2,
		Timestamp: time.Unix(1_700_000_000, 0), Body: []byte(strings.Repeat("x", 500)),
		Headers: amqp.Table{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tenant": "acme", "attempt": int32(1)}}
	source := probes.Ref{Target: "rabbit", Subject: "exchange/orders"}
	for b.Loop() {
		m := messageOf(&d)
		r := m.record(source, "1", 0)
		if len(r.Header) != 4 {
			b.Fatal(r.Header)
		}
	}
}

func BenchmarkDecodePlain(b *testing.B) {
	d := amqp.Delivery{Exchange: "orders", RoutingKey: "order.created", Body: []byte(strings.Repeat("x", 500))}
	source := probes.Ref{Target: "rabbit", Subject: "exchange/orders"}
	for b.Loop() {
		m := messageOf(&d)
		if r := m.record(source, "1", 0); r.Kind != probes.Message {
			b.Fatal(r)
		}
	}
}
