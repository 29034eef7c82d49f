package session

import (
	"context"
	"sync"

	"iscope/probes"
)

// gate is a sink that lets records through while it is open and blocks while it
// is shut, so that the source feels it.
type gate struct {
	mu   sync.Mutex
	pass chan struct{} // closed while open
	isOn bool          // shut
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pass == nil {
		g.pass = make(chan struct{})
		close(g.pass)
	} else if g.isOn {
		close(g.pass)
	}
	g.isOn = false
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isOn {
		g.pass, g.isOn = make(chan struct{}), true
	}
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isOn
}

// Write waits until the gate is open.
func (g *gate) Write(ctx context.Context, _ probes.Record) error {
	g.mu.Lock()
	pass := g.pass
	g.mu.Unlock()
	select {
	case <-pass:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
