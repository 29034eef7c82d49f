package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func isMasked(b []byte) bool { return bytes.Contains(b, []byte("«redacted")) }

// reasons turns skips into a map for comparison.
func reasons(p *Plan) map[string]int {
	out := map[string]int{}
	for _, s := range p.Skips {
		out[s.Reason] = s.Count
	}
	return out
}

func TestEveryItemLeftOutHasItsReason(t *testing.T) {
	changed := func(f func(*probes.Record)) probes.Record {
		r := messageAfter(0, "k")
		f(&r)
		return r
	}
	recs := []probes.Record{
		messageAfter(0, "k"),
		changed(func(r *probes.Record) { r.Body = nil }), // a tombstone is a message
		changed(func(r *probes.Record) { r.Cut = 7 }),
		changed(func(r *probes.Record) { r.Err = "bad batch" }),
		changed(func(r *probes.Record) { r.Body = []byte(`{"card":"«redacted:card#1»"}`) }),
		changed(func(r *probes.Record) { r.Header = []probes.Field{{Name: "X-Session", Value: []byte("«redacted»")}} }),
		changed(func(r *probes.Record) { r.Header = []probes.Field{{Name: "X-Iscope-Replay", Value: []byte("ab/1")}} }),
		changed(func(r *probes.Record) { r.Kind = probes.Event }),
		changed(func(r *probes.Record) { r.Kind = probes.Gap }),
		changed(func(r *probes.Record) { r.Kind = probes.Notice }),
		changed(func(r *probes.Record) { r.Source.Target = "other" }),
	}
	recs = append(recs, callAfter(0, 1, "ok", "shop.Orders/Get", "OK")...)
	recs = append(recs, callAfter(0, 1, "gone", "shop.Orders/Gone", "OK")...)
	recs = append(recs, callAfter(0, 1, "late", "shop.Orders/Get", "OK")[1:]...) // the capture began in the middle of it
	recs = append(recs, callAfter(0, 1, "open", "shop.Orders/Import", "OK")[:1]...)
	d := &destination{methods: []probes.Method{{Name: "shop.Orders/Get", Effect: probes.EffectRead}, {Name: "shop.Orders/Import", ClientStream: true}}}
	to := []Route{{From: "shop-kafka", Conn: d.conn()}, {From: "shop-orders", Conn: d.conn()}}
	p := plan(t, recorded(t, recs), PlanOptions{To: to, IsRedacted: isMasked})
	want := map[string]int{skipCut: 1, skipFaulty: 1, skipRedacted: 1, skipRedacted + ": x-session": 1, skipReplay: 1, skipNoRoute: 1,
		skipUnknown: 1, skipNoRequest: 1, skipUnended: 1}
	if diff := cmp.Diff(want, reasons(p)); diff != "" {
		t.Fatal(diff)
	}
	if p.Planned != 12 || p.Skipped != 9 || p.Writes != 2 || p.Reads != 1 {
		t.Fatalf("%+v", p)
	}
	for _, s := range p.Skips {
		if s.Example == "" {
			t.Errorf("%s: no example", s.Reason)
		}
	}
	reads := plan(t, p.reader, PlanOptions{To: to, IsRedacted: isMasked, ReadsOnly: true})
	if reads.Writes != 0 || reads.Reads != 1 || reasons(reads)[skipWrites] != 2 {
		t.Fatalf("%+v", reads)
	}
}

func TestSelectionIsNotSkipping(t *testing.T) {
	recs := slices.Concat([]probes.Record{messageAfter(0, "a"), messageAfter(1, "b")}, callAfter(0, 1, "c", "shop.Orders/Get", "OK"))
	d := &destination{}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}},
		Select: func(r *probes.Record) bool { return string(r.Key) == "b" }})
	if p.Planned != 1 || p.Unselected != 2 || p.Skipped != 0 {
		t.Fatalf("%+v", p)
	}
}

