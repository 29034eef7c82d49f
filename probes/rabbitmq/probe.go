package rabbitmq

import (
	"context"
	"errors"
	"sync"

	"iscope/probes"
)

// probe is one open broker. Every operation has a connection of its own, so
// that none can hold up or break another; only publishing keeps one between
// calls.
type probe struct {
	target probes.Target
	set    settings
	http   *httpClient
	state  stateDir

	life context.Context // ends with Close, and with it all that runs
	stop context.CancelFunc

	mu     sync.Mutex // orders begin and Close
	runs   sync.WaitGroup
	outbox outbox
	spent  spent
}

var (
	_ probes.Probe        = (*probe)(nil)
	_ probes.Discoverer   = (*probe)(nil)
	_ probes.Tailer       = (*probe)(nil)
	_ probes.Publisher    = (*probe)(nil)
	_ probes.Peeker       = (*probe)(nil)
	_ probes.DeadLetterer = (*probe)(nil)
)

var errClosed = errors.New("the target has been closed")

func newProbe(t probes.Target, s settings) *probe {
	p := &probe{target: t, set: s, state: userState()}
	p.http = newHTTP(&t, &s)
	p.life, p.stop = context.WithCancel(context.Background())
	return p
}

// Check connects, logs in, opens the vhost and leaves. It also puts back what an
// iscope that was killed has left switched on (see tracing.go).
func (p *probe) Check(ctx context.Context) error {
	const op = "checking"
	ctx, end, err := p.begin(ctx)
	if err != nil {
		return p.fail(op, err)
	}
	defer end()
	l, err := p.connect(ctx, "iscope check")
	if err != nil {
		return p.fail(op, err)
	}
	l.close()
	p.sweep(ctx, nil)
	return nil
}

// begin registers work that Close waits for. The context ends with either the
// caller's or the probe's.
func (p *probe) begin(ctx context.Context) (context.Context, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life.Err() != nil {
		return nil, nil, &fault{kind: probes.ErrUsage, err: errClosed}
	}
	p.runs.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(p.life, cancel)
	return ctx, func() { unhook(); cancel(); p.runs.Done() }, nil
}

// Close ends all that runs and waits for it. Tails remove what they created.
func (p *probe) Close() error {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.runs.Wait()
	p.outbox.close()
	p.http.close()
	return nil
}

// Addresses are the brokers, of which the first that answers is used.
func (p *probe) Addresses(context.Context) ([]string, error) { return p.set.hosts, nil }
