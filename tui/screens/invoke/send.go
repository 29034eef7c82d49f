package invoke

import (
	"errors"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// refuseSend says what keeps the request from being sent, as far as that can be
// known without asking anybody.
func (v *screen) refuseSend() string {
	d := v.draft()
	if d == nil {
		return "choose a method first"
	}
	d.check()
	_, bad := d.fields()
	c := v.call()
	switch {
	case c != nil && c.inFlight() && !c.method.ClientStream:
		return "a call is in flight; ctrl+c cancels it"
	case c != nil && c.inFlight() && !c.open():
		return "the stream is half-closed; ctrl+c cancels the call"
	case d.missing() != "":
		return "the parameter " + safe.Line(d.missing(), 40).String() + " is required"
	case bad != "":
		return "the header " + safe.Line(bad, 40).String() + " is not of the form name: value"
	case d.masked() != "":
		return d.masked() + " holds a placeholder: secrets are not kept; fill it in, or write ${env:NAME}"
	case d.body && !d.valid:
		return "the document is " + d.verdict
	}
	return ""
}

// send sends the request, or one more message into the open call.
func (v *screen) send() tea.Cmd { return v.sendAs(false) }

// force sends what the contract does not allow, as far as it can be put on the
// wire.
func (v *screen) force() tea.Cmd { return v.sendAs(true) }

func (v *screen) sendAs(force bool) tea.Cmd {
	d := v.draft()
	prepare := d.prepare(v.o.Now())
	if c := v.call(); c != nil && c.open() && c.method.ClientStream {
		return func() tea.Msg {
			doc, err := prepare()
			if doc == nil {
				doc = []byte("{}")
			}
			return given{c, doc, err}
		}
	}
	header, _ := d.fields()
	c := v.newCall(d.ref, d.method, probes.Invocation{Header: header, Params: d.values(), Force: force, Redirects: v.redirects()}, nil)
	c.prepare, c.from, c.vault.file = prepare, d.from, d.from.file
	return v.try(c)
}

// maxRedirects is how many are followed, each shown.
const maxRedirects = 10

// redirects are followed where nothing can be changed by it.
func (v *screen) redirects() int {
	if d := v.draft(); d.method.Effect == probes.EffectRead {
		return maxRedirects
	}
	return 0
}

// given is one more message for an open stream.
type given struct {
	c   *call
	doc []byte
	err error
}

func (v *screen) gave(g given) tea.Cmd {
	if g.c.by != v {
		return nil
	}
	if g.err != nil {
		return kit.Send(kit.Fail{Err: g.err})
	}
	if why := g.c.give(g.doc); why != "" {
		return kit.Send(kit.Toast{Text: why, Bad: true})
	}
	return v.await()
}

// resend makes the shown call once more, with what was sent then.
func (v *screen) resend() tea.Cmd {
	old := v.call()
	c := v.newCall(old.ref, &old.method, old.in, append([][]byte(nil), old.documents()...))
	c.from, c.vault.file = old.from, old.vault.file
	if old.progress().half {
		c.halfClose()
	}
	return v.try(c)
}

func (v *screen) refuseResend() string {
	switch c := v.call(); {
	case c == nil:
		return "nothing has been sent yet; s sends"
	case c.inFlight():
		return "the call is in flight; ctrl+c cancels it"
	}
	return ""
}

// checked is whether a call may be made.
type checked struct {
	c   *call
	env probes.Environment
	err error
}

// try asks in the background whether the call may be made: opening the target may
// block.
func (v *screen) try(c *call) tea.Cmd {
	v.confirm = nil
	return func() tea.Msg {
		ctx, stop := session.Bounded(v.s)
		defer stop()
		conn, err := v.s.Conn(ctx, c.ref.Target)
		if err != nil {
			return checked{c: c, err: err}
		}
		if c.method.Effect != probes.EffectRead {
			err = conn.Writable("calling " + c.method.Name)
		}
		if err == nil {
			err = c.ready()
		}
		return checked{c, conn.Target.Environment, err}
	}
}

func (v *screen) checked(m checked) tea.Cmd {
	if m.c.by != v {
		return nil
	}
	if m.err != nil {
		m.c.refuse(m.err)
		if errors.Is(m.err, probes.ErrRefused) {
			m.c.hint = ":write " + v.s.Env().Name + " allows it until you quit; for good: write: true in the configuration"
		}
		v.keep(m.c)
		return kit.Send(kit.Fail{Err: m.err})
	}
	m.c.env = m.env
	if m.c.method.Effect != probes.EffectRead && m.env.Class != probes.ClassLocal {
		v.confirm = m.c
		return nil
	}
	return v.start(m.c)
}

// refuse ends a call before it began.
func (c *call) refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.cancelled = c.stopped
	c.over, c.stopped, c.began, c.finished = true, true, c.by.o.Now(), c.by.o.Now()
	c.err, c.hint, c.kind = c.by.clean(err.Error()), c.by.clean(probes.HintOf(err)), probes.KindOf(err)
	close(c.done)
	c.cancel()
}

