package aws

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"iscope/probes/internal/lock"
)

// stateDir is the folder that says which taps this machine has made. Each has a
// file that its process keeps locked: a file that can be locked is of a process
// that was killed.
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
	return stateDir(filepath.Join(base, "iscope", "aws"))
}

// leftover is what a killed process may have left behind.
type leftover struct {
	Endpoint     string `json:"endpoint,omitempty"`
	Region       string `json:"region"`
	Queue        string `json:"queue"` // name
	Topic        string `json:"topic"` // ARN
	URL          string `json:"url,omitempty"`
	QueueARN     string `json:"queue_arn,omitempty"`
	Subscription string `json:"subscription,omitempty"` // ARN
}

// stateEntry is one file. A nil entry does nothing.
type stateEntry struct {
	leftover
	file *os.File // locked for as long as it is open
}

// write makes an entry, on disk before anything is created. nil: the folder cannot
// be written, and only the expiry is left to find the tap by.
func (d stateDir) write(l leftover) *stateEntry {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(string(d), l.Queue+".json"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil
	}
	e := &stateEntry{file: f}
	if ok, err := lock.Try(f); err != nil || !ok {
		f.Close()
		return nil
	}
	e.update(l)
	return e
}

// update writes what is known by now. Entries only grow, and a write of so few
// bytes is not torn by a kill.
func (e *stateEntry) update(l leftover) {
	if e == nil {
		return
	}
	e.leftover = l
	b, err := json.Marshal(l)
	if err != nil {
		return // text cannot fail
	}
	if _, err := e.file.WriteAt(append(b, '\n'), 0); err == nil {
		_ = e.file.Sync() // a tap is found by its expiry too
	}
}

// release gives up the lock and leaves the file to the next start.
func (e *stateEntry) release() {
	if e != nil {
		e.file.Close()
	}
}

func (e *stateEntry) remove() {
	if e != nil {
		e.file.Close()
		os.Remove(e.file.Name()) // one that stays is found stale, and harmless
	}
}

// stale returns the entries of killed processes for one endpoint and region,
// locked by us.
func (d stateDir) stale(endpoint, region string) []*stateEntry {
	names, err := filepath.Glob(filepath.Join(string(d), tapPrefix+"*.json"))
	if err != nil {
		return nil
	}
	var out []*stateEntry
	for _, name := range names {
		if e := staleEntry(name); e != nil {
			if e.Endpoint == endpoint && e.Region == region && e.Queue != "" {
				out = append(out, e)
				continue
			}
			e.release()
		}
	}
	return out
}

func staleEntry(name string) *stateEntry {
	f, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if err != nil {
		return nil
	}
	e := &stateEntry{file: f}
	ok, err := lock.Try(f)
	if err != nil || !ok {
		f.Close()
		return nil
	}
	if json.NewDecoder(f).Decode(&e.leftover) == nil {
		return e
	}
	// Either it is being made this very moment, or nothing was created yet when its
	// process was killed.
	if info, err := f.Stat(); err == nil && time.Since(info.ModTime()) > time.Minute {
		e.remove()
		return nil
	}
	f.Close()
	return nil
}
