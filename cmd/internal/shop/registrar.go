package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"iscope/cmd/internal/shop/registry"
)

const (
	heartbeat    = 5 * time.Second
	heartbeatTTL = 30 * time.Second
	// ghostTTL is how long the registry would believe in an instance that
	// crashed and asked to be heard of once a day.
	ghostTTL = 24 * time.Hour
)

func checkOf(id string) string { return "heartbeat:" + id }

// registrar keeps the shop's instances in the registry, by its HTTP API.
type registrar struct {
	base    string // http://host:port
	client  *http.Client
	members []*member
	flaky   *member // reports itself slow now and then
}

// open registers everything and passes every check once.
func (r *registrar) open(ctx context.Context, ghostPort int) error {
	for _, m := range r.members {
		d, err := m.definition()
		if err != nil {
			return err
		}
		if err := r.put(ctx, "/v1/agent/service/register", d); err != nil {
			return err
		}
		for _, to := range m.calls {
			entry := map[string]any{"Kind": "service-intentions", "Name": to.service, "Sources": r.callers(to.service)}
			if err := r.put(ctx, "/v1/config", entry); err != nil {
				return err
			}
		}
	}
	ghost := registry.Definition{
		ID: "shop-payments-2", Name: "shop-payments", Tags: []string{"grpc"}, Meta: map[string]string{"version": "2.0.9", "protocol": "grpc"},
		Address: "127.0.0.1", Port: ghostPort,
		Check: &registry.CheckDefinition{
			CheckID: checkOf("shop-payments-2"), Name: "shop-payments heartbeat", TTL: ghostTTL.String(), Status: "passing",
		},
	}
	if err := r.put(ctx, "/v1/agent/service/register", ghost); err != nil {
		return err
	}
	return r.beat(ctx, 0)
}

// callers are the intentions of a service: who calls it may, and the gateway
// may not go around the API.
func (r *registrar) callers(service string) []registry.Source {
	sources := []registry.Source{}
	seen := map[string]bool{}
	for _, m := range r.members {
		for _, to := range m.calls {
			if to.service == service && !seen[m.service] {
				seen[m.service] = true
				sources = append(sources, registry.Source{Name: m.service, Action: "allow"})
			}
		}
	}
	if service == "shop-payments" {
		sources = append(sources, registry.Source{Name: "shop-gateway", Action: "deny"})
	}
	return sources
}

// run sends heartbeats until ctx ends.
func (r *registrar) run(ctx context.Context) error {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		// A beat that is missed is what the TTL is for; and whoever takes a
		// service out of the registry by hand wants to see that, not the end.
		_ = r.beat(ctx, n)
	}
}

// beat reports every instance alive. The flaky one has two slow beats in five.
func (r *registrar) beat(ctx context.Context, n int) error {
	var failed error
	for _, m := range r.members {
		health := map[string]string{"Status": "passing", "Output": "alive"}
		if m == r.flaky && n%5 >= 3 {
			health = map[string]string{"Status": "warning", "Output": "p99 of the last minute is 312 ms, above 250 ms"}
		}
		err := r.put(ctx, "/v1/agent/check/update/"+url.PathEscape(checkOf(m.id)), health)
		failed = errors.Join(failed, err)
	}
	return failed
}

func (r *registrar) put(ctx context.Context, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding for %s: %w", path, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	res, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("writing %s: %s: %s", path, res.Status, bytes.TrimSpace(answer))
	}
	return nil
}

// haunt returns a port on which nothing listens, now and as long as the shop
// runs: the local end of a connection that the shop keeps open. A port that
// was merely found free could be anyone's a moment later.
func haunt(c *crew, address string) (int, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, fmt.Errorf("reserving the ghost's port: %w", err)
	}
	c.after(func() { conn.Close() })
	return conn.LocalAddr().(*net.TCPAddr).Port, nil
}
