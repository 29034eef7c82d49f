package grpcapi

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"iscope/probes"
)

const (
	callV1      = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	callV1Alpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
)

func names(ms []probes.Method) []string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.Name
	}
	return out
}

func TestReflectionVersions(t *testing.T) {
	for name, o := range map[string]serverOptions{
		"both": {reflection: bothVersions}, "v1": {reflection: []version{v1}}, "v1alpha": {reflection: []version{v1alpha}},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, o)
			p := dial(t, f.target())
			ms, err := p.Methods(within(t))
			if err != nil {
				t.Fatal(err)
			}
			list := names(ms)
			if !slices.IsSorted(list) || !slices.Contains(list, "probe.v1.Probe/Chat") || !slices.Contains(list, "grpc.health.v1.Health/Check") {
				t.Errorf("methods: %v", list)
			}
			if _, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping"}); err != nil {
				t.Error(err)
			}
			if o.reflection[0] == v1 && f.called(callV1Alpha) > 0 {
				t.Error("v1 is served, v1alpha was asked")
			}
		})
	}
	t.Run("only the one that was asked for", func(t *testing.T) {
		f := serve(t, serverOptions{reflection: []version{v1alpha}})
		target := f.target()
		target.Options[optReflection] = "v1"
		_, err := dial(t, target).Methods(within(t))
		wantError(t, err, probes.ErrUnsupported, "no reflection (tried v1)", "reflection to auto")
	})
}

func TestMethodsSayWhatTheyAre(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	ms, err := p.Methods(within(t))
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string) probes.Method {
		i := slices.IndexFunc(ms, func(m probes.Method) bool { return m.Name == name })
		if i < 0 {
			t.Fatalf("no %s in %v", name, names(ms))
		}
		return ms[i]
	}
	echo := find("probe.v1.Probe/Echo")
	if echo.Group != "probe.v1.Probe" || echo.Doc != "Echo answers with what it got." || echo.Input != "probe.v1.All" || echo.Effect != probes.EffectUnknown {
		t.Errorf("%+v", echo)
	}
	if m := find("probe.v1.Probe/Chat"); !m.ClientStream || !m.ServerStream || m.Deprecated {
		t.Errorf("%+v", m)
	}
	if m := find("probe.v1.Probe/Old"); !m.Deprecated {
		t.Errorf("%+v", m)
	}
	if m := find("probe.v1.Probe/Peek"); m.Effect != probes.EffectRead {
		t.Errorf("%+v", m)
	}
}

func TestWithoutReflection(t *testing.T) {
	f := serve(t, serverOptions{})
	b, err := proto.Marshal(fixtureSet(t))
	if err != nil {
		t.Fatal(err)
	}
	set := filepath.Join(t.TempDir(), "fixture.binpb")
	if err := os.WriteFile(set, b, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("there is nothing to call", func(t *testing.T) {
		p := dial(t, f.target())
		if err := p.Check(within(t)); err != nil {
			t.Errorf("the server is well: %v", err)
		}
		_, err := p.Methods(within(t))
		wantError(t, err, probes.ErrUnsupported, "the server has no reflection (tried v1, v1alpha)", "protoset")
		_, err = collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping"})
		wantError(t, err, probes.ErrUnsupported, "the server has no reflection", "protoset")
	})
	t.Run("a protoset stands in", func(t *testing.T) {
		target := f.target()
		target.Options[optProtoset] = set
		p := dial(t, target)
		ms, err := p.Methods(within(t))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.Index(names(ms), "probe.v1.Probe/Echo")
		if i < 0 || ms[i].Doc != "Echo answers with what it got." {
			t.Errorf("methods: %v", names(ms))
		}
		recs, err := collect(within(t), p, probes.Invocation{Method: "Lone/Ping"})
		if err != nil || shape(recs) != "request {} | response {} | end OK" {
			t.Errorf("%s, error %v", shape(recs), err)
		}
	})
}

func TestProtosetAddsWhatReflectionLacks(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions, without: []string{"probe/legacy/old.proto"}})
	const method = "probe.v1.Probe/Peek"
	p := dial(t, f.target())
	_, err := collect(within(t), p, probes.Invocation{Method: method})
	wantError(t, err, probes.ErrProtocol, "file not found: probe/legacy/old.proto", "protoset")
	// A bare name may be one of the methods that cannot be seen.
	_, err = p.Method(within(t), "Peek")
	wantError(t, err, probes.ErrProtocol, "reflection is incomplete", "protoset")
	ms, err := p.Methods(within(t))
	if err != nil || slices.Contains(names(ms), method) || !slices.Contains(names(ms), "probe.v1.Lone/Ping") {
		t.Errorf("methods %v, error %v", names(ms), err)
	}
	b, err := proto.Marshal(fixtureSet(t))
	if err != nil {
		t.Fatal(err)
	}
	target := f.target()
	target.Options[optProtoset] = filepath.Join(t.TempDir(), "fixture.binpb")
	if err := os.WriteFile(target.Options[optProtoset], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(within(t), dial(t, target), probes.Invocation{Method: method}); err != nil {
		t.Error(err)
	}
}

