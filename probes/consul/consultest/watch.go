package consultest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"iscope/probes"
)

// Watched runs only the life of a service under a watch.
func Watched(t *testing.T, addr string, r Registrar) {
	s := &suite{addr: addr, reg: r}
	s.testWatch(t)
}

// testWatch keeps one watch open over a life of a service.
func (s *suite) testWatch(t *testing.T) {
	svc, d := name("watch"), s.discoverer(t)
	id, step := svc+"-1", 0
	for snap, err := range d.Discover(limit(t), probes.DiscoverQuery{Watch: true}) {
		if err != nil {
			t.Fatal(err)
		}
		in := node(snap, probes.NodeInstance, id)
		switch {
		case step == 0:
			s.reg.Register(t, Service{ID: id, Name: svc, Port: 7011, TTL: true})
		case step == 1 && in != nil && in.Health == probes.HealthFail:
			s.reg.SetHealth(t, id, "passing", "")
		case step == 2 && in != nil && in.Health == probes.HealthOK:
			s.reg.Deregister(t, id)
		case step == 3 && in == nil && node(snap, probes.NodeService, svc) == nil:
			return
		default:
			continue // someone else's change, or a part of ours
		}
		step++
	}
	t.Fatalf("the watch ended at step %d", step)
}

// testTail reads the changes of one service while it lives.
func (s *suite) testTail(t *testing.T) {
	tailer, err := s.open(t).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(limit(t))
	svc, marker := name("tail"), name("marker")
	id := svc + "-1"
	events := make(chan string)
	done := make(chan error, 1)
	go func() { done <- follow(ctx, tailer, []string{svc, marker}, events) }()
	defer func() { stop(); <-done }()
	next := func() string {
		select {
		case e := <-events:
			return e
		case err := <-done:
			done <- err
			t.Fatalf("the tail ended: %v", err)
		case <-ctx.Done():
			t.Fatal("no event came")
		}
		return ""
	}
	s.started(t, marker, events, ctx)
	expect := func(want string) {
		t.Helper()
		got := next()
		for strings.HasPrefix(got, marker) {
			got = next() // left over from the start
		}
		if got != want {
			t.Fatalf("event %q, want %q", got, want)
		}
	}
	s.reg.Register(t, Service{ID: id, Name: svc, Port: 7012, TTL: true})
	expect(svc + "  registered")
	expect(svc + " " + id + " registered")
	s.reg.SetHealth(t, id, "passing", "")
	expect(svc + " " + id + " fail → ok")
	s.reg.SetHealth(t, id, "critical", "disk full")
	expect(svc + " " + id + " ok → fail")
	s.reg.Deregister(t, id)
	expect(svc + " " + id + " gone")
	expect(svc + "  gone")
}

// started changes the marker until the tail tells it: what happened before the
// tail's first answer is not its business. The health is tossed for: a tail looks
// once a second, and what alternated in step with it would never change.
func (s *suite) started(t *testing.T, marker string, events <-chan string, ctx context.Context) {
	t.Helper()
	s.reg.Register(t, Service{ID: marker, Name: marker, TTL: true})
	for {
		s.reg.SetHealth(t, marker, []string{"passing", "warning"}[rand.IntN(2)], "")
		select {
		case <-events:
			return
		case <-ctx.Done():
			t.Fatal("the tail never started")
		case <-time.After(50 * time.Millisecond): // between two tries
		}
	}
}

// follow passes on the events of some services as "service instance status".
func follow(ctx context.Context, tailer probes.Tailer, services []string, events chan<- string) error {
	for rec, err := range tailer.Tail(ctx, probes.TailQuery{}) {
		if err != nil {
			return err
		}
		var body struct{ Service, Instance string }
		if err := json.Unmarshal(rec.Body, &body); err != nil {
			return fmt.Errorf("reading %q: %w", rec.Body, err)
		}
		if !slices.Contains(services, body.Service) {
			continue
		}
		if rec.Kind != probes.Event || rec.ID == "" || (rec.Source != probes.Ref{Target: target, Subject: body.Service}) {
			return fmt.Errorf("%s %q of %v", rec.Kind, rec.ID, rec.Source)
		}
		status, _ := rec.Attr(probes.AttrStatus)
		select {
		case events <- body.Service + " " + body.Instance + " " + status:
		case <-ctx.Done():
		}
	}
	return nil
}

// testPollChange sends polls as the documentation describes them.
func (s *suite) testPollChange(t *testing.T) {
	svc := name("poll")
	for _, path := range []string{"/v1/catalog/services", "/v1/health/state/any", "/v1/health/service/" + svc} {
		t.Run(path, func(t *testing.T) {
			_, index := s.poll(t, path, 0, 0)
			if index == 0 {
				t.Fatal("X-Consul-Index is missing or 0")
			}
			type result struct {
				body  string
				index uint64
			}
			answered := make(chan result, 1)
			go func() {
				var r result
				r.body, r.index = s.poll(t, path, index, patience)
				answered <- r
			}()
			id := svc + "-" + strings.ToLower(name("i"))
			s.reg.Register(t, Service{ID: id, Name: svc, Port: 7013, TTL: true})
			for r := range answered {
				if r.index < index {
					t.Fatalf("the index went from %d back to %d", index, r.index)
				}
				if strings.Contains(r.body, svc) {
					return
				}
				// Another test's change, or a poll that raced with ours: go on.
				go func() {
					body, next := s.poll(t, path, r.index, patience)
					answered <- result{body, next}
				}()
			}
		})
	}
}

// testPollWait: an answer that brings nothing new must have waited.
func (s *suite) testPollWait(t *testing.T) {
	svc := name("wait")
	s.reg.Register(t, Service{ID: svc, Name: svc, Port: 7014})
	const wait = 300 * time.Millisecond
	path := "/v1/health/service/" + svc
	_, index := s.poll(t, path, 0, 0)
	start := time.Now()
	_, next := s.poll(t, path, index, wait)
	if took := time.Since(start); next == index && took < wait {
		t.Errorf("nothing changed, yet the answer came after %s, before the wait of %s was over", took, wait)
	}
}

// poll sends one request; index 0 does not block.
func (s *suite) poll(t *testing.T, path string, index uint64, wait time.Duration) (body string, next uint64) {
	q := url.Values{}
	if index > 0 {
		q.Set("index", strconv.FormatUint(index, 10))
		q.Set("wait", wait.String())
	}
	c := http.Client{Timeout: 2 * patience}
	resp, err := c.Get("http://" + s.addr + path + "?" + q.Encode())
	if err != nil {
		t.Error(err)
		return "", 0
	}
	defer resp.Body.Close()
	var v json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("GET %s: HTTP %d, %v", path, resp.StatusCode, err)
	}
	next, _ = strconv.ParseUint(resp.Header.Get("X-Consul-Index"), 10, 64)
	return string(v), next
}
