package main

import (
	"context"
	"fmt"
	"os"
)

// instance is one running copy of a server: the shared one, or one that a test
// has to itself and may stop and start again on the same ports and data.
type instance struct {
	server *server
	plan   plan
	data   string
	proc   *process // nil while it does not run
}

// prepare makes an instance that can be launched. It fails when the server is
// not installed.
func (b *bed) prepare(ctx context.Context, s *server) (*instance, error) {
	entry, err := b.installed(s)
	if err != nil {
		return nil, err
	}
	st := &site{cache: entry, tool: b.toolDir(s), others: map[string]map[string]string{}, ports: &b.ports}
	b.mu.Lock()
	for _, name := range s.after {
		a := b.answers[name]
		if !a.OK {
			b.mu.Unlock()
			return nil, fmt.Errorf("it needs %s, which is missing: %s", name, a.Reason)
		}
		st.others[name] = a.Addresses
	}
	b.mu.Unlock()
	if st.data, err = os.MkdirTemp(b.dir, s.name+"-"); err != nil {
		return nil, err
	}
	if s.start == nil {
		return &instance{server: s, plan: plan{addresses: map[string]string{"binary": s.binary(st)}}}, nil
	}
	p, err := s.start(ctx, st)
	return &instance{server: s, plan: p, data: st.data}, err
}

// launch starts the process and waits until it is ready. Nothing runs after an
// error.
func (i *instance) launch(ctx context.Context) error {
	proc, err := launch(i.server.name, i.plan, i.data)
	if err != nil {
		return err
	}
	if err := waitReady(ctx, i.plan.ready, proc.done); err != nil {
		proc.stop()
		return fmt.Errorf("%w; %s", err, proc.tail())
	}
	i.proc = proc
	return nil
}

func (i *instance) answer() answer {
	version := i.server.version
	if i.plan.version != "" {
		version = i.plan.version
	}
	return answer{OK: true, Version: version, Addresses: i.plan.addresses}
}
