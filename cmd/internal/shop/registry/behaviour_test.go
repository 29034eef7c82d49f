package registry_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"iscope/cmd/internal/shop/registry"
)

// client talks to a registry as a plain HTTP client does.
type client struct {
	t    *testing.T
	addr string
}

func (c client) send(method, path, body string) (*http.Response, string) {
	c.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, strings.TrimSpace(string(text))
}

func (c client) must(method, path, body string) string {
	c.t.Helper()
	res, text := c.send(method, path, body)
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s %s: %s %s", method, path, res.Status, text)
	}
	return text
}

// status is what the checks of a service say, in the order of their IDs.
func (c client) status(service string) string {
	c.t.Helper()
	var checks []struct{ Status string }
	if err := json.Unmarshal([]byte(c.must("GET", "/v1/health/checks/"+service, "")), &checks); err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, check := range checks {
		all = append(all, check.Status)
	}
	return strings.Join(all, " ")
}

func TestAServiceThatFallsSilentBecomesCritical(t *testing.T) {
	c := client{t, serve(t)}
	c.must("PUT", "/v1/agent/service/register", `{"Name":"web","Check":{"TTL":"50ms","Status":"passing"}}`)
	index := "1"
	for !strings.Contains(c.must("GET", "/v1/health/state/critical", ""), "TTL expired") {
		res, _ := c.send("GET", "/v1/health/state/critical?wait=10s&index="+index, "")
		index = res.Header.Get("X-Consul-Index")
	}
	c.must("PUT", "/v1/agent/check/pass/service:web?note=back", "")
}

func TestASidecarIsAsHealthyAsItsService(t *testing.T) {
	c := client{t, serve(t)}
	c.must("PUT", "/v1/agent/service/register", `{"Name":"web","Port":80,"Check":{"TTL":"1h"},"Connect":{"SidecarService":{}}}`)
	for _, verb := range []struct{ put, want string }{
		{"warn", "warning"}, {"pass", "passing"}, {"fail", "critical"},
	} {
		c.must("PUT", "/v1/agent/check/"+verb.put+"/service:web", "")
		if got := c.status("web-sidecar-proxy"); got != verb.want {
			t.Errorf("after %s the sidecar is %q", verb.put, got)
		}
	}
	c.must("PUT", "/v1/agent/service/deregister/web", "")
	if text := c.must("GET", "/v1/catalog/services", ""); strings.Contains(text, "sidecar") {
		t.Errorf("the sidecar outlives its service: %s", text)
	}
}

func TestRegisteringAgainKeepsTheHealth(t *testing.T) {
	c := client{t, serve(t)}
	const web = `{"Name":"web","Check":{"TTL":"1h"}}`
	c.must("PUT", "/v1/agent/service/register", web)
	c.must("PUT", "/v1/agent/check/update/service:web", `{"Status":"passing","Output":"fine"}`)
	before, _ := c.send("GET", "/v1/health/service/web", "")
	c.must("PUT", "/v1/agent/service/register", web)
	after, text := c.send("GET", "/v1/health/service/web?passing", "")
	if !strings.Contains(text, `"Output":"fine"`) {
		t.Errorf("the health is lost: %s", text)
	}
	if a, b := before.Header.Get("X-Consul-Index"), after.Header.Get("X-Consul-Index"); a != b {
		t.Errorf("nothing changed, yet the index went from %s to %s", a, b)
	}
	c.must("PUT", "/v1/agent/service/register", `{"Name":"web"}`)
	if got := c.status("web"); got != "" {
		t.Errorf("a check that is no longer registered is %q", got)
	}
}

func TestMaintenanceIsACheck(t *testing.T) {
	c := client{t, serve(t)}
	c.must("PUT", "/v1/agent/service/register", `{"Name":"web"}`)
	c.must("PUT", "/v1/agent/service/maintenance/web?enable=true&reason=moving", "")
	if text := c.must("GET", "/v1/health/state/critical", ""); !strings.Contains(text, `"Notes":"moving"`) {
		t.Errorf("critical is %s", text)
	}
	c.must("PUT", "/v1/agent/service/register", `{"Name":"web"}`)
	if got := c.status("web"); got != "critical" {
		t.Errorf("registering again ended the maintenance: %q", got)
	}
	c.must("PUT", "/v1/agent/service/maintenance/web?enable=false", "")
	if got := c.status("web"); got != "" {
		t.Errorf("the maintenance is over, yet there is %q", got)
	}
}

