package session

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"iscope/probes"
)

// Redrive is dead letters on their way to where they came from. It goes on,
// whether a screen shows it or not, until it is through or stopped.
type Redrive struct {
	Ref probes.Ref

	s      *Session
	ledger *probes.Ledger
	cancel context.CancelFunc

	mu  sync.Mutex
	acc Redriven
}

// Redriven is the account of a redrive: all that were reached were sent or could
// not be.
type Redriven struct {
	Sent, Failed int
	To           map[string]int // messages sent by destination
	Errors       []Failure      // by text, in order of appearance
	Notes        []string
	Over         bool
	Stopped      bool   // by somebody
	Err, Hint    string // why it ended early
}

// Failure is why some could not be sent, without secrets.
type Failure struct {
	Text  string
	Count int
}

// keptErrors bounds the texts in Redriven.Errors.
const keptErrors = 20

// Redrive starts to send dead letters again. It is refused where nothing may be
// written.
func (s *Session) Redrive(ref probes.Ref, q probes.RedriveQuery) *Redrive {
	ctx, cancel := context.WithCancel(s.ctx)
	r := &Redrive{Ref: ref, s: s, ledger: s.newLedger(), cancel: cancel, acc: Redriven{To: map[string]int{}}}
	q.Subject, q.Ledger = ref.Subject, r.ledger
	s.mu.Lock()
	s.drives = append(s.drives, r)
	s.mu.Unlock()
	if !s.spawn(func() { r.ended(r.run(ctx, q), ctx.Err() != nil) }) {
		r.ended(nil, true)
	}
	return r
}

// Redriving is the redrive that is under way, nil if there is none.
func (s *Session) Redriving() *Redrive {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.drives) == 0 {
		return nil
	}
	return s.drives[0]
}

func (r *Redrive) run(ctx context.Context, q probes.RedriveQuery) error {
	conn, err := r.s.Conn(ctx, r.Ref.Target)
	if err != nil {
		return err
	}
	d, err := conn.DeadLetterer()
	if err == nil {
		err = conn.Writable("redriving")
	}
	if err != nil {
		return err
	}
	for rec, err := range d.Redrive(ctx, q) {
		if err != nil {
			return err
		}
		r.count(&rec)
	}
	return nil
}

func (r *Redrive) count(rec *probes.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &r.acc
	switch {
	case rec.Kind == probes.Notice:
		a.Notes = append(a.Notes, r.s.clean(rec.Err))
	case rec.Err != "":
		a.fail(r.s.clean(rec.Err))
	default:
		a.Sent++
		a.To[rec.Source.Subject]++
	}
}

func (a *Redriven) fail(text string) {
	a.Failed++
	i := slices.IndexFunc(a.Errors, func(f Failure) bool { return f.Text == text })
	switch {
	case i >= 0:
		a.Errors[i].Count++
	case len(a.Errors) < keptErrors:
		a.Errors = append(a.Errors, Failure{text, 1})
	}
}

func (r *Redrive) ended(err error, stopped bool) {
	r.cancel()
	r.mu.Lock()
	r.acc.Over, r.acc.Stopped = true, stopped
	if err != nil && !errors.Is(err, context.Canceled) {
		r.acc.Err, r.acc.Hint = r.s.clean(err.Error()), r.s.clean(probes.HintOf(err))
		r.s.log.Add("warn", r.acc.Err)
	}
	r.mu.Unlock()
	r.s.mu.Lock()
	r.s.drives = slices.DeleteFunc(r.s.drives, func(x *Redrive) bool { return x == r })
	r.s.mu.Unlock()
	r.s.touch()
}

// Account is how far it has come.
func (r *Redrive) Account() Redriven {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.acc
	a.To, a.Errors, a.Notes = maps.Clone(a.To), slices.Clone(a.Errors), slices.Clone(a.Notes)
	return a
}

// Deeds is what it has done to the system.
func (r *Redrive) Deeds() []probes.Deed { return r.ledger.Deeds() }

// Stop asks it to end; what is under way may finish.
func (r *Redrive) Stop() { r.cancel() }
