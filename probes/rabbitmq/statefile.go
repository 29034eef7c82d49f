package rabbitmq

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"iscope/probes/internal/lock"
)

// stateDir is the folder of the files that say what to put back.
type stateDir string

// userState follows the XDG Base Directory Specification.
func userState() stateDir {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = os.TempDir()
		}
		base = filepath.Join(home, ".local", "state")
	}
	return stateDir(filepath.Join(base, "iscope", "rabbitmq"))
}

// stateScope is what a file is about.
type stateScope struct {
	Management string `json:"management"` // URL without credentials
	Vhost      string `json:"vhost"`
}

func (s stateScope) prefix() string {
	sum := sha256.Sum256([]byte(s.Management + "\x00" + s.Vhost))
	return hex.EncodeToString(sum[:8])
}

// stateEntry is one file: a process that needs, or needed, the firehose.
type stateEntry struct {
	stateScope
	// Previous is whether the firehose was on before iscope came.
	Previous bool      `json:"previous"`
	Since    time.Time `json:"since"`

	file *os.File // locked for as long as it is open
	// broken: half-written. Whoever wrote it died before switching anything.
	broken bool
}

// release gives up the lock and leaves the file.
func (e *stateEntry) release() {
	if e.file != nil {
		e.file.Close()
	}
}

// remove needs the lock of the scope.
func (e *stateEntry) remove() {
	e.release()
	os.Remove(e.file.Name()) // one that stays is found stale, and harmless
}

// stateEntries are the files of one scope.
type stateEntries struct {
	alive    bool // a process that lives has one
	previous func(now bool) bool
	stale    []*stateEntry // of processes that do not; locked by us
}

func (s *stateEntries) release() {
	for _, e := range s.stale {
		e.release()
	}
}

func (s *stateEntries) removeStale() {
	for _, e := range s.stale {
		e.remove()
	}
	s.stale = nil
}

func (d stateDir) empty() bool {
	names, err := filepath.Glob(filepath.Join(string(d), "*.json"))
	return err == nil && len(names) == 0
}

// lock keeps other processes of this user from looking or switching at the same
// time. It waits for them.
func (d stateDir) lock(ctx context.Context, s stateScope) (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(string(d), s.prefix()+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := lock.Try(f)
		if err != nil {
			f.Close()
			return nil, err
		}
		if ok {
			return func() { f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-again.C:
		}
	}
}

// entries reads the files of a scope, except our own if we have one. It needs
// the lock. The stale ones are locked until released.
func (d stateDir) entries(s stateScope, mine *stateEntry) (*stateEntries, error) {
	names, err := filepath.Glob(filepath.Join(string(d), s.prefix()+".*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	out := &stateEntries{}
	known, previous := false, false
	for _, name := range names {
		if mine != nil && name == mine.file.Name() {
			continue
		}
		e, alive, err := readEntry(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			out.release()
			return nil, err
		}
		if !alive {
			out.stale = append(out.stale, e)
		}
		out.alive = out.alive || alive
		known, previous = known || !e.broken, previous || !e.broken && e.Previous
	}
	// What the first of us found counts, not what we have made of it.
	out.previous = func(now bool) bool {
		if known {
			return previous
		}
		return now
	}
	return out, nil
}

func readEntry(name string) (e *stateEntry, alive bool, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	e = &stateEntry{file: f}
	e.broken = json.NewDecoder(f).Decode(e) != nil
	free, err := lock.Try(f)
	if err != nil || !free {
		f.Close()
		return e, true, err
	}
	return e, false, nil
}

// write makes our own entry, on disk before anything is switched.
func (d stateDir) write(s stateScope, previous bool) (*stateEntry, error) {
	f, err := os.CreateTemp(string(d), s.prefix()+".*.json")
	if err != nil {
		return nil, err
	}
	e := &stateEntry{stateScope: s, Previous: previous, Since: time.Now().UTC(), file: f}
	ok, err := lock.Try(f)
	if err == nil && !ok {
		err = errors.New("a file just made is locked by another")
	}
	b, encErr := json.Marshal(e)
	if _, wErr := f.WriteString(string(b) + "\n"); err == nil {
		err = errors.Join(encErr, wErr, f.Sync())
	}
	if err != nil {
		e.remove()
		return nil, err
	}
	return e, nil
}