func TestIntentionsAreConfigEntries(t *testing.T) {
	c := client{t, serve(t)}
	c.must("PUT", "/v1/config", `{"Kind":"service-intentions","Name":"orders","Sources":[{"Name":"web","Action":"allow"}]}`)
	text := c.must("GET", "/v1/config/service-intentions", "")
	if !strings.Contains(text, `"Sources":[{"Name":"web","Action":"allow","Precedence":9,"Type":"consul"}]`) {
		t.Errorf("the entries are %s", text)
	}
}

func TestMistakesAreAnswered(t *testing.T) {
	c := client{t, serve(t)}
	for _, tt := range []struct {
		method, path, body string
		code               int
		says               string
	}{
		{"PUT", "/v1/agent/service/register", `{`, 400, "Request decode failed"},
		{"PUT", "/v1/agent/service/register", `{}`, 400, "Missing service name"},
		{"PUT", "/v1/agent/service/register", `{"Name":"p","Kind":"connect-proxy"}`, 400, "DestinationServiceName"},
		{"PUT", "/v1/agent/service/register", `{"Name":"w","Check":{"HTTP":"http://127.0.0.1:1"}}`, 400, "runs no checks itself"},
		{"PUT", "/v1/agent/service/register", `{"Name":"w","Check":{}}`, 400, "TTL must be > 0"},
		{"PUT", "/v1/agent/service/register", `{"Name":"w","Check":{"TTL":"soon"}}`, 400, "not a duration"},
		{"PUT", "/v1/agent/service/register", `{"Name":"w","Check":{"TTL":"1s","Status":"odd"}}`, 400, "Invalid check status"},
		{"PUT", "/v1/agent/service/deregister/nobody", "", 404, "Unknown service ID"},
		{"PUT", "/v1/agent/service/deregister/consul", "", 404, "Unknown service ID"},
		{"PUT", "/v1/agent/service/maintenance/nobody?enable=true", "", 404, "Unknown service ID"},
		{"PUT", "/v1/agent/service/maintenance/nobody", "", 400, "enable"},
		{"PUT", "/v1/agent/check/pass/nobody", "", 404, "Unknown check ID"},
		{"PUT", "/v1/agent/check/update/nobody", `{"Status":"odd"}`, 400, "Invalid check status"},
		{"PUT", "/v1/config", `{"Kind":"service-router"}`, 400, "service-intentions only"},
		{"GET", "/v1/catalog/services?index=x", "", 400, "Invalid index"},
		{"GET", "/v1/catalog/services?wait=x", "", 400, "Invalid wait time"},
		{"GET", "/v1/catalog/services?dc=dc9", "", 500, "No path to datacenter"},
		{"POST", "/v1/catalog/services", "", 405, ""},
		{"GET", "/v1/nothing", "", 404, ""},
	} {
		if res, text := c.send(tt.method, tt.path, tt.body); res.StatusCode != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s %s: %s %s", tt.method, tt.path, tt.body, res.Status, text)
		}
	}
}

func TestWhatIsAskedOnceIsAnsweredAtOnce(t *testing.T) {
	c := client{t, serve(t)}
	for path, want := range map[string]string{
		"/v1/status/leader":       `"127.0.0.1:8300"`,
		"/v1/status/peers":        `["127.0.0.1:8300"]`,
		"/v1/catalog/datacenters": `["dc1"]`,
		"/v1/catalog/services":    `{"consul":[]}`,
		"/v1/health/service/none": `[]`,
		"/v1/agent/services":      `{}`,
		"/v1/agent/checks":        `{}`,
	} {
		if got := c.must("GET", path, ""); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if text := c.must("GET", "/v1/agent/self", ""); !strings.Contains(text, `"NodeName":"test-node"`) {
		t.Errorf("the agent is %s", text)
	}
}

func BenchmarkHealthService(b *testing.B) {
	r := registry.New("bench", 8300)
	for _, id := range []string{"web-1", "web-2", "web-3"} {
		d := registry.Definition{ID: id, Name: "web", Port: 80, Check: &registry.CheckDefinition{TTL: "1h"}}
		if err := r.Register(d); err != nil {
			b.Fatal(err)
		}
	}
	h := r.Handler()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/health/service/web", nil))
	}
}