func TestAPlanCountsPerOperation(t *testing.T) {
	var recs []probes.Record
	for i, subject := range []string{"GET /orders/5", "GET /orders/6?full=1", "GET /orders/latest", "POST /orders", "DELETE /carts/1"} {
		call := callAfter(i*300, 10, subject, subject, "OK")
		recs = append(recs, call...)
	}
	d := &destination{methods: []probes.Method{{Name: "GET /orders/{id}", Effect: probes.EffectRead}, {Name: "GET /orders/latest", Effect: probes.EffectRead},
		{Name: "POST /orders", Effect: probes.EffectWrite}}}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	want := []Operation{
		{From: "shop-orders", Name: "GET /orders/{id}", To: "dest", Effect: probes.EffectRead, Count: 2},
		{From: "shop-orders", Name: "GET /orders/latest", To: "dest", Effect: probes.EffectRead, Count: 1},
		{From: "shop-orders", Name: "POST /orders", To: "dest", Effect: probes.EffectWrite, Count: 1},
		{From: "shop-orders", Name: "DELETE /carts/1", To: "dest", Effect: probes.EffectUnknown, Count: 1},
	}
	if diff := cmp.Diff(want, p.Operations); diff != "" {
		t.Fatal(diff)
	}
	if p.Reads != 3 || p.Writes != 2 || p.Duration != 1200*time.Millisecond || p.PeakRate != 4 || !p.Start.Equal(epoch) {
		t.Fatalf("%+v", p)
	}
	if b, err := json.Marshal(p); err != nil || !bytes.Contains(b, []byte(`"effect":"read"`)) {
		t.Fatalf("%s, %v", b, err)
	}
}

// Messages read from the past were all seen at once; their own times are the
// rhythm.
func TestMessagesKeepTheirOwnTimeAndTheFilesOrder(t *testing.T) {
	var recs []probes.Record
	for _, ms := range []int{0, 500, 400, 900} { // the third one's clock is off
		r := messageAfter(ms, "k")
		r.Seen = epoch.Add(time.Hour)
		recs = append(recs, r)
	}
	d := &destination{}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	due, _ := p.schedule(SendOptions{Speed: 1})
	if want := []time.Duration{0, 500 * time.Millisecond, 500 * time.Millisecond, 900 * time.Millisecond}; !slices.Equal(due, want) {
		t.Fatalf("due %v", due)
	}
	if _, err := Run(t.Context(), p, SendOptions{Pace: ASAP}); err != nil {
		t.Fatal(err)
	}
	for i, a := range d.got() {
		if !bytes.Equal(a.rec.Body, recs[i].Body) || !a.rec.Time.Equal(recs[i].Time) {
			t.Fatalf("number %d is %s of %v", i, a.rec.Body, a.rec.Time)
		}
	}
}

