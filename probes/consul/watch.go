package consul

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
)

// fetchAtOnce bounds the requests for instances where the agent cannot list
// them in one.
const fetchAtOnce = 4

// watcher keeps a catalog up to date. It belongs to one goroutine; only its
// polls run beside it.
type watcher struct {
	client  *client
	subject string // a service whose instances suffice; "" is all
	now     catalog
	info    [parts]info
	noDense bool // the agent has no call that lists all instances
}

// answer is one listing as it came.
type answer struct {
	part  part
	meta  meta
	reset bool // the index went backwards: comparable with nothing before
	put   func(*catalog)
	err   error
}

// load reads everything once.
func (w *watcher) load(ctx context.Context) error {
	for _, p := range polled {
		if err := w.accept(w.client.list(ctx, p, 0)); err != nil {
			return err
		}
	}
	return w.fetchInstances(ctx)
}

// list reads one listing, blocking while it is no newer than index.
func (c *client) list(ctx context.Context, p part, index uint64) answer {
	a := answer{part: p}
	switch p {
	case partServices:
		var v map[string][]string
		a.meta, a.err = c.poll(ctx, paths[p], index, &v)
		a.put = func(c *catalog) { c.services = v }
	case partChecks:
		var v []check
		a.meta, a.err = c.poll(ctx, paths[p], index, &v)
		a.put = func(c *catalog) { c.checks = v; sortChecks(v) }
	case partIntentions:
		var v []intention
		a.meta, a.err = c.poll(ctx, paths[p], index, &v)
		a.put = func(c *catalog) { c.intentions = v }
	}
	return a
}

// accept takes an answer over.
func (w *watcher) accept(a answer) error {
	in := &w.info[a.part]
	in.call = "GET " + paths[a.part]
	if a.err != nil {
		return w.refused(a)
	}
	if !a.reset && a.meta.Index < in.index {
		return nil // overtaken by what fetchInstances read since
	}
	in.index, in.missing = a.meta.Index, ""
	in.filtered = a.meta.Filtered || a.meta.Streaming && in.filtered
	a.put(&w.now)
	return nil
}

// refused lets a watch do without intentions: an agent without the service
// mesh has none, and many tokens may not read them.
func (w *watcher) refused(a answer) error {
	var st *statusError
	if a.part != partIntentions || !errors.As(a.err, &st) {
		return a.err
	}
	in := &w.info[a.part]
	switch {
	case st.absent():
		in.missing = "intentions: this agent has no such configuration (HTTP " + fmt.Sprint(st.Code) + ")"
	case st.denied():
		in.filtered = true
	default:
		return a.err
	}
	w.now.intentions = nil
	return nil
}

// follow calls changed after every change until ctx ends, changed returns
// false, or a poll fails. load comes first.
func (w *watcher) follow(ctx context.Context, changed func() bool) error {
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan answer)
	var polls sync.WaitGroup
	defer polls.Wait()
	defer cancel()
	for _, p := range polled {
		if p == partIntentions && w.info[p].index == 0 {
			continue // refused or absent: it will not start to exist
		}
		index := nextIndex(0, w.info[p].index)
		polls.Go(func() { w.client.pollOn(ctx, p, index, answers) })
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-answers:
			before, lacked := w.now, w.missing()
			if err := w.absorb(ctx, a, answers); err != nil {
				return err
			}
			same := before.equal(&w.now) && slices.Equal(lacked, w.missing())
			if !same && !changed() {
				return nil
			}
		}
	}
}

// absorb takes over an answer and those that arrived with it, and fetches the
// instances if the catalog moved.
func (w *watcher) absorb(ctx context.Context, a answer, more <-chan answer) error {
	stale, checks := false, w.now.checks
	for {
		if err := w.accept(a); err != nil {
			return err
		}
		// A check that comes or goes belongs to an instance that does: without
		// a look at the catalog, one that was failing would seem to recover
		// just before it is gone.
		stale = stale || a.part == partServices || !slices.EqualFunc(checks, w.now.checks, sameCheck)
		select {
		case a = <-more:
			continue
		default:
		}
		if !stale {
			return nil
		}
		return w.fetchInstances(ctx)
	}
}

