package invoke

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"iscope/config"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/replay/request"
	"iscope/tui/kit"
	"iscope/tui/session"
)

var clock = time.Date(2026, 11, 22, 14, 5, 10, 0, time.UTC)

const target = "shop"

// peer is the fake with a method that has parameters, one that answers with
// headers and trailers, and one that never answers.
type peer struct {
	*probetest.Fake
	methodsErr error
	answer     []byte          // of Big
	script     []probes.Record // instead of it
	wrong      error           // of Big, instead of an answer
}

func (p *peer) Methods(ctx context.Context) ([]probes.Method, error) {
	if p.methodsErr != nil {
		return nil, p.methodsErr
	}
	ms, err := p.Fake.Methods(ctx)
	return append(ms, probes.Method{Name: "GET /orders/{id}", Group: "rest", Effect: probes.EffectRead, Doc: "One order",
		Params: []probes.Param{{Name: "id", In: "path", Type: "string", Required: true, Doc: "Order key, A-<n>"}, {Name: "view", In: "query", Type: "string", Example: "FULL"}}},
		probes.Method{Name: "fake.Svc/Fancy", Group: "fake.Svc", Effect: probes.EffectRead},
		probes.Method{Name: "fake.Svc/Broken", Group: "fake.Svc", Effect: probes.EffectRead},
		probes.Method{Name: "fake.Svc/Big", Group: "fake.Svc", Effect: probes.EffectRead},
		probes.Method{Name: "fake.Svc/Stuck", Group: "fake.Svc", Effect: probes.EffectRead, ServerStream: true}), err
}

func (p *peer) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	rec := probes.Record{Call: "c", Source: probes.Ref{Target: target, Subject: in.Method}, Seen: clock}
	header := []probes.Field{{Name: "content-type", Value: []byte("application/grpc")}}
	switch in.Method {
	case "fake.Svc/Fancy":
		return func(yield func(probes.Record, error) bool) {
			rec.Kind, rec.Header, rec.Body = probes.Response, header, []byte("{\"order\":\"A-790\",\"note\":\"boom \x1b[2J\"}")
			if !yield(rec, nil) {
				return
			}
			rec.Kind, rec.Body, rec.Header = probes.End, nil, append(header, probes.Field{Name: "grpc-status", Value: []byte("0")})
			rec.Attrs = []probes.Attr{{Name: probes.AttrStatus, Value: "OK"}, {Name: probes.TimingConnect, Value: "1.1"},
				{Name: probes.TimingFirstByte, Value: "8.0"}, {Name: probes.TimingTotal, Value: "12.4"}}
			yield(rec, nil)
		}
	case "fake.Svc/Big":
		if p.wrong != nil {
			return func(yield func(probes.Record, error) bool) { yield(probes.Record{}, p.wrong) }
		}
		if p.script != nil {
			return p.scripted(p.script...)
		}
		return func(yield func(probes.Record, error) bool) {
			rec.Kind, rec.Body = probes.Response, p.answer
			if yield(rec, nil) {
				yield(probes.Record{Call: "c", Kind: probes.End, Seen: clock, Attrs: []probes.Attr{{Name: probes.AttrStatus, Value: "OK"}}}, nil)
			}
		}
	case "fake.Svc/Broken":
		return func(yield func(probes.Record, error) bool) {
			yield(probes.Record{}, &probes.Error{Target: target, Op: "calling fake.Svc/Broken", Kind: probes.ErrUnreachable,
				Err: errors.New("connection refused"), Hint: "is the server running?"})
		}
	case "fake.Svc/Stuck":
		return func(yield func(probes.Record, error) bool) {
			<-ctx.Done()
			yield(probes.Record{}, &probes.Error{Target: target, Op: "calling", Err: ctx.Err()})
		}
	}
	return p.Fake.Invoke(ctx, in)
}

const yaml = `default: test
environments:
  test:
    class: %s
    write: %t
    targets:
      shop:
        url: fake://shop:1
`

