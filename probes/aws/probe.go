package aws

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"iscope/probes"
)

// probe is what both services share: the session, and the account of what runs.
type probe struct {
	target probes.Target
	set    *settings

	life context.Context // ends with Close, and with it all that runs
	stop context.CancelFunc

	mu   sync.Mutex // orders begin, Close and the making of the session
	runs sync.WaitGroup
	made *session
}

var errClosed = errors.New("the target has been closed")

func newProbe(t probes.Target, s *settings) *probe {
	p := &probe{target: t, set: s}
	p.life, p.stop = context.WithCancel(context.Background())
	return p
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

// open returns the clients, made at the first use: that reads AWS's configuration
// files, which is no business of a target that is only listed.
func (p *probe) open(ctx context.Context) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made != nil {
		return p.made, nil
	}
	s, err := newSession(ctx, &p.target, p.set)
	if err != nil {
		return nil, err
	}
	p.made = s
	return s, nil
}

// end waits for all that runs.
func (p *probe) end() {
	p.mu.Lock()
	p.stop()
	p.mu.Unlock()
	p.runs.Wait()
	if p.made != nil {
		p.made.close()
	}
}

// ask makes one request with the target's deadline, or more where the server is
// asked to wait.
func ask[T any](ctx context.Context, p *probe, wait time.Duration, do func(context.Context, *session) (T, error)) (T, error) {
	var none T
	s, err := p.open(ctx)
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.target.RequestTimeout()+wait)
	defer cancel()
	out, err := do(ctx, s)
	if err != nil {
		return none, s.explain(err)
	}
	return out, nil
}

// farewell is how long leaving may take: long enough for a few requests, short
// enough for a person who pressed Ctrl-C on a dead network.
const farewell = 5 * time.Second

// leaving is a context for what has to be done although the caller's has ended.
func leaving(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), farewell)
}

// pause waits; false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func notice(source probes.Ref, text string) probes.Record {
	return probes.Record{Kind: probes.Notice, Source: source, Seen: time.Now(), Err: text}
}

// gap says that an unknown number of records is missing.
func gap(source probes.Ref, why string) probes.Record {
	return probes.Record{Kind: probes.Gap, Source: source, Seen: time.Now(), Attrs: []probes.Attr{{Name: probes.AttrReason, Value: why}}}
}

// Addresses is that of the service: the endpoint's, or AWS's own of the region.
func (p *probe) Addresses(ctx context.Context) ([]string, error) {
	s, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	port := s.endpoint.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[s.endpoint.Scheme]
	}
	return []string{net.JoinHostPort(s.endpoint.Hostname(), port)}, nil
}
