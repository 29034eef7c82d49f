package invoke

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/replay/load"
	"iscope/replay/request"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// burst is a load of one method, from the moment it is asked for.
type burst struct {
	by     *screen
	ref    probes.Ref
	method probes.Method
	in     probes.Invocation
	opt    load.Options
	docs   []string
	vault  vault
	sentBy string // where docs are from, in words
	ctx    context.Context
	stop   context.CancelFunc

	running sync.WaitGroup
	mu      sync.Mutex
	report  load.Report
	ended   bool
	stopped bool  // must not begin any more
	fault   error // for which it was given up
}

func (r *burst) progress() (load.Report, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report, r.ended
}

// begin reports whether the load may begin; if so, running has to be told of its
// end.
func (r *burst) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		r.ended = true
		return false
	}
	r.running.Add(1)
	return true
}

// end stops the load and waits for it.
func (r *burst) end() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.stop()
	r.running.Wait()
}

// loadWords is what the line of a load begins with: all that can be said.
const loadWords = "100 calls, 20/s, 4 at once"

// parseLoad reads "100 calls, 20/s, 4 at once" and "30s, 5/s": a number of calls
// or a time, a rate, and how many are under way at once.
func parseLoad(text string) (o load.Options, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		word, rest, _ := strings.Cut(part, " ")
		switch rest = strings.TrimSpace(rest); {
		case part == "":
		case strings.HasSuffix(part, "/s"):
			if o.Rate, err = strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(part, "/s")), 64); err == nil && o.Rate <= 0 {
				err = errors.New("a rate is more than 0")
			}
		case rest == "at once":
			o.Concurrency, err = count(word)
		case rest == "calls" || rest == "call" || rest == "times":
			o.Count, err = count(word)
		default:
			if n, isCount := strconv.Atoi(part); isCount == nil && n > 0 {
				o.Count = n
			} else if o.For, err = time.ParseDuration(part); err != nil || o.For <= 0 {
				err = fmt.Errorf("%q is not understood; say for example %q", part, loadWords)
			}
		}
		if err != nil {
			return o, err
		}
	}
	if o.Count == 0 && o.For == 0 {
		return o, errors.New("say how many calls, or for how long: " + loadWords)
	}
	return o, nil
}

func count(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no number of 1 or more", word)
	}
	return n, nil
}

func (v *screen) refuseLoad() string {
	d := v.draft()
	switch {
	case d == nil:
		return "choose a method first"
	case v.loading() != nil:
		return "a load is running; ctrl+c stops it"
	}
	return v.refuseSend()
}

// loading is the load of any method that has not ended.
func (v *screen) loading() *burst {
	for _, r := range v.loads {
		if _, ended := r.progress(); !ended {
			return r
		}
	}
	return nil
}

// askLoad opens the line in which a load is described.
func (v *screen) askLoad() tea.Cmd {
	return v.put(&question{label: "LOAD", help: "a number of calls or a time (30s), a rate (20/s), how many at once (4 at once)", done: func(text string) (tea.Cmd, bool) {
		o, err := parseLoad(text)
		if err != nil {
			return kit.Send(kit.Toast{Text: err.Error(), Bad: true}), false
		}
		return v.prepareLoad(o), true
	}}, loadWords)
}

// planned is a load that may begin, or why it may not.
type planned struct {
	r    *burst
	env  probes.Environment
	note string
	err  error
}

func (v *screen) prepareLoad(o load.Options) tea.Cmd {
	d := v.draft()
	header, _ := d.fields()
	r := &burst{by: v, ref: d.ref, method: *d.method, opt: o,
		vault: vault{file: d.from.file, all: v.values}, in: probes.Invocation{Method: d.method.Name, Header: header, Params: d.values(), MaxBody: 1}}
	if last := v.call(); d.method.ClientStream && last != nil {
		r.docs, r.sentBy = request.Of("", "", &last.in, last.documents()).Documents, ", as the call shown did,"
	}
	prepare := d.prepare(v.o.Now())
	return func() tea.Msg {
		doc, err := prepare()
		if err != nil {
			return planned{r: r, err: err}
		}
		if doc != nil && len(r.docs) == 0 {
			r.docs = []string{string(doc)}
		}
		if err := r.fillIn(); err != nil {
			return planned{r: r, err: err}
		}
		ctx, stop := session.Bounded(v.s)
		defer stop()
		conn, err := v.s.Conn(ctx, r.ref.Target)
		if err != nil {
			return planned{r: r, err: err}
		}
		var note string
		r.opt, note, err = load.Allow(conn, &r.method, r.opt)
		return planned{r, conn.Target.Environment, note, err}
	}
}