// A missing file that only declares options is no obstacle.
func TestMissingImportOfOptions(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions, without: []string{"probe/opts/opts.proto"}})
	p := dial(t, f.target())
	if _, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Echo"}); err != nil {
		t.Error(err)
	}
}

func TestCredentials(t *testing.T) {
	const token = "t0ken-never-shown"
	f := serve(t, serverOptions{reflection: bothVersions, token: token})
	t.Run("are sent on every call", func(t *testing.T) {
		target := f.target()
		target.Auth.Token = probes.NewSecret(token)
		p := dial(t, target)
		if err := p.Check(within(t)); err != nil {
			t.Fatal(err)
		}
		recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			for _, h := range r.Header {
				if strings.Contains(string(h.Value), token) {
					t.Errorf("%s shows the token in %s", r.Kind, h.Name)
				}
			}
		}
	})
	t.Run("are not tried twice", func(t *testing.T) {
		target := f.target()
		target.Auth.Token = probes.NewSecret("wrong-" + token)
		p := dial(t, target)
		before := f.called(callV1) + f.called(callV1Alpha)
		_, err := p.Methods(within(t))
		wantError(t, err, probes.ErrAuth, "UNAUTHENTICATED (16): no token", "auth")
		if strings.Contains(err.Error(), token) {
			t.Errorf("the error shows the token: %v", err)
		}
		if n := f.called(callV1) + f.called(callV1Alpha) - before; n != 1 {
			t.Errorf("refused credentials were sent %d times", n)
		}
		wantError(t, p.Check(within(t)), probes.ErrAuth, "UNAUTHENTICATED", "auth")
	})
}

func TestMethodNames(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	for _, name := range []string{"probe.v1.Lone/Ping", "/probe.v1.Lone/Ping", "probe.v1.Lone.Ping", "Lone/Ping", "v1.Lone.Ping", "Lone.Ping"} {
		recs, err := collect(within(t), p, probes.Invocation{Method: name})
		if err != nil || recs[0].Source.Subject != "probe.v1.Lone/Ping" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if recs, err := collect(within(t), p, probes.Invocation{Method: "Echo"}); err != nil || recs[0].Source.Subject != "probe.v1.Probe/Echo" {
		t.Errorf("Echo: %v", err)
	}
	for _, c := range []struct {
		name       string
		kind       error
		text, hint string
	}{
		{"probe.v1.Probe/Ech", probes.ErrNotFound, "no method Ech in probe.v1.Probe", "did you mean Echo?"},
		{"probe.v1.Prob/Echo", probes.ErrNotFound, "no service probe.v1.Prob", "did you mean probe.v1.Probe"},
		{"Probe/Ping", probes.ErrUsage, "Probe is ambiguous", "use one of probe.v1.Probe, probe.v2.Probe"},
		{"probe.v1.Lone", probes.ErrUsage, "probe.v1.Lone is a service", "probe.v1.Lone/{Ping}"},
		{"Ping", probes.ErrUsage, "Ping is ambiguous", "use one of probe.v1.Lone/Ping, "},
		{"Ech", probes.ErrNotFound, `"Ech" names no method`, "did you mean Echo?"},
		{"Lone", probes.ErrUsage, "probe.v1.Lone is a service", "probe.v1.Lone/{Ping}"},
		{"", probes.ErrUsage, "no method given", "pkg.Service/Method"},
		{"ünïcode/x y", probes.ErrNotFound, "no service ünïcode", ""},
		{"probe.v1.Item/sku", probes.ErrNotFound, "no service probe.v1.Item", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, err := collect(within(t), p, probes.Invocation{Method: c.name})
			wantError(t, err, c.kind, c.text, c.hint)
			if len(recs) > 0 {
				t.Errorf("%d records of a call that was not made", len(recs))
			}
		})
	}
}