// shed drops the records of calls that are too old, or too much together.
func (v *screen) shed() {
	kept, bytes := 0, 0
	for _, c := range slices.Backward(v.calls) {
		ring := c.progress().ring
		if ring == nil {
			continue
		}
		kept++
		bytes += ring.Stats().Bytes
		if kept > 1 && (kept > keptRings || bytes > keptBytes) {
			c.forget()
		}
	}
}

// ended says that a call has.
type ended struct{ c *call }

func (v *screen) start(c *call) tea.Cmd {
	c.began = v.o.Now()
	before := v.answered(c.from.file, c.inEnv)
	v.keep(c)
	run := func() tea.Msg {
		c.run(v.s, before)
		return ended{c}
	}
	return tea.Batch(run, v.await(), v.beat())
}

// keep adds a call to the history, which is bounded.
func (v *screen) keep(c *call) {
	v.calls = append(v.calls, c)
	v.shed()
	if len(v.calls) > keptCalls && !v.calls[0].inFlight() {
		v.calls = v.calls[1:]
	}
	v.resp.reset()
	if v.resp.tab == tabLoad || v.resp.tab == tabDiff && v.before(c) == nil {
		v.resp.tab = tabText
	}
	if v.single {
		v.pane, v.typing = onResponse, false
		v.resp.inBody = !v.streams()
	}
}

func (v *screen) ended(m ended) tea.Cmd {
	if m.c.by == v && m.c == v.call() {
		v.resp.page = nil
		return v.opened()
	}
	return nil
}

// came says that records of a call have come.
type came struct{ c *call }

// await waits for records of the shown call, then for the rest of the frame.
func (v *screen) await() tea.Cmd {
	c := v.call()
	if !v.shown || c == nil || v.waits == c || !c.inFlight() {
		return nil
	}
	v.waits = c
	ring := c.progress().ring
	return func() tea.Msg {
		select {
		case <-ring.Changed():
		case <-c.done:
		case <-c.ctx.Done():
		}
		time.Sleep(kit.Frame)
		return came{c}
	}
}

func (v *screen) came(m came) tea.Cmd {
	if m.c.by != v {
		return nil
	}
	if v.waits == m.c {
		v.waits = nil
	}
	return v.await()
}

// cancel stops the shown call, or the newest that is in flight.
func (v *screen) cancel() tea.Cmd {
	if v.confirm != nil {
		v.confirm = nil
		return kit.Say("not sent")
	}
	if r := v.loading(); r != nil {
		r.stop()
		return kit.Say("stopping the load")
	}
	c := v.call()
	for i := len(v.calls) - 1; i >= 0 && (c == nil || !c.inFlight()); i-- {
		c = v.calls[i]
	}
	if c == nil || !c.inFlight() {
		return nil
	}
	c.stop()
	return kit.Say("cancelling " + safe.Line(c.ref.String(), 60).String())
}

func (v *screen) refuseHalfClose() string {
	if c := v.call(); c == nil || !c.method.ClientStream || !c.open() {
		return "no stream is open that could be half-closed"
	}
	return ""
}

func (v *screen) halfClose() tea.Cmd {
	v.call().halfClose()
	return kit.Say("half-closed: no more messages are sent")
}