// fillIn puts in what references stand for.
func (r *burst) fillIn() (err error) {
	if r.in, err = r.vault.invocation(r.in); err != nil {
		return err
	}
	for i, d := range r.docs {
		doc, err := r.vault.document([]byte(d))
		if err != nil {
			return err
		}
		r.docs[i] = string(doc)
	}
	return nil
}

// confirmLoad asks before the load begins.
func (v *screen) confirmLoad(p planned) tea.Cmd {
	switch {
	case p.r.by != v:
		return nil
	case p.err != nil:
		return kit.Send(kit.Fail{Err: p.err})
	}
	effect := "It is known to read only."
	if p.r.method.Effect != probes.EffectRead {
		effect = "It may change something, each time."
	}
	lines := []string{p.r.words()}
	if p.r.method.ClientStream {
		lines = append(lines, "Each call sends "+kit.Plural(len(p.r.docs), "message")+p.r.sentBy+" and half-closes.")
	}
	lines = append(lines, "Target "+p.r.ref.Target+", "+kit.Where(p.env)+". "+effect)
	if p.note != "" {
		lines = append(lines, strings.ToUpper(p.note[:1])+p.note[1:]+".")
	}
	return kit.Send(kit.Ask{Title: "LOAD on " + p.r.method.Name, Lines: lines,
		Yes: []kit.Answer{{Text: "yes, call it", Run: func() tea.Cmd { return v.startLoad(p.r) }}}})
}

// words is a load in words.
func (r *burst) words() string {
	var parts []string
	if r.opt.Count > 0 {
		parts = append(parts, kit.Plural(r.opt.Count, "call"))
	}
	if r.opt.For > 0 {
		parts = append(parts, "for "+r.opt.For.String())
	}
	if r.opt.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%v a second", r.opt.Rate))
	} else {
		parts = append(parts, "as fast as they come")
	}
	return strings.Join(append(parts, fmt.Sprintf("at most %d at once", r.opt.Concurrency)), ", ")
}

// loaded says that a load has ended.
type loaded struct{ r *burst }

func (v *screen) startLoad(r *burst) tea.Cmd {
	r.opt.Progress = func(now load.Report) {
		r.mu.Lock()
		r.report = now
		r.mu.Unlock()
	}
	l, err := load.New(r.opt)
	if err != nil {
		return kit.Send(kit.Fail{Err: err})
	}
	r.ctx, r.stop = context.WithCancel(v.s.Context())
	v.loads[r.ref] = r
	traces := v.traces
	work := func() tea.Msg {
		if !r.begin() {
			return nil
		}
		defer r.running.Done()
		defer r.stop()
		now := l.Run(r.ctx, func(ctx context.Context, _ int) load.Outcome { return r.once(ctx, traces) })
		r.mu.Lock()
		r.report, r.ended = now, true
		r.mu.Unlock()
		return loaded{r}
	}
	v.pane, v.resp.tab, v.resp.page = onResponse, tabLoad, nil
	return tea.Batch(work, v.beat())
}

// once makes one call of the load.
func (r *burst) once(ctx context.Context, trace bool) load.Outcome {
	conn, err := r.by.s.Conn(ctx, r.ref.Target)
	if err != nil {
		return load.Outcome{Status: "failed", Err: r.by.clean(err.Error())}
	}
	in := r.in
	if len(r.docs) > 0 {
		in.Next = request.Documents(r.docs)
	}
	if trace {
		in.WithTrace()
	}
	out, pointless := load.Observe(conn.Invoke(ctx, r.method, in))
	if pointless != nil {
		r.giveUp(pointless)
	}
	out.Status, out.Err = grpcStatus(out.Status), r.by.clean(r.vault.scrub(out.Err))
	return out
}

// giveUp ends the load for the first failure that every call will have.
func (r *burst) giveUp(why error) {
	r.mu.Lock()
	if r.fault == nil {
		r.fault = why
	}
	r.mu.Unlock()
	r.stop()
}
