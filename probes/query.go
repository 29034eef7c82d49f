package probes

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DiscoverQuery asks what exists.
type DiscoverQuery struct {
	// Subject limits the answer to one topic, group or service; "" is all.
	Subject string
	// Detail asks for everything known of the subject (partitions, members,
	// configuration), which may cost more requests.
	Detail bool
	// Watch keeps the sequence open; see Discoverer.
	Watch bool
}

// TailQuery asks for a stream.
type TailQuery struct {
	Subject string
	From    Position // zero: latest
	Until   Position // zero: never ends. UntilEnd: what exists when asked
	// Last asks for the newest N records over all partitions, in time order,
	// before anything else; From is ignored then.
	Last int
	// Follow continues after Last or after reaching the present. A query
	// without Last and Until always follows.
	Follow bool
	// MaxBody is the number of bytes kept of each body; 0 keeps all. What is
	// left out is counted in Record.Cut.
	MaxBody int
	// Lend says that nothing of a record is kept beyond the iteration that yields
	// it, so that a driver may use its memory again.
	Lend bool
	// Resume continues at the position an Error carried. It outranks From and
	// Last.
	Resume string
	// Ledger takes what the tail does to the system; nil forgets it.
	Ledger *Ledger
}

// PosKind says how a Position is given.
type PosKind uint8

const (
	PosDefault PosKind = iota
	PosEarliest
	PosLatest // as Until: the end when the tail starts
	PosOffset
	PosTime
)

// Position is a point in a stream.
type Position struct {
	Kind   PosKind
	Offset int64
	Time   time.Time
}

// ParsePosition reads what --from and --until take: "beginning" (or
// "earliest"), "latest" (or "end"), an offset, "@TIME" (RFC 3339, or
// HH:MM[:SS] of today), or a duration back from now ("-15m").
func ParsePosition(s string, now time.Time) (Position, error) {
	switch s {
	case "":
		return Position{}, nil
	case "beginning", "earliest", "start":
		return Position{Kind: PosEarliest}, nil
	case "latest", "end", "now":
		return Position{Kind: PosLatest}, nil
	}
	if t, ok := strings.CutPrefix(s, "@"); ok {
		at, err := parseTime(t, now)
		return Position{Kind: PosTime, Time: at}, err
	}
	if strings.HasPrefix(s, "-") {
		d, err := time.ParseDuration(s[1:])
		if err != nil {
			return Position{}, fmt.Errorf("%q is no duration; try -15m", s)
		}
		return Position{Kind: PosTime, Time: now.Add(-d)}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return Position{}, fmt.Errorf("%q is no position; use beginning, latest, an offset, @TIME or -DURATION", s)
	}
	return Position{Kind: PosOffset, Offset: n}, nil
}

func parseTime(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location()), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; use RFC 3339 (2026-11-22T14:03:00Z) or HH:MM", s)
}
