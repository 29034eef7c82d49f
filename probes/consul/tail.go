package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"

	"iscope/probes"
)

// Tail yields an Event for every service or instance that appears or goes, and
// for every change of health. The subject is a service, or "" for all.
//
// Consul keeps no history: a tail starts now. After an interruption it compares
// with what it knew and tells the difference, so only what changed and changed
// back in between is missed.
func (p *probe) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		if err := p.tail(ctx, q, yield); err != nil {
			yield(probes.Record{}, err)
		}
	}
}

const opTail = "tailing changes"

func (p *probe) tail(ctx context.Context, q probes.TailQuery, yield func(probes.Record, error) bool) error {
	known, err := p.start(q)
	if err != nil {
		return err
	}
	running, end, err := p.client.begin(ctx)
	if err != nil {
		return p.fail(opTail, err)
	}
	defer end()
	t := &tail{probe: p, query: q, known: known, yield: yield, w: &watcher{client: p.client, subject: q.Subject}}
	if err := t.run(running); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// start refuses what Consul cannot do and reads the position to resume at.
func (p *probe) start(q probes.TailQuery) (*view, error) {
	if q.Last > 0 || q.Until.Kind != probes.PosDefault {
		return nil, &probes.Error{Target: p.target.Name, Op: opTail, Kind: probes.ErrUnsupported,
			Err:  errors.New("no history of changes is kept by Consul"),
			Hint: "tail without --last and --until: it shows changes from now on"}
	}
	if q.Resume == "" {
		return nil, nil
	}
	var v view
	if err := json.Unmarshal([]byte(q.Resume), &v); err != nil {
		return nil, &probes.Error{Target: p.target.Name, Op: opTail, Kind: probes.ErrUsage,
			Err: fmt.Errorf("reading the position to resume at: %w", err)}
	}
	return &v, nil
}

// tail is one running tail.
type tail struct {
	probe *probe
	query probes.TailQuery
	w     *watcher
	known *view // what has been told; nil before the first answer
	yield func(probes.Record, error) bool
	count int
}

func (t *tail) run(ctx context.Context) error {
	if err := t.w.load(ctx); err != nil {
		return t.broken(err)
	}
	if t.known == nil {
		if err := t.probe.known(t.w, opTail, t.query.Subject); err != nil {
			return err
		}
		v := t.w.view(t.query.Subject)
		t.known = &v
		if !t.greet() {
			return nil
		}
	} else if !t.tell() {
		return nil
	}
	if err := t.w.follow(ctx, t.tell); err != nil {
		return t.broken(err)
	}
	return nil
}

// broken adds the position reached.
func (t *tail) broken(err error) error {
	err = t.probe.fail(opTail, t.probe.client.cause(err))
	var e *probes.Error
	if t.known != nil && errors.As(err, &e) {
		if b, err := json.Marshal(t.known); err == nil {
			e.Resume = string(b)
		}
	}
	return err
}

// greet says aloud that a start in the past was ignored.
func (t *tail) greet() bool {
	if k := t.query.From.Kind; k == probes.PosDefault || k == probes.PosLatest {
		return true
	}
	return t.yield(probes.Record{Kind: probes.Notice, Source: probes.Ref{Target: t.probe.target.Name, Subject: t.query.Subject},
		Err: "Consul keeps no history of changes: this tail starts now"}, nil)
}

// tell yields what changed since the last call.
func (t *tail) tell() bool {
	next := t.w.view(t.query.Subject)
	changes := t.known.changes(next)
	for _, c := range changes {
		if !t.yield(t.record(c), nil) {
			return false
		}
	}
	t.known = &next
	return true
}

func (t *tail) record(c change) probes.Record {
	body, err := json.Marshal(c)
	t.count++
	index := max(t.w.info[partServices].index, t.w.info[partChecks].index)
	r := probes.Record{Kind: probes.Event, ID: fmt.Sprintf("%d/%d", index, t.count), Body: body,
		Source: probes.Ref{Target: t.probe.target.Name, Subject: c.Service}, Key: []byte(c.Service)}
	if err != nil {
		r.Err = err.Error() // cannot happen: the fields are strings
	}
	status := c.Change
	if c.Change == changeHealth {
		status = c.From + " → " + c.To
	}
	add := func(name, value string) {
		if value != "" {
			r.Attrs = append(r.Attrs, probes.Attr{Name: name, Value: value})
		}
	}
	add(probes.AttrStatus, status)
	add(probes.AttrServiceName, c.Service)
	add(attrInstance, c.Instance)
	add(attrNode, c.Node)
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		host = c.Address
	}
	add(probes.AttrServerAddress, host)
	add(probes.AttrServerPort, port)
	add(probes.AttrReason, c.Reason)
	if n := t.query.MaxBody; n > 0 && len(r.Body) > n {
		r.Cut, r.Body = int64(len(r.Body)-n), r.Body[:n]
	}
	return r
}