func build(t testing.TB, class string, write bool) (*screen, *peer) {
	t.Helper()
	p := &peer{Fake: probetest.NewFake(target)}
	p.Snapshots = []probes.Snapshot{{Complete: true}}
	d := p.Driver()
	d.Open = func(context.Context, probes.Target) (probes.Probe, error) { return p, nil }
	path := filepath.Join(t.TempDir(), "iscope.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, yaml, class, write), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, d, path), p
}

// open makes the screen on the configuration and waits for the target to answer.
func open(t testing.TB, d probes.Driver, path string) *screen {
	t.Helper()
	cfg := configured(t, d, path)
	s, err := session.New(session.Options{Config: cfg, Drivers: []probes.Driver{d}, Now: func() time.Time { return clock },
		History: request.HistoryAt(filepath.Join(t.TempDir(), "history.jsonl"))}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	sc := New(s, kit.Options{Now: func() time.Time { return clock }}).(*screen)
	t.Cleanup(sc.Close)
	sc.Shown(true)
	s.Watch()
	for len(s.States()[0].Can) == 0 || s.States()[0].Phase < session.Well {
		select {
		case <-s.Changed():
		case <-t.Context().Done():
			t.Fatal(s.States())
		}
	}
	run(t, sc, sc.Update(kit.Changed{}))
	sc.ticking = true // no clock
	sc.traces = false // their ids differ each time
	sc.shown = false  // waits for no records by itself: tests do
	return sc
}

// run runs a command to its end, feeds the screen its own messages and returns
// the others. What waits for a call runs in the background until the call ends.
func run(t testing.TB, sc *screen, cmd tea.Cmd) (out []tea.Msg) {
	t.Helper()
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case nil, came, tick:
	case tea.BatchMsg:
		for _, c := range msg {
			out = append(out, run(t, sc, c)...)
		}
	case listed, checked, ended, toEdit, left, edited, given, formed, rendered, scanned, compared, named, lined, remembered, planned, loaded, unsaved:
		out = append(out, run(t, sc, sc.Update(msg))...)
	default:
		out = append(out, msg)
	}
	return out
}

func press(t testing.TB, sc *screen, key string) []tea.Msg {
	t.Helper()
	for _, b := range sc.Bindings() {
		if slices.Contains(b.Keys, key) {
			if why := b.Why(); why != "" {
				return []tea.Msg{why}
			}
			return run(t, sc, b.Run())
		}
	}
	t.Fatalf("no binding for %q", key)
	return nil
}

func choose(t testing.TB, sc *screen, method string) {
	t.Helper()
	run(t, sc, sc.Update(kit.Go{Screen: kit.Invoke, Ref: probes.Ref{Target: target, Subject: method}}))
	if d := sc.draft(); d == nil || d.ref.Subject != method {
		t.Fatalf("%s was not chosen", method)
	}
}

func typing(sc *screen, text string) {
	for _, r := range text {
		sc.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func TestPayloadsAreShownNotSent(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Fancy")
	press(t, sc, "s")
	if f := sc.View(200, 60); strings.Contains(f, "\x1b[2J") || !strings.Contains(ansi.Strip(f), `boom \`) {
		t.Errorf("%q", f)
	}
}

func TestReadOnlyRefusesWithTheReason(t *testing.T) {
	sc, p := build(t, "prod", false)
	choose(t, sc, "fake.Svc/Store")
	out := press(t, sc, "s")
	if f, ok := out[0].(kit.Fail); len(out) != 1 || !ok || !errors.Is(f.Err, probes.ErrRefused) {
		t.Fatalf("%v", out)
	}
	sc.pane = onResponse
	frame := strings.Join(strings.Fields(ansi.Strip(sc.View(90, 40))), " ")
	if !strings.Contains(frame, `environment "test" (class prod) is read-only`) || !strings.Contains(frame, "hint: :write test allows it") {
		t.Error(frame)
	}
	if len(p.Calls()) != 0 {
		t.Error("it was called")
	}
	choose(t, sc, "fake.Svc/Fail") // a read
	if press(t, sc, "s"); len(p.Calls()) != 1 {
		t.Error("a read was not called")
	}
}

func TestWritesAskOnceMoreUnlessLocal(t *testing.T) {
	sc, p := build(t, "staging", true)
	choose(t, sc, "fake.Svc/Store")
	press(t, sc, "s")
	if len(p.Calls()) != 0 || sc.confirm == nil {
		t.Fatal("it did not ask")
	}
	frame := ansi.Strip(sc.View(120, 40))
	for _, part := range []string{"fake.Svc/Store", "target shop", "environment test", "class staging"} {
		if !strings.Contains(frame[strings.Index(frame, "CONFIRM"):], part) {
			t.Errorf("the question does not name %q", part)
		}
	}
	sc.Update(kit.Down)
	if sc.confirm != nil {
		t.Error("moving on leaves the question open")
	}
	choose(t, sc, "fake.Svc/Store")
	press(t, sc, "s")
	run(t, sc, sc.Update(kit.Enter))
	if len(p.Calls()) != 1 {
		t.Error("enter did not send")
	}
	local, p := build(t, "local", true)
	choose(t, local, "fake.Svc/Store")
	if press(t, local, "s"); len(p.Calls()) != 1 {
		t.Error("it asks although the environment is local")
	}
}

func TestWhatIsMissingIsSaidBeforeSending(t *testing.T) {
	sc, p := build(t, "local", true)
	choose(t, sc, "GET /orders/{id}")
	if got := press(t, sc, "s"); got[0] != "the parameter id is required" {
		t.Error(got)
	}
	sc.Update(kit.Top)
	sc.Update(kit.Enter)
	typing(sc, "A-7")
	sc.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	press(t, sc, "s")
	want := []probes.Attr{{Name: "id", Value: "A-7"}, {Name: "view", Value: "FULL"}}
	if calls := p.Calls(); len(calls) != 1 || !cmp.Equal(calls[0].Params, want) {
		t.Errorf("%+v", calls)
	}
}

func TestInvalidDocumentsAreNotSent(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	sc.Update(kit.Enter)
	sc.Update(tea.PasteMsg{Content: "\r\nx"})
	d := sc.draft()
	if d.valid || d.wrong != 1 || !strings.HasPrefix(d.verdict, "no JSON: line 2, column 1: ") {
		t.Errorf("%d %q", d.wrong, d.verdict)
	}
	if got := sc.refuseSend(); !strings.HasPrefix(got, "the document is no JSON") {
		t.Error(got)
	}
	sc.Update(key("backspace"))
	sc.Update(key("backspace"))
	if d.check(); !d.valid {
		t.Error(d.verdict)
	}
}

// untilCall waits until the call of the chosen method is as wanted.
func untilCall(t *testing.T, sc *screen, want func(p progress) bool) progress {
	t.Helper()
	for {
		c := sc.call()
		p := c.progress()
		if want(p) {
			return p
		}
		select {
		case <-p.ring.Changed():
		case <-c.done:
			if p = c.progress(); want(p) {
				return p
			}
			t.Fatalf("%+v", p)
		case <-t.Context().Done():
			t.Fatalf("%+v", p)
		}
	}
}

// start presses s and leaves the call running.
func start(t *testing.T, sc *screen) (wait func()) {
	t.Helper()
	before := len(sc.calls)
	sc.ticking = false // the clock makes it a batch, of which the call is the first
	var msg tea.Msg
	for _, b := range sc.Bindings() {
		if b.ID == "invoke.send" {
			msg = b.Run()()
		}
	}
	batch, ok := sc.Update(msg)().(tea.BatchMsg)
	if !ok || len(sc.calls) != before+1 {
		t.Fatalf("%T", msg)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		batch[0]() // the call itself
	}()
	return func() { <-over }
}

func TestStreamsTakeOneMessageAtATime(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Echo")
	wait := start(t, sc)
	untilCall(t, sc, func(p progress) bool { return p.received == 1 })
	sc.draft().doc.Set(`{"text":"two"}`)
	press(t, sc, "s")
	untilCall(t, sc, func(p progress) bool { return p.received == 2 && !p.over })
	if !strings.Contains(ansi.Strip(sc.View(200, 60)), "2 sent, 2 received") {
		t.Error(ansi.Strip(sc.View(200, 60)))
	}
	press(t, sc, "K")
	wait()
	if p := sc.call().progress(); !p.over || p.end == nil || p.err != "" {
		t.Errorf("%+v", p)
	}
	if got := press(t, sc, "K"); got[0] != "no stream is open that could be half-closed" {
		t.Error(got)
	}
	press(t, sc, "r")
	if p := sc.call().progress(); len(sc.calls) != 2 || p.received != 2 || !p.over {
		t.Errorf("resent: %+v", p)
	}
}

func TestTheScreenWakesForRecordsAndOnlyWhileShown(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Echo")
	wait := start(t, sc)
	defer wait()
	defer sc.Close()
	if sc.await() != nil {
		t.Error("it waits although it is not shown")
	}
	sc.shown = true
	cmd := sc.await()
	if sc.await() != nil {
		t.Error("it waits twice")
	}
	msg := cmd().(came)
	if sc.Update(msg); msg.c != sc.call() || sc.waits == nil {
		t.Error("it does not wait for more")
	}
}

func TestCancelEndsTheCall(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Stuck")
	wait := start(t, sc)
	if got := press(t, sc, "s"); got[0] != "a call is in flight; ctrl+c cancels it" {
		t.Error(got)
	}
	run(t, sc, sc.Update(kit.Cancel{}))
	wait()
	if p := sc.call().progress(); !p.over || !strings.HasPrefix(p.err, "cancelled") {
		t.Errorf("%+v", p)
	}
	if frame := ansi.Strip(sc.View(120, 40)); !strings.Contains(frame, "▲ cancelled") || strings.Contains(frame, "context canceled") {
		t.Error(frame)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Stuck")
	wait := start(t, sc)
	sc.Close()
	wait()
	if p := sc.call().progress(); !p.over {
		t.Errorf("%+v", p)
	}
	c := sc.newCall(probes.Ref{Target: target}, &probes.Method{Name: "x"}, probes.Invocation{}, nil)
	c.stop()
	c.run(sc.s, nil)
	if p := c.progress(); p.err != "cancelled before it began" {
		t.Errorf("%+v", p)
	}
}

func TestHeadersTrailersAndTimings(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Fancy")
	press(t, sc, "s")
	for tab, want := range map[int]string{tabText: `"order"`, tabTree: `- {} 2  36 B`, tabRaw: `boom \e[2J`, tabHex: "6f 72 64 65", tabHeaders: "content-type",
		tabTrailers: "grpc-status", tabFacts: "iscope.timing", tabDiff: "there is no earlier answer"} {
		sc.resp.reset()
		sc.toResponse(tab)
		if tab == tabFacts {
			sc.resp.moved, sc.resp.cursor = true, 1
		}
		frame := ansi.Strip(sc.View(200, 60))
		if !strings.Contains(frame, want) || !strings.Contains(frame, "▒ connect 1.1  · wait 8.0  ms") {
			t.Errorf("no %s in\n%s", want, frame)
		}
	}
}

func TestHistoryTakesACallUpAgain(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	sc.draft().doc.Set(`{"text":"first"}`)
	press(t, sc, "s")
	sc.draft().doc.Set(`{"text":"second"}`)
	press(t, sc, "s")
	choose(t, sc, "fake.Svc/Fancy")
	press(t, sc, "t")
	typing(sc, "first")
	run(t, sc, sc.Update(key("enter")))
	if d := sc.draft(); compact(d.doc.Value()) != `{"text":"first"}` || sc.call() != sc.calls[0] {
		t.Errorf("%q", d.doc.Value())
	}
}

func TestMethodsThatCannotBeListed(t *testing.T) {
	sc, p := build(t, "local", true)
	p.methodsErr = &probes.Error{Target: target, Op: "listing methods", Kind: probes.ErrUnsupported,
		Err: errors.New("the server has no reflection"), Hint: "name a descriptor set in options.protoset"}
	sc.targets[target].methods = nil
	run(t, sc, sc.Update(kit.Refresh))
	for _, size := range sizes {
		golden(t, "no-methods", sc, size[0], size[1])
	}
}

func TestFilterAndBack(t *testing.T) {
	sc, _ := build(t, "local", true)
	sc.Update(kit.Find)
	typing(sc, "ORDERS order")
	if d := sc.draft(); d == nil || d.ref.Subject != "GET /orders/{id}" || len(sc.rows) != 3 {
		t.Errorf("%d rows", len(sc.rows))
	}
	sc.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	sc.Update(kit.Back)
	if len(sc.rows) < 8 {
		t.Errorf("%d rows", len(sc.rows))
	}
	if got := run(t, sc, sc.Update(kit.Back)); len(got) != 1 || got[0] != (kit.NotMine{}) {
		t.Error(got)
	}
}

func TestHintsAreOfWhatHasTheFocus(t *testing.T) {
	sc, _ := build(t, "staging", true)
	first := func() string { return sc.Bindings()[0].Name }
	choose(t, sc, "fake.Svc/Store")
	if first() != "send" || len(sc.Bindings()) < 15 {
		t.Error(first())
	}
	sc.Update(kit.Enter)
	if first() != "leave the document" {
		t.Error(first())
	}
	sc.Update(key("esc"))
	press(t, sc, "s")
	if b := sc.Bindings()[0]; b.Name != "send" || b.Keys[0] != "enter" {
		t.Error(b)
	}
	if press(t, sc, "esc"); sc.confirm != nil {
		t.Error("esc leaves the question open")
	}
	sc.Update(kit.Find)
	if got := sc.Bindings()[0].ID; !strings.HasPrefix(got, "invoke.filter") {
		t.Error(got)
	}
}

func TestTheOneFilterLanguageChoosesMethods(t *testing.T) {
	for text, want := range map[string]int{`streams == "server" && effect == "read"`: 1, `kind == "method" && group == "rest"`: 1, "one order": 1, `name == "GET /orders"`: 0} {
		sc, _ := build(t, "local", true)
		sc.Update(kit.Find)
		for _, r := range text {
			sc.Update(key(string(r)))
		}
		if sc.Update(key("enter")); sc.sifted.Shown != want || sc.filter.Open() {
			t.Errorf("%s: %d methods", text, sc.sifted.Shown)
		}
		if (sc.draft() != nil) != (want > 0) {
			t.Errorf("%s: the cursor is not on the first method", text)
		}
		if frame := ansi.Strip(sc.View(120, 40)); want > 0 && !strings.Contains(frame, "1 of ") {
			t.Errorf("%s: nothing is counted\n%s", text, frame)
		}
		if sc.Update(kit.Back); sc.sifted.Shown < 5 {
			t.Errorf("esc leaves %d methods", sc.sifted.Shown)
		}
	}
	sc, _ := build(t, "local", true)
	sc.Update(kit.Find)
	for _, r := range `effekt == "read"` {
		sc.Update(key(string(r)))
	}
	if frame := ansi.Strip(sc.View(120, 40)); !strings.Contains(frame, "effekt") || !strings.Contains(frame, "effect?") {
		t.Errorf("a mistake is not told\n%s", frame)
	}
}

func TestKeysAreTheirOwn(t *testing.T) {
	sc, _ := build(t, "local", true)
	seen := map[string]bool{}
	for _, b := range sc.Bindings() {
		for _, k := range b.Keys {
			if seen[k] || strings.Contains("? : E q - k j h l g G / f & n N R c d [ ] 1 2 3 4 5 6 7", k) {
				t.Errorf("%s is taken", k)
			}
			seen[k] = true
		}
	}
}

func configured(t testing.TB, d probes.Driver, path string) *config.Config {
	t.Helper()
	cfg, err := config.Load(config.Location{Path: path}, []probes.Driver{d})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestComingBackFindsWhatWasLeft(t *testing.T) {
	sc, _ := build(t, "local", true)
	sc.Update(kit.Find)
	typing(sc, "fancy")
	sc.Update(key("enter"))
	sc.Update(kit.Enter)
	sc.Shown(false)
	sc.Shown(true)
	run(t, sc, sc.Update(kit.Go{Screen: kit.Invoke}))
	if sc.filter.Text != "fancy" || sc.draft() == nil || sc.draft().method.Name != "fake.Svc/Fancy" || sc.pane != onRequest {
		t.Errorf("filter %q, %+v", sc.filter.Text, sc.draft())
	}
	sc.Update(kit.Back)
	if sc.Update(kit.Back); sc.filter.Text != "" || sc.draft().method.Name != "fake.Svc/Fancy" {
		t.Errorf("the cursor went to %s", sc.draft().method.Name)
	}
}

func TestSendAnywayIsTheFirstThingOffered(t *testing.T) {
	sc, p := build(t, "local", true)
	p.wrong = &probes.Error{Target: target, Op: "calling", Kind: probes.ErrUsage, Err: errors.New("the request breaks the contract"),
		Hint: "correct it, or pass --force to send it all the same"}
	choose(t, sc, "fake.Svc/Big")
	press(t, sc, "s")
	if b := sc.Bindings()[0]; b.ID != "invoke.force" || !b.Hint {
		t.Errorf("%+v", b)
	}
	if frame := ansi.Strip(sc.View(200, 60)); !strings.Contains(frame, "or press ! to send it") {
		t.Error(frame)
	}
	p.wrong = nil
	press(t, sc, "!")
	if b := sc.Bindings()[0]; b.ID != "invoke.send" {
		t.Errorf("%+v", b)
	}
}
