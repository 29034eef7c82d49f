package consul_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/probes/consul"
)

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		doc  doc
		kind error
		hint string
	}{
		{"unknown token", doc{body: "ACL not found", status: 403}, probes.ErrAuth, "auth.token"},
		{"no permission", doc{body: "Permission denied: token lacks permission 'service:read'", status: 403}, probes.ErrDenied, "service:read"},
		{"a proxy wants credentials", doc{body: "who are you", status: 401}, probes.ErrAuth, ""},
		{"no leader", doc{body: "No cluster leader", status: 500}, probes.ErrUnreachable, "quorum"},
		{"unknown datacenter", doc{body: "No path to datacenter", status: 500}, probes.ErrNotFound, "datacenter"},
		{"too many requests", doc{body: "slow down", status: 429}, probes.ErrUnreachable, ""},
		{"TLS port", doc{body: "Client sent an HTTP request to an HTTPS server.", status: 400}, probes.ErrTLS, "consul+tls://"},
		{"another server", doc{body: "", status: 404}, probes.ErrProtocol, "HTTP port"},
		{"a page", doc{body: "<html>", status: 200, header: http.Header{"Content-Type": {"text/html"}}}, probes.ErrProtocol, "HTTP port"},
		{"not JSON", doc{body: "{", status: 200}, probes.ErrUnreachable, ""}, // cut off
		{"other JSON", doc{body: `[1,2]`, status: 200}, probes.ErrProtocol, "HTTP port"},
		{"a redirect", doc{body: "moved", status: 302, header: http.Header{"Location": {"/v1/status/leader"}}}, probes.ErrProtocol, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeAgent(t)
			f.set("/v1/catalog/services", tt.doc)
			target := f.target()
			target.Auth.Token = probes.NewSecret("hunter2")
			_, err := once(t, discoverer(t, target), probes.DiscoverQuery{})
			wantKind(t, err, tt.kind)
			if hint := probes.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint %q lacks %q", hint, tt.hint)
			}
			if !strings.HasPrefix(err.Error(), "registry: listing services: ") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	f := newFakeAgent(t)
	if err := open(t, f.target()).Check(t.Context()); err != nil {
		t.Error(err)
	}
	elsewhere := f.target()
	elsewhere.Options = map[string]string{"datacenter": "dc2"}
	wantKind(t, open(t, elsewhere).Check(t.Context()), probes.ErrNotFound)
	f.put("/v1/status/leader", `""`)
	err := open(t, f.target()).Check(t.Context())
	wantKind(t, err, probes.ErrUnreachable)
	if !strings.Contains(err.Error(), "no cluster leader") || !strings.Contains(probes.HintOf(err), "quorum") {
		t.Errorf("%v (%s)", err, probes.HintOf(err))
	}
}

func TestTLSMismatch(t *testing.T) {
	f := newFakeAgent(t)
	target := f.target()
	target.TLS.Enabled = true
	err := open(t, target).Check(t.Context())
	wantKind(t, err, probes.ErrTLS)
	if !strings.Contains(probes.HintOf(err), "consul://") {
		t.Errorf("hint %q", probes.HintOf(err))
	}
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = quiet()
	target = probes.Target{Name: "registry", Driver: "consul", Address: strings.TrimPrefix(secure.URL, "https://")}
	wantKind(t, open(t, target).Check(t.Context()), probes.ErrTLS)
	target.TLS.Enabled = true
	wantKind(t, open(t, target).Check(t.Context()), probes.ErrTLS) // unknown authority
}

// TestTokenGoesNowhereElse: a redirect must not carry the token away.
func TestTokenGoesNowhereElse(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer thief.Close()
	f := newFakeAgent(t)
	f.set("/v1/catalog/datacenters", doc{status: 307, header: http.Header{"Location": {thief.URL}}})
	target := f.target()
	target.Auth.Token = probes.NewSecret("hunter2")
	wantKind(t, open(t, target).Check(t.Context()), probes.ErrProtocol)
}

func TestOpenRefuses(t *testing.T) {
	for name, target := range map[string]probes.Target{
		"no address":     {},
		"two agents":     {Address: "a:8500,b:8500"},
		"a path":         {Address: "a:8500/ui"},
		"unknown option": {Address: "a:8500", Options: map[string]string{"datacentre": "x"}},
		"no CA file":     {Address: "a:8500", TLS: probes.TLS{Enabled: true, CAFile: "testdata/none.pem"}},
	} {
		t.Run(name, func(t *testing.T) {
			target.Name, target.Driver = "registry", "consul"
			_, err := probes.Open(t.Context(), []probes.Driver{consul.Driver()}, target)
			wantKind(t, err, probes.ErrUsage)
			if !strings.HasPrefix(err.Error(), "registry: ") {
				t.Errorf("error %q", err)
			}
		})
	}
}
