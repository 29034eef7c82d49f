package probes

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Ledger is the account of what looking at a system did to it: every deed is
// written down before the request that does it is sent, so that a process that
// dies half-way has said what it may have left behind.
//
// A nil Ledger takes deeds and forgets them, so drivers need not ask. It is safe
// for concurrent use.
type Ledger struct {
	// OnDeed is called with every deed, by whoever notes it; nil for nobody. Set
	// it before the ledger is used.
	OnDeed func(Deed)

	mu    sync.Mutex
	deeds []Deed
}

// Deed is one thing done to a system.
type Deed struct {
	Time time.Time `json:"time"`
	Kind DeedKind  `json:"kind"`
	// What names the thing as the system knows it: "queue iscope.tap.1f3a on
	// vhost /".
	What string `json:"what"`
	// Until says when it ends: "removed when the tail ends, or with the
	// connection"; "" if it has no end.
	Until string `json:"until,omitempty"`
}

// DeedKind says what was done.
type DeedKind uint8

const (
	DeedRead    DeedKind = iota + 1 // asked for data; nothing in the system changes
	DeedCreated                     // made something that was not there
	DeedChanged                     // changed something that others see too
	DeedRemoved                     // took away what was created
	DeedUndone                      // put back what was changed
	DeedLeft                        // could not remove or put back; What says how to
)

var deedNames = [...]string{"", "read", "created", "changed", "removed", "restored", "left"}

func (k DeedKind) String() string { return deedNames[k] }

// MarshalText writes the name used in JSON output.
func (k DeedKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Note writes a deed down.
func (l *Ledger) Note(kind DeedKind, what, until string) {
	if l == nil {
		return
	}
	d := Deed{Time: time.Now(), Kind: kind, What: what, Until: until}
	l.mu.Lock()
	l.deeds = append(l.deeds, d)
	l.mu.Unlock()
	if l.OnDeed != nil {
		l.OnDeed(d)
	}
}

// Deeds returns a copy of the account so far.
func (l *Ledger) Deeds() []Deed {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.deeds)
}

// MarshalJSON writes the account as an array.
func (l *Ledger) MarshalJSON() ([]byte, error) { return json.Marshal(l.Deeds()) }