// The contract changes while the target stays open, as at every deployment.
func TestServerRestartsUnderAnOpenTarget(t *testing.T) {
	first := serve(t, serverOptions{reflection: []version{v1}, services: []string{"probe.v1.Lone"}})
	p := dial(t, first.target())
	ms, err := p.Methods(within(t))
	if err != nil || slices.Contains(names(ms), "probe.v2.Probe/Ping") {
		t.Fatalf("methods %v, error %v", names(ms), err)
	}
	first.server.Stop()
	wantError(t, p.Check(within(t)), probes.ErrUnreachable, "", "")
	wantError(t, p.Check(within(t)), probes.ErrUnreachable, "nothing listens", "")
	for _, o := range []serverOptions{
		{addr: first.addr, reflection: []version{v1}, services: []string{"probe.v2.Probe"}},
		{addr: first.addr, reflection: []version{v1alpha}, services: []string{"probe.v2.Probe"}},
		{addr: first.addr, reflection: []version{v1}, services: []string{"probe.v2.Probe"}},
	} {
		again := serve(t, o)
		recs, err := collect(within(t), p, probes.Invocation{Method: "Probe/Ping"})
		if err != nil || shape(recs) != "request {} | response {} | end OK" {
			t.Fatalf("after the restart with %v: %s, error %v", o.reflection, shape(recs), err)
		}
		again.server.Stop()
	}
}

func TestServerDiesInTheMiddle(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	var seen []probes.Kind
	var last error
	for rec, err := range p.Invoke(within(t), probes.Invocation{Method: "probe.v1.Probe/WatchForever", Deadline: -1}) {
		if last = err; err != nil {
			break
		}
		seen = append(seen, rec.Kind)
		if rec.Kind == probes.Response {
			f.server.Stop()
		}
	}
	wantError(t, last, probes.ErrUnreachable, "after 1 messages: ", "")
	if !slices.Equal(seen, []probes.Kind{probes.Request, probes.Response}) {
		t.Errorf("saw %v", seen)
	}
}

func TestMetadataThatCannotBeSent(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	for name, h := range map[string]probes.Field{
		"reserved":   {Name: "grpc-timeout", Value: []byte("1S")},
		"pseudo":     {Name: ":path", Value: []byte("/")},
		"bad name":   {Name: "a b", Value: []byte("x")},
		"bad value":  {Name: "a", Value: []byte("x\ny")},
		"empty name": {Name: "", Value: []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Lone/Ping", Header: []probes.Field{h}})
			wantError(t, err, probes.ErrUsage, "metadata", "")
		})
	}
	if n := f.called("/probe.v1.Lone/Ping"); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestNothingIsSentOfABadRequest(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	for _, c := range []struct {
		name, method string
		docs         []string
		text, hint   string
	}{
		{"unary", "probe.v1.Probe/Peek", []string{`{"skuu":"a"}`}, `unknown field "skuu"`, "sku"},
		{"two messages for one", "probe.v1.Probe/Peek", []string{`{}`, `{}`}, "takes one message, got more", ""},
		{"none for one", "probe.v1.Probe/ListNumbers", []string{}, "no message given", "send {}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recs, err := collect(within(t), p, probes.Invocation{Method: c.method, Next: docs(c.docs...)})
			wantError(t, err, probes.ErrUsage, c.text, c.hint)
			if len(recs) > 0 || f.called("/"+c.method) > 0 {
				t.Errorf("%d records, %d calls", len(recs), f.called("/"+c.method))
			}
		})
	}
	t.Run("a stream names the message", func(t *testing.T) {
		recs, err := collect(within(t), p, probes.Invocation{Method: "probe.v1.Probe/Sum", Next: docs(`{"value":1}`, `{"value":"x"}`, `{}`)})
		wantError(t, err, probes.ErrUsage, "message 2: value (line 1:10)", "integer")
		if shape(recs) != `request {"value":"1"}` {
			t.Errorf("sent %s", shape(recs))
		}
	})
}

func TestCloseEndsACall(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	p := dial(t, f.target())
	var last error
	for rec, err := range p.Invoke(within(t), probes.Invocation{Method: "probe.v1.Probe/WatchForever", Deadline: -1}) {
		last = err
		if rec.Kind == probes.Response {
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if last == nil {
		t.Error("the call ended without an error")
	}
	wantError(t, p.Check(within(t)), probes.ErrUsage, "has been closed", "")
}