func TestAMessageIsSentAsItWas(t *testing.T) {
	rec := messageAfter(0, "k")
	rec.Header = []probes.Field{{Name: "a", Value: []byte{0, 255}}, {Name: "a"}, {Name: "Authorization", Value: []byte{}}}
	rec.Attrs = []probes.Attr{{Name: probes.AttrPartition, Value: "2"}, {Name: probes.AttrOffset, Value: "77"}}
	rec.Native = json.RawMessage(`{"x":1}`)
	r := recorded(t, []probes.Record{rec})
	for _, keep := range []bool{false, true} {
		d := &destination{}
		p := plan(t, r, PlanOptions{To: []Route{{Conn: d.conn(), Subject: "replayed"}}, KeepPartition: keep})
		if _, err := Run(t.Context(), p, SendOptions{Run: "r1"}); err != nil {
			t.Fatal(err)
		}
		got := d.got()[0].rec
		want := rec
		want.ID, want.Seen, want.Attrs = "", time.Time{}, []probes.Attr{}
		want.Source = probes.Ref{Target: "dest", Subject: "replayed"}
		want.Header = append(slices.Clone(rec.Header), probes.Field{Name: Marker, Value: []byte("r1/0")})
		if keep {
			want.Attrs = rec.Attrs[:1]
		}
		if diff := sameRecord(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestHeadersOfCalls(t *testing.T) {
	secret := probes.NewSecret("s")
	base := []probes.Field{{Name: "Host", Value: []byte("api")}, {Name: ":authority", Value: []byte("api")}, {Name: "Content-Length", Value: []byte("3")},
		{Name: "Accept", Value: []byte("a")}, {Name: "Accept", Value: []byte("b")}}
	accept := base[3:]
	bearer := probes.Field{Name: "Authorization", Value: []byte("Bearer x")}
	masked := probes.Field{Name: "Authorization", Value: []byte("«redacted»")}
	for name, tc := range map[string]struct {
		subject string
		add     probes.Field
		auth    probes.Auth
		opt     PlanOptions
		want    []probes.Field
		skip    string
	}{
		"connection headers go":            {"GET /x", probes.Field{Name: "x", Value: []byte("1")}, probes.Auth{}, PlanOptions{}, append(slices.Clone(accept), probes.Field{Name: "x", Value: []byte("1")}), ""},
		"gRPC's own go too":                {"a.B/C", probes.Field{Name: "Grpc-Timeout", Value: []byte("1S")}, probes.Auth{}, PlanOptions{}, accept, ""},
		"a credential stays here":          {"GET /x", bearer, probes.Auth{}, PlanOptions{}, nil, skipSecret + ": authorization"},
		"the destination has its own":      {"GET /x", bearer, probes.Auth{Token: secret}, PlanOptions{}, accept, ""},
		"unless told":                      {"GET /x", bearer, probes.Auth{Token: secret}, PlanOptions{KeepCredentials: true}, append(slices.Clone(accept), bearer), ""},
		"a mask is never sent":             {"GET /x", masked, probes.Auth{}, PlanOptions{KeepCredentials: true}, nil, skipRedacted + ": authorization"},
		"a mask the destination replaces":  {"GET /x", masked, probes.Auth{Token: secret}, PlanOptions{}, accept, ""},
		"a mask somebody provides":         {"GET /x", masked, probes.Auth{}, PlanOptions{Provide: func(*probes.Conn, string) ([]byte, bool) { return []byte("Basic y"), true }}, append(slices.Clone(accept), probes.Field{Name: "Authorization", Value: []byte("Basic y")}), ""},
		"a mask nobody provides":           {"GET /x", probes.Field{Name: "X-Foo", Value: []byte("«redacted»")}, probes.Auth{Token: secret}, PlanOptions{Provide: func(*probes.Conn, string) ([]byte, bool) { return nil, false }}, nil, skipRedacted + ": x-foo"},
		"the configured credential header": {"GET /x", probes.Field{Name: "X-Shop-Key", Value: []byte("k")}, probes.Auth{Token: secret, Header: "x-shop-key"}, PlanOptions{}, accept, ""},
	} {
		d := &destination{}
		c := d.conn()
		c.Target.Auth = tc.auth
		tc.opt.IsRedacted = isMasked
		p := &Plan{opt: tc.opt}
		got, skip := p.headers(&probes.Record{Kind: probes.Request, Source: probes.Ref{Subject: tc.subject}, Header: append(slices.Clone(base), tc.add)}, c)
		if diff := cmp.Diff(tc.want, got); diff != "" || skip != tc.skip {
			t.Errorf("%s: skip %q, %s", name, skip, diff)
		}
	}
}

func TestRoutesAreChecked(t *testing.T) {
	r := recorded(t, []probes.Record{messageAfter(0, "k")})
	c := (&destination{}).conn()
	for name, routes := range map[string][]Route{"none": nil, "not open": {{}}, "twice": {{Conn: c}, {Conn: c}}, "misspelt": {{From: "shop-kafak", Conn: c}}} {
		_, err := BuildPlan(t.Context(), r, PlanOptions{To: routes})
		if !errors.Is(err, probes.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "misspelt" && !strings.Contains(probes.HintOf(err), "shop-kafka") {
			t.Errorf("hint %q", probes.HintOf(err))
		}
	}
}

func TestADamagedCaptureIsPlannedForWhatIsLeft(t *testing.T) {
	data, err := os.ReadFile(capture(t, 200, WriterOptions{ChunkSize: 3000}))
	if err != nil {
		t.Fatal(err)
	}
	data[bytes.Index(data, packSign)+50] ^= 0xff
	path := t.TempDir() + "/bad.mcap"
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &destination{}
	p := plan(t, open(t, path), PlanOptions{To: []Route{{Conn: d.conn()}}})
	if len(p.Damage) != 1 || p.Damage[0].Records <= 0 || p.Planned != 200-int(p.Damage[0].Records) {
		t.Fatalf("%d planned, damage %v", p.Planned, p.Damage)
	}
	rep, err := Run(t.Context(), p, SendOptions{Pace: ASAP})
	if err != nil || rep.Sent != p.Planned || len(rep.Damage) != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
}

// A flip where only the index is loses no record, and is seen all the same.
func TestADamagedIndexIsNotPassedOverInSilence(t *testing.T) {
	data, err := os.ReadFile(capture(t, 200, WriterOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	for at := len(data) - 1; at > len(data)-60; at-- {
		bad := bytes.Clone(data)
		bad[at] ^= 0x10
		path := t.TempDir() + "/bad.mcap"
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		p := plan(t, open(t, path), PlanOptions{To: []Route{{Conn: (&destination{}).conn()}}})
		if p.Planned != 200 || len(p.Damage) == 0 {
			t.Fatalf("flipped %d from the end: %d planned, damage %v", len(data)-at, p.Planned, p.Damage)
		}
	}
}

func TestGuardRails(t *testing.T) {
	env := func(class probes.Class) probes.Environment {
		return probes.Environment{Name: "e", Class: class, Write: true}
	}
	at := TargetInfo{Name: "shop-kafka", Driver: "kafka", Address: "10.1.1.1:9092,10.1.1.2:9092", Identity: "cluster-1", Environment: "prod-eu"}
	hosts := map[string][]string{"kafka.internal": {"10.1.1.2"}, "other.internal": {"10.9.9.9"}}
	resolve := func(_ context.Context, host string) ([]string, error) {
		if ips, ok := hosts[host]; ok {
			return ips, nil
		}
		return nil, errors.New("no such host")
	}
	type given struct {
		name, address, cluster, subject string
		env                             probes.Environment
		recorded                        TargetInfo
	}
	ok := given{"staging-kafka", "10.2.2.2:9092", "cluster-2", "", env(probes.ClassStaging), at}
	but := func(f func(*given)) given {
		g := ok
		f(&g)
		return g
	}
	for name, tc := range map[string]struct {
		given
		refused string // part of the reason; "" goes
	}{
		"another system":              {ok, ""},
		"read-only":                   {but(func(g *given) { g.env.Write = false }), "read-only"},
		"production":                  {but(func(g *given) { g.env = env(probes.ClassProd) }), "production"},
		"production that allows it":   {but(func(g *given) { g.env = env(probes.ClassProd); g.env.ReplayToProd = true }), ""},
		"same name, other env":        {but(func(g *given) { g.name = at.Name }), ""},
		"same name and env":           {but(func(g *given) { g.name, g.env.Name = at.Name, at.Environment }), "where it was recorded"},
		"same address":                {but(func(g *given) { g.address = "10.1.1.2:9092" }), "10.1.1.2:9092"},
		"same address, other port":    {but(func(g *given) { g.address = "10.1.1.2:9093" }), ""},
		"same address by name":        {but(func(g *given) { g.address = "Kafka.Internal.:9092" }), "address"},
		"other address by name":       {but(func(g *given) { g.address = "other.internal:9092" }), ""},
		"a name that does not exist":  {but(func(g *given) { g.address = "nowhere.internal:9092" }), ""},
		"same cluster":                {but(func(g *given) { g.cluster = "cluster-1" }), "cluster-1"},
		"same cluster, other subject": {but(func(g *given) { g.cluster, g.subject = "cluster-1", "replay" }), "cluster-1"},
		"the same on a laptop":        {but(func(g *given) { g.cluster, g.env = "cluster-1", local }), "cluster-1"},
		"other subject on a laptop":   {but(func(g *given) { g.cluster, g.subject, g.env = "cluster-1", "replay", local }), ""},
		"same subject on a laptop":    {but(func(g *given) { g.cluster, g.subject, g.env = "cluster-1", "orders", local }), "cluster-1"},
		"loopback, spelt otherwise": {but(func(g *given) {
			g.recorded.Address, g.address = "http://localhost:80/api", "http://127.0.0.1/"
			hosts["localhost"] = []string{"::1"}
		}), "127.0.0.1"},
		"origin unknown":             {but(func(g *given) { g.recorded = TargetInfo{Name: "shop-kafka"} }), "does not say"},
		"origin unknown on a laptop": {but(func(g *given) { g.recorded, g.env = TargetInfo{Name: "shop-kafka"}, local }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := &destination{cluster: tc.cluster}
			r := recorded(t, []probes.Record{messageAfter(0, "k")}, tc.recorded)
			p := plan(t, r, PlanOptions{To: []Route{{Conn: d.at(tc.name, tc.address, tc.env), Subject: tc.subject}}, Resolve: resolve})
			if tc.refused == "" {
				if p.Refused != nil {
					t.Fatal(p.Refused)
				}
				want := 0.0
				if !harmless(tc.env.Class) {
					want = defaultCeiling
				}
				if p.Ceiling != want {
					t.Fatalf("ceiling %v", p.Ceiling)
				}
				return
			}
			if !errors.Is(p.Refused, probes.ErrRefused) || !strings.Contains(p.Refused.Error(), tc.refused) || probes.HintOf(p.Refused) == "" || p.Refusal == "" {
				t.Fatalf("refused: %v", p.Refused)
			}
			rep, err := Run(t.Context(), p, SendOptions{})
			if !errors.Is(err, probes.ErrRefused) || rep.NotSent != 1 || len(d.got()) != 0 {
				t.Fatalf("%+v, %v, %d arrived", rep, err, len(d.got()))
			}
			balanced(t, rep)
		})
	}
}

// Calls never go back to where they came from, whatever subject is given.
func TestCallsHaveNoWayBack(t *testing.T) {
	d := &destination{methods: []probes.Method{{Name: "shop.Orders/Get", Effect: probes.EffectRead}}}
	r := recorded(t, callAfter(0, 1, "c", "shop.Orders/Get", "OK"))
	p := plan(t, r, PlanOptions{To: []Route{{Conn: d.at("x", "127.0.0.1:9092", local), Subject: "elsewhere"}}})
	if !errors.Is(p.Refused, probes.ErrRefused) {
		t.Fatal(p.Refused)
	}
}

func TestTargetOf(t *testing.T) {
	d := &destination{cluster: "c-9"}
	got, err := TargetOf(t.Context(), d.at("k", "u:p@10.0.0.1:9092", probes.Environment{Name: "e", Class: probes.ClassDev}))
	if want := (TargetInfo{Name: "k", Driver: "fake", Address: "10.0.0.1:9092", Identity: "c-9", Environment: "e", Class: probes.ClassDev}); err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	if m := got.values(); !maps.Equal(m, func() map[string]string { x := targetFrom(m); return x.values() }()) {
		t.Fatalf("%v", m)
	}
}