// pollOn sends an answer whenever the listing's index moved, until ctx ends or
// a poll fails.
func (c *client) pollOn(ctx context.Context, p part, index uint64, out chan<- answer) {
	limit := newBucket()
	for limit.take(ctx) == nil {
		a := c.list(ctx, p, index)
		next := nextIndex(index, a.meta.Index)
		a.reset = next < index
		if a.err == nil && next == index {
			continue // the wait was over, or something else woke it
		}
		index = next
		select {
		case out <- a:
		case <-ctx.Done():
		}
		if a.err != nil {
			return
		}
	}
}

// fetchInstances lists the instances in one request where the agent can do
// that: the call of Consul's own UI, which is not documented, hence the
// fallback. Its checks are taken too, so that no new instance is shown without
// its health.
func (w *watcher) fetchInstances(ctx context.Context) error {
	if !w.noDense {
		var nodes []uiNode
		m, err := w.client.read(ctx, paths[partInstances], &nodes)
		if err == nil {
			w.takeDense(m, nodes)
			return nil
		}
		var st *statusError
		if !errors.As(err, &st) || !st.absent() && !st.denied() {
			return err
		}
		w.noDense = true
	}
	if err := w.fetchEach(ctx); err != nil {
		return err
	}
	return w.accept(w.client.list(ctx, partChecks, 0))
}

func (w *watcher) takeDense(m meta, nodes []uiNode) {
	var instances []instance
	var checks []check
	for _, n := range nodes {
		checks = append(checks, n.Checks...)
		for _, s := range n.Services {
			instances = append(instances, newInstance(n.Node, n.Address, s))
		}
	}
	sortInstances(instances)
	sortChecks(checks)
	w.now.instances, w.now.checks = instances, checks
	w.info[partInstances] = info{call: "GET " + paths[partInstances], index: m.Index, filtered: m.Filtered}
	w.info[partChecks].index = m.Index // no older list of checks counts from here on
}

// fetchEach asks for the instances of every service, or of the subject and its
// proxies.
func (w *watcher) fetchEach(ctx context.Context) error {
	var list []string
	in := info{call: "GET /v1/health/service/…"}
	if w.subject != "" {
		name := url.PathEscape(w.subject)
		list = []string{"/v1/health/service/" + name, "/v1/health/connect/" + name}
		in.missing = "the callers of " + w.subject + ": this agent cannot list all proxies at once"
	} else {
		for name := range w.now.services {
			list = append(list, "/v1/health/service/"+url.PathEscape(name))
		}
		slices.Sort(list)
	}
	found, metas, err := w.client.readEntries(ctx, list)
	if err != nil {
		return err
	}
	var all []instance
	for i, entries := range found {
		in.index = max(in.index, metas[i].Index)
		in.filtered = in.filtered || metas[i].Filtered
		for _, e := range entries {
			all = append(all, newInstance(e.Node.Node, e.Node.Address, e.Service))
		}
	}
	sortInstances(all)
	w.now.instances, w.info[partInstances] = all, in
	return nil
}

// readEntries reads several listings of instances, fetchAtOnce at a time. One
// that does not exist is empty.
func (c *client) readEntries(ctx context.Context, list []string) ([][]healthEntry, []meta, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	found, metas := make([][]healthEntry, len(list)), make([]meta, len(list))
	slots := make(chan struct{}, fetchAtOnce)
	var wg sync.WaitGroup
	for i, path := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var err error
			metas[i], err = c.read(ctx, path, &found[i])
			if st := (*statusError)(nil); errors.As(err, &st) && st.absent() {
				err = nil
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return found, metas, context.Cause(ctx)
}
