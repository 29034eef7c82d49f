package invoke

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"iscope/probes"
	"iscope/tui/kit"
)

// scripted answers a call with the records it is given.
func (p *peer) scripted(recs ...probes.Record) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		for _, r := range recs {
			r.Seen = clock
			if !yield(r, nil) {
				return
			}
		}
	}
}

// answering is a screen on a method that is answered with those records, called
// once.
func answering(t *testing.T, recs ...probes.Record) (*screen, *peer) {
	sc, p := build(t, "local", true)
	p.script = recs
	choose(t, sc, "fake.Svc/Big")
	press(t, sc, "s")
	return sc, p
}

func frameOf(sc *screen) string { return ansi.Strip(sc.View(200, 60)) }

func TestWhatIsSaidBesideTheAnswer(t *testing.T) {
	attr := func(n, v string) probes.Attr { return probes.Attr{Name: n, Value: v} }
	sc, _ := answering(t,
		probes.Record{Kind: probes.Request, Attrs: []probes.Attr{attr(probes.AttrHTTPMethod, "GET"), attr(probes.AttrURL, "http://shop/old")}},
		probes.Record{Kind: probes.Response, Attrs: []probes.Attr{attr(probes.AttrHTTPStatus, "302")}, Header: []probes.Field{{Name: "Location", Value: []byte("/new")}}},
		probes.Record{Kind: probes.Request, Attrs: []probes.Attr{attr(probes.AttrHTTPMethod, "GET"), attr(probes.AttrURL, "http://shop/new")}},
		probes.Record{Kind: probes.Response, Body: []byte(`{"orders":[{"total":"x"}]}`), Attrs: []probes.Attr{attr(probes.AttrHTTPStatus, "429"),
			attr(probes.AttrWireSize, "12"), attr(probes.AttrViolation, "$.orders[0].total: expected a number"), attr(probes.AttrPath, "orders.0.total")},
			Header: []probes.Field{{Name: "Retry-After", Value: []byte("17")}}, Err: "no rate for this currency"},
		probes.Record{Kind: probes.End, Err: "429 Too Many Requests", Attrs: []probes.Attr{attr(probes.AttrHTTPStatus, "429")}})
	frame := frameOf(sc)
	for _, part := range []string{"✗ 429 Too Many Requests", "26 B (12 B on the wire), 1 redir", "GET http://shop/old", "302 to /new",
		"against the contract, at $.orders[0].total: expected a number", "error at orders.0.total: no rate for this currency", "Notes 5"} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
	sc.toResponse(tabNotes)
	for _, part := range []string{"17 s", "from header Retry-After", "in the response"} {
		if frame := frameOf(sc); !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
}

func TestDiffIsByPath(t *testing.T) {
	ok := probes.Record{Kind: probes.End, Attrs: []probes.Attr{{Name: probes.AttrStatus, Value: "OK"}}}
	sc, p := answering(t, probes.Record{Kind: probes.Response, Body: []byte(`{"a":1,"status":"CREATED"}`)}, ok)
	if got := press(t, sc, "D"); !strings.HasPrefix(got[0].(string), "there is no earlier answer") {
		t.Error(got)
	}
	p.script[0].Body = []byte(`{"status":"REJECTED","a":1}`)
	press(t, sc, "r")
	press(t, sc, "D")
	frame := frameOf(sc)
	for _, part := range []string{"1 change since the answer of 14:05:10", "status", `- "CREATED"`, `+ "REJECTED"`} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
	press(t, sc, "r") // the tab stays, and compares anew
	if frame := frameOf(sc); !strings.Contains(frame, "the same as the answer of 14:05:10") {
		t.Error(frame)
	}
}

func TestTheTreeFolds(t *testing.T) {
	sc, _ := answering(t, probes.Record{Kind: probes.Response, Body: []byte(`{"items":[{"sku":"K-1"}],"n":2}`)}, probes.Record{Kind: probes.End})
	run(t, sc, sc.toResponse(tabTree))
	frameOf(sc)
	sc.Update(kit.Down) // items
	run(t, sc, sc.Update(kit.Enter))
	if frame := frameOf(sc); strings.Contains(frame, `"sku": `) || !strings.Contains(frame, `+ "items": []`) {
		t.Error(frame)
	}
	run(t, sc, sc.Update(kit.Right))
	if frame := frameOf(sc); !strings.Contains(frame, `"sku": "K-1"`) {
		t.Error(frame)
	}
	sc.Update(kit.Bottom)
	if out := run(t, sc, sc.Update(kit.CopyValue)); len(out) != 2 {
		t.Errorf("%v", out)
	}
}

func TestLongBodiesAreLaidOutInSteps(t *testing.T) {
	body := []byte(`[` + strings.Repeat(`{"id":1},`, 20_000) + `{}]`)
	sc, _ := answering(t, probes.Record{Kind: probes.Response, Body: body}, probes.Record{Kind: probes.End})
	sc.toResponse(tabText)
	frameOf(sc)
	first := sc.resp.page.n
	if !sc.resp.page.more || first > 40_000 {
		t.Fatal(first)
	}
	press(t, sc, "m")
	frameOf(sc)
	if sc.resp.page.more || sc.resp.page.n <= first {
		t.Error(first, sc.resp.page.n)
	}
	if got := press(t, sc, "m"); got[0] != "all of the body is laid out already" {
		t.Error(got)
	}
}

func TestStreamsAreHeld(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Echo")
	wait := start(t, sc)
	untilCall(t, sc, func(p progress) bool { return p.received == 1 })
	sc.pane = onResponse
	press(t, sc, "space")
	sc.pane = onRequest
	press(t, sc, "s")
	untilCall(t, sc, func(p progress) bool { return p.received == 2 })
	if frame := frameOf(sc); !strings.Contains(frame, "held: 2 more have come") {
		t.Error(frame)
	}
	sc.pane = onResponse
	press(t, sc, "space")
	if frame := frameOf(sc); strings.Contains(frame, "held") || strings.Count(frame, "← response") != 2 {
		t.Error(frame)
	}
	press(t, sc, "K")
	wait()
}

func TestCallsBeginATrace(t *testing.T) {
	sc, p := build(t, "local", true)
	press(t, sc, "W")
	choose(t, sc, "fake.Svc/Fail")
	press(t, sc, "s")
	id := sc.call().progress().trace
	sent := p.Calls()[0].Header
	if len(id) != 32 || len(sent) != 1 || probes.TraceID(string(sent[0].Value)) != id || len(sc.call().in.Header) != 0 {
		t.Errorf("%q %v", id, sent)
	}
	press(t, sc, "r")
	if again := sc.call().progress().trace; again == id || len(again) != 32 {
		t.Error("a call sent again has the same trace")
	}
	p.Seed("orders", 3)
	feed := sc.s.Tail(probes.Ref{Target: target, Subject: "orders"}, probes.TailQuery{})
	defer feed.Stop()
	out := press(t, sc, "T")
	if g, ok := out[0].(kit.Go); !ok || g.Screen != kit.Tail || g.Filter != sc.call().progress().trace || g.Ref.Subject != "orders" {
		t.Errorf("%+v", out)
	}
	press(t, sc, "W")
	press(t, sc, "s")
	if sc.call().progress().trace != "" || len(p.Calls()[2].Header) != 0 {
		t.Error("traces are off")
	}
}

func TestSentAnyway(t *testing.T) {
	sc, p := build(t, "local", true)
	choose(t, sc, "fake.Svc/Fail")
	press(t, sc, "!")
	if calls := p.Calls(); len(calls) != 1 || !calls[0].Force {
		t.Errorf("%+v", calls)
	}
}

func TestMethodsNamedByHand(t *testing.T) {
	sc, p := build(t, "local", true)
	p.methodsErr = &probes.Error{Target: target, Op: "listing methods", Kind: probes.ErrNotFound, Err: errors.New("no document")}
	press(t, sc, "i")
	typing(sc, "GET /health?x=1")
	run(t, sc, sc.Update(key("enter")))
	d := sc.draft()
	if d == nil || d.ref.Subject != "GET /health?x=1" || d.method.Effect != probes.EffectRead || sc.pane != onRequest {
		t.Fatalf("%+v", d)
	}
	press(t, sc, "s")
	if calls := p.Calls(); len(calls) != 1 || calls[0].Method != "GET /health?x=1" {
		t.Errorf("%+v", calls)
	}
	press(t, sc, "i")
	typing(sc, "POST /orders")
	run(t, sc, sc.Update(key("enter")))
	if d := sc.draft(); d.method.Effect == probes.EffectRead || !d.body {
		t.Error("a POST counts as a read")
	}
	press(t, sc, "i")
	typing(sc, "nonsense")
	if out := run(t, sc, sc.Update(key("enter"))); len(out) != 1 {
		t.Errorf("%v", out)
	}
}

// TestKeysAreTakenBetweenTwoFrames turns to another tab and goes to its end before
// anything is drawn.
func TestKeysAreTakenBetweenTwoFrames(t *testing.T) {
	sc, p := build(t, "local", true)
	p.answer = []byte(strings.Repeat("word ", 10_000) + "the end")
	choose(t, sc, "fake.Svc/Big")
	press(t, sc, "s")
	run(t, sc, sc.toResponse(tabText))
	sc.View(120, 37)
	run(t, sc, sc.Update(kit.NextTab))
	run(t, sc, sc.Update(kit.NextTab))
	if sc.resp.tab != tabRaw {
		t.Fatal(tabs[sc.resp.tab])
	}
	sc.Update(kit.Bottom)
	if frame := ansi.Strip(sc.View(120, 37)); !strings.Contains(frame, "the end") {
		t.Error(frame)
	}
}
