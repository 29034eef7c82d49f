package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"iscope/probes"
)

// Switching the firehose on changes the broker for everybody, so it is put back
// when the last tail that needs it ends, also if iscope is killed: what to put
// back is written to a file first, and the next start finds it. Several
// processes of one user share a vhost's firehose by these files; a file whose
// owner is alive is locked.

func (p *probe) vhostState(ctx context.Context) (*vhost, error) {
	v := &vhost{}
	if err := p.http.get(ctx, p.vhostPath("vhosts"), v); err != nil {
		if kindOf(err) == probes.ErrDenied {
			return nil, &fault{kind: probes.ErrDenied, err: err, hint: "the firehose needs a user with the tag administrator"}
		}
		return nil, err
	}
	return v, nil
}

// setTracing changes nothing but the tracing: the API resets what it is not
// given (seen with 3.10.8: description and tags).
func (p *probe) setTracing(ctx context.Context, on bool) error {
	v, err := p.vhostState(ctx)
	if err != nil || v.Tracing == on {
		return err
	}
	body := map[string]any{"tracing": on, "description": v.Description, "tags": strings.Join(v.Tags, ",")}
	if v.DefaultType != "" && v.DefaultType != "undefined" {
		body["default_queue_type"] = v.DefaultType
	}
	err = p.http.put(ctx, p.vhostPath("vhosts"), body)
	if kindOf(err) == probes.ErrDenied && err != nil {
		return &fault{kind: probes.ErrDenied, err: err, hint: "the firehose needs a user with the tag administrator"}
	}
	return err
}

// scope names what a state file is about: broker and vhost, without credentials.
func (p *probe) scope(ctx context.Context) (stateScope, error) {
	base, err := p.http.find(ctx)
	return stateScope{Management: base, Vhost: p.set.vhost}, err
}

// traceOn switches the firehose on, unless it is on, and returns what puts it
// back.
func (p *probe) traceOn(ctx context.Context, ledger *probes.Ledger) (back func(), err error) {
	scope, err := p.scope(ctx)
	if err != nil {
		return nil, err
	}
	unlock, err := p.state.lock(ctx, scope)
	if err != nil {
		return nil, unnoted(err)
	}
	defer unlock()
	entries, err := p.state.entries(scope, nil)
	if err != nil {
		return nil, unnoted(err)
	}
	v, err := p.vhostState(ctx)
	if err != nil {
		entries.release()
		return nil, err
	}
	previous := entries.previous(v.Tracing)
	mine, err := p.state.write(scope, previous)
	if err != nil {
		entries.release()
		return nil, unnoted(err)
	}
	entries.removeStale()
	if !v.Tracing {
		ledger.Note(probes.DeedChanged, fmt.Sprintf("firehose (tracing) of vhost %s switched on", p.set.vhost),
			"switched off when the tail ends, or by the next start of iscope")
		if err := p.setTracing(ctx, true); err != nil {
			mine.remove()
			return nil, err
		}
	} else {
		ledger.Note(probes.DeedRead, fmt.Sprintf("the firehose of vhost %s, which is on already", p.set.vhost), "")
	}
	return func() { p.traceBack(scope, mine, ledger) }, nil
}

// unnoted refuses to change what could not be put back after a kill.
func unnoted(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &fault{kind: probes.ErrRefused, err: fmt.Errorf("the firehose is not switched on, because that cannot be noted down: %w", err),
		hint: "XDG_STATE_HOME names the folder for it"}
}

// traceBack switches the firehose back unless another tail still needs it.
func (p *probe) traceBack(scope stateScope, mine *stateEntry, ledger *probes.Ledger) {
	ctx, stop := context.WithTimeout(context.Background(), max(p.target.RequestTimeout()/5, 2*time.Second))
	defer stop()
	left := func(err error) {
		mine.release() // the file stays, for the next start
		ledger.Note(probes.DeedLeft, fmt.Sprintf("firehose of vhost %s is still on (%v); "+
			"the next iscope that opens this broker switches it off, or: rabbitmqctl trace_off -p %s",
			p.set.vhost, err, p.set.vhost), "")
	}
	unlock, err := p.state.lock(ctx, scope)
	if err != nil {
		left(err)
		return
	}
	defer unlock()
	others, err := p.state.entries(scope, mine)
	if err != nil {
		left(err)
		return
	}
	defer others.release()
	if !mine.Previous && !others.alive {
		ledger.Note(probes.DeedUndone, fmt.Sprintf("firehose of vhost %s switched off again", p.set.vhost), "")
		if err := p.setTracing(ctx, false); err != nil {
			left(err)
			return
		}
	}
	mine.remove()
}

// sweep puts back what an iscope left that was killed. Failing is no reason not
// to go on: the file stays for the next time.
func (p *probe) sweep(ctx context.Context, ledger *probes.Ledger) {
	if p.state.empty() {
		return
	}
	scope, err := p.scope(ctx)
	if err != nil {
		return
	}
	unlock, err := p.state.lock(ctx, scope)
	if err != nil {
		return
	}
	defer unlock()
	entries, err := p.state.entries(scope, nil)
	if err != nil {
		return
	}
	defer entries.release()
	if entries.alive || len(entries.stale) == 0 {
		return // the last of the living puts it back
	}
	if !entries.previous(true) {
		ledger.Note(probes.DeedUndone, fmt.Sprintf("firehose of vhost %s, left on by an iscope that was killed, switched off again", p.set.vhost), "")
		if p.setTracing(ctx, false) != nil {
			return
		}
	}
	entries.removeStale()
}
