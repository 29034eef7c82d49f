package httplink

import (
	"context"
	"iter"
	"time"

	"iscope/probes"
)

// Look describes the target as it is now. state is equal for equal snapshots; it
// matters only where there is more than one look.
type Look func() (snap probes.Snapshot, state string, err error)

// Looks yields one look, or while watching every look that differs from the one
// before, with a pause between them. An error ends it, and so does Close.
func (l *Link) Looks(ctx context.Context, watch bool, pause time.Duration, look Look) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		shown, first := "", true
		for {
			snap, state, err := look()
			if err != nil {
				if !watch || ctx.Err() == nil {
					yield(probes.Snapshot{}, err)
				}
				return
			}
			if (first || state != shown) && !yield(snap, nil) || !watch {
				return
			}
			shown, first = state, false
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			case <-l.Life.Done():
				return
			}
		}
	}
}
