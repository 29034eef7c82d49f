package consultest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// Service is what a test registers.
type Service struct {
	ID, Name string
	Address  string // "" uses the node's
	Port     int
	Tags     []string
	Meta     map[string]string
	// TTL gives it a health check that is set by SetHealth and starts critical.
	TTL bool
	// Upstreams are the services its sidecar proxy may call. A sidecar is
	// registered if there is any.
	Upstreams []string
}

// Registrar writes to a registry. Only tests do.
type Registrar interface {
	// Register adds or replaces; the service is removed when the test ends.
	Register(t testing.TB, s Service)
	Deregister(t testing.TB, id string)
	// SetHealth sets the TTL check: "passing", "warning" or "critical".
	SetHealth(t testing.TB, id, status, output string)
}

// Agent registers through the agent API at addr (host:port).
func Agent(addr string) Registrar { return AgentAs(addr, "") }

// AgentAs registers with a token.
func AgentAs(addr, token string) Registrar { return agent{base: "http://" + addr, token: token} }

type agent struct{ base, token string }

type agentService struct {
	ID, Name string
	Address  string            `json:",omitempty"`
	Port     int               `json:",omitempty"`
	Tags     []string          `json:",omitempty"`
	Meta     map[string]string `json:",omitempty"`
	Check    *agentCheck       `json:",omitempty"`
	Connect  *agentConnect     `json:",omitempty"`
}

type agentCheck struct{ CheckID, TTL string }

type agentConnect struct {
	SidecarService struct {
		Proxy struct{ Upstreams []agentUpstream }
	}
}

type agentUpstream struct {
	DestinationName string
	LocalBindPort   int
}

func checkID(id string) string { return "ttl:" + id }

func (a agent) Register(t testing.TB, s Service) {
	t.Helper()
	body := agentService{ID: s.ID, Name: s.Name, Address: s.Address, Port: s.Port, Tags: s.Tags, Meta: s.Meta}
	if s.TTL {
		body.Check = &agentCheck{CheckID: checkID(s.ID), TTL: "1h"}
	}
	if len(s.Upstreams) > 0 {
		body.Connect = &agentConnect{}
		for i, name := range s.Upstreams {
			up := agentUpstream{DestinationName: name, LocalBindPort: 9100 + i}
			body.Connect.SidecarService.Proxy.Upstreams = append(body.Connect.SidecarService.Proxy.Upstreams, up)
		}
	}
	a.put(t, "/v1/agent/service/register", body)
	t.Cleanup(func() { a.remove(t, s.ID, true) })
}

func (a agent) Deregister(t testing.TB, id string) {
	t.Helper()
	a.remove(t, id, false)
}

func (a agent) SetHealth(t testing.TB, id, status, output string) {
	t.Helper()
	a.put(t, "/v1/agent/check/update/"+url.PathEscape(checkID(id)), map[string]string{"Status": status, "Output": output})
}

// remove takes a service away; at the end of a test it may be gone already.
func (a agent) remove(t testing.TB, id string, mayBeGone bool) {
	t.Helper()
	code, text := a.send(t, "/v1/agent/service/deregister/"+url.PathEscape(id), nil)
	if code != http.StatusOK && !(mayBeGone && code == http.StatusNotFound) {
		t.Errorf("deregistering %s: HTTP %d %s", id, code, text)
	}
}

func (a agent) put(t testing.TB, path string, body any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if code, text := a.send(t, path, b); code != http.StatusOK {
		t.Fatalf("PUT %s: HTTP %d %s", path, code, text)
	}
}

func (a agent) send(t testing.TB, path string, body []byte) (code int, text string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, a.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.token != "" {
		req.Header.Set("X-Consul-Token", a.token)
	}
	// No connection is kept: tests that count goroutines would find it.
	c := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
