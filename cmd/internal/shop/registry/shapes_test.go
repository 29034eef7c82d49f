package registry_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// fields collects the paths of a JSON value's fields.
func fields(at string, v any, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			found[at+"."+k] = true
			fields(at+"."+k, w, found)
		}
	case []any:
		for _, w := range v {
			fields(at, w, found)
		}
	}
}

// left are the fields of the real agent that the registry does not send: what
// belongs to its enterprise edition, its version and transparent proxies.
var left = []string{
	".ServiceLocality", ".ServicePorts", ".ServiceSocketPath", ".NodeMeta.consul-version", ".Node.Meta.consul-version",
	".Meta.consul-version", ".Service.TaggedAddresses.consul-virtual", ".Service.TaggedAddresses.consul-virtual.Address",
	".Service.TaggedAddresses.consul-virtual.Port",
}

// TestAnswersHaveTheFieldsOfConsul compares with answers recorded from a real
// agent after the same registrations.
func TestAnswersHaveTheFieldsOfConsul(t *testing.T) {
	text, err := os.ReadFile("testdata/consul-1.22.5.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]any
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	c := client{t, serve(t)}
	c.must("PUT", "/v1/agent/service/register", `{"ID":"orders-1","Name":"orders","Tags":["v2","grpc"],
		"Address":"127.0.0.1","Port":8081,"Meta":{"protocol":"grpc"},"Check":{"TTL":"10s"}}`)
	c.must("PUT", "/v1/agent/service/register", `{"ID":"web-1","Name":"web","Tags":["http"],
		"Address":"127.0.0.1","Port":8080,"Check":{"TTL":"10s"},
		"Connect":{"SidecarService":{"Proxy":{"Upstreams":[{"DestinationName":"orders","LocalBindPort":9191}]}}}}`)
	for path, want := range recorded {
		var got any
		if err := json.Unmarshal([]byte(c.must("GET", path, "")), &got); err != nil {
			t.Fatal(err)
		}
		theirs, ours := map[string]bool{}, map[string]bool{}
		fields("", want, theirs)
		fields("", got, ours)
		for f := range theirs {
			if !ours[f] && !slices.Contains(left, f) {
				t.Errorf("%s lacks %s", path, f)
			}
		}
		for f := range ours {
			if !theirs[f] {
				t.Errorf("%s has %s, which Consul does not send", path, f)
			}
		}
	}
}
