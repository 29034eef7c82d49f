package rabbitmq

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// TestTLS connects over TLS with and without a client certificate, and says what
// is wrong in words.
func TestTLS(t *testing.T) {
	b := newBed(t)
	a := b.addresses
	if a["amqps"] == "" {
		t.Fatal("the testbed names no TLS listener of its RabbitMQ")
	}
	secured := func(edit func(*probes.Target)) *probe {
		return b.open(t, func(t *probes.Target) {
			t.Address, t.TLS = a["amqps"], probes.TLS{Enabled: true, CAFile: a["ca"]}
			edit(t)
		})
	}
	certificate := func(t *probes.Target) { t.TLS.CertFile, t.TLS.KeyFile = a["client_cert"], a["client_key"] }
	for _, c := range []struct {
		name string
		edit func(*probes.Target)
		kind error
		hint string
	}{
		{"password", func(*probes.Target) {}, nil, ""},
		{"password and certificate", certificate, nil, ""},
		{"unknown authority", func(t *probes.Target) { t.TLS.CAFile = "" }, probes.ErrTLS, "tls.ca"},
		{"wrong name", func(t *probes.Target) { t.TLS.ServerName = "elsewhere.example" }, probes.ErrTLS, "tls.server_name"},
		{"plaintext", func(t *probes.Target) { t.TLS = probes.TLS{} }, probes.ErrTLS, "amqps://"},
	} {
		err := secured(c.edit).Check(limit(t))
		if c.kind == nil {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		wantKind(t, err, c.kind)
		if !strings.Contains(probes.HintOf(err), c.hint) {
			t.Errorf("%s: %v, hint %q", c.name, err, probes.HintOf(err))
		}
	}
	// The management API's own TLS is another matter: it is reached as configured.
	b.queue(t, "q", nil)
	b.publish(t, "", "q", []byte("m"))
	if recs, err := peek(t, secured(certificate), probes.PeekQuery{Subject: "q"}); err != nil || !slices.Equal(bodies(recs), []string{"m"}) {
		t.Errorf("%v %v", recs, err)
	}
}

// TestExternal logs in by the certificate alone, and says what is missing where
// its name is no user, or a user without rights.
func TestExternal(t *testing.T) {
	b := newBed(t)
	p := b.open(t, func(t *probes.Target) {
		t.Address, t.Auth = b.addresses["amqps"], probes.Auth{}
		t.TLS = probes.TLS{Enabled: true, CAFile: b.addresses["ca"], CertFile: b.addresses["client_cert"], KeyFile: b.addresses["client_key"]}
	})
	user := b.addresses["external_user"]
	if user == "" {
		t.Fatal("the testbed names no user that logs in by certificate")
	}
	err := p.Check(limit(t))
	wantKind(t, err, probes.ErrAuth)
	if !strings.Contains(probes.HintOf(err), "common name") {
		t.Errorf("%v, hint %q", err, probes.HintOf(err))
	}
	// No password: nobody else can log in as that user.
	b.api(t, http.MethodPut, "/api/users/"+user, map[string]any{"password_hash": "", "tags": ""}, nil)
	t.Cleanup(func() { b.try(t, http.MethodDelete, "/api/users/"+user, nil, nil) })
	wantKind(t, p.Check(limit(t)), probes.ErrDenied)
	b.allow(t, user, ".*", ".*", ".*")
	if err := p.Check(limit(t)); err != nil {
		t.Error(err)
	}
	x := b.exchange(t, "x", "topic", nil)
	f := b.follow(t, p, probes.TailQuery{Subject: "exchange/" + x})
	b.bound(t, x)
	b.publish(t, x, "k", []byte("seen"))
	if r := f.message(); string(r.Body) != "seen" {
		t.Errorf("got %q", r.Body)
	}
	f.end()
}

// TestExternalNotOffered says which plugin is missing where a broker does not
// offer EXTERNAL. The testbed's does.
func TestExternalNotOffered(t *testing.T) {
	p := &probe{}
	p.set.sasl = []amqp.Authentication{&amqp.ExternalAuth{}}
	err := p.refused(limit(t), &link{wire: newWire(nil)}, amqp.ErrSASL)
	wantKind(t, p.fail("connecting", err), probes.ErrAuth)
	if !strings.Contains(probes.HintOf(p.fail("connecting", err)), "rabbitmq_auth_mechanism_ssl") {
		t.Errorf("%v", err)
	}
}
