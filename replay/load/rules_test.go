package load

import (
	"context"
	"errors"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

func open(t *testing.T, env probes.Environment) *probes.Conn {
	t.Helper()
	p := probetest.NewFake("shop")
	d := p.Driver()
	d.Open = func(context.Context, probes.Target) (probes.Probe, error) { return p, nil }
	conn, err := probes.Open(t.Context(), []probes.Driver{d}, probes.Target{Name: "shop", Driver: d.Name, Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestLoadsKeepToTheirEnvironment(t *testing.T) {
	reads, writes := probes.Method{Name: "Get", Effect: probes.EffectRead}, probes.Method{Name: "Set", Effect: probes.EffectUnknown}
	env := func(class probes.Class, write, replayTo bool) probes.Environment {
		return probes.Environment{Name: "here", Class: class, Write: write, ReplayToProd: replayTo}
	}
	for name, c := range map[string]struct {
		env     probes.Environment
		m       probes.Method
		o, want Options
		refused string
		note    bool
	}{
		"free":              {env: env(probes.ClassLocal, false, false), m: reads, o: Options{Count: 1}, want: Options{Count: 1, Concurrency: 1}},
		"at a rate":         {env: env(probes.ClassDev, true, false), m: writes, o: Options{Rate: 900}, want: Options{Rate: 900, Concurrency: 8}},
		"read-only":         {env: env(probes.ClassLocal, false, false), m: writes, refused: "read-only"},
		"production":        {env: env(probes.ClassProd, true, false), m: reads, refused: "is production"},
		"allowed":           {env: env(probes.ClassProd, true, true), m: reads, o: Options{Rate: 900}, want: Options{Rate: 900, Concurrency: 8}},
		"too fast":          {env: env(probes.ClassStaging, true, false), m: reads, o: Options{Rate: 51}, refused: "51 calls a second"},
		"too many":          {env: env(probes.ClassUnknown, true, false), m: reads, o: Options{Concurrency: 9}, refused: "9 calls at once"},
		"lowered":           {env: env(probes.ClassStaging, true, false), m: reads, want: Options{Rate: MaxRate, Concurrency: 8}, note: true},
		"within the limits": {env: env(probes.ClassStaging, true, false), m: writes, o: Options{Rate: 50, Concurrency: 2}, want: Options{Rate: 50, Concurrency: 2}},
	} {
		got, note, err := Allow(open(t, c.env), &c.m, c.o)
		switch {
		case c.refused != "":
			if !errors.Is(err, probes.ErrRefused) || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || got.Rate != c.want.Rate || got.Concurrency != c.want.Concurrency || got.Count != c.want.Count || (note != "") != c.note:
			t.Errorf("%s: %+v, %q, %v", name, got, note, err)
		}
	}
}

func TestHowOneCallEnds(t *testing.T) {
	yield := func(err error, recs ...probes.Record) (Outcome, error) {
		return Observe(func(yield func(probes.Record, error) bool) {
			for _, r := range recs {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(probes.Record{}, err)
			}
		})
	}
	attr := func(name, value string) []probes.Attr { return []probes.Attr{{Name: name, Value: value}} }
	answer := probes.Record{Kind: probes.Response, Attrs: attr(probes.AttrPeer, "10.0.0.1:80")}
	out, pointless := yield(nil, answer, probes.Record{Kind: probes.End, Err: "no", Attrs: attr(probes.AttrStatus, "NOT_FOUND")})
	if out != (Outcome{Status: "NOT_FOUND", Err: "no", Peer: "10.0.0.1:80"}) || pointless != nil {
		t.Errorf("%+v %v", out, pointless)
	}
	cut := &probes.Error{Op: "reading", Kind: probes.ErrUnreachable}
	if out, pointless = yield(cut, answer); out.Status != probes.ErrUnreachable.Error() || out.Peer == "" || out.Err == "" || pointless != nil {
		t.Errorf("%+v %v", out, pointless)
	}
	wrong := &probes.Error{Op: "encoding", Kind: probes.ErrUsage}
	if out, pointless = yield(wrong); out.Err == "" || pointless != error(wrong) {
		t.Errorf("%+v %v", out, pointless)
	}
	if out, pointless = yield(errors.New("odd")); out.Status != "failed" || pointless != nil {
		t.Errorf("%+v %v", out, pointless)
	}
}
