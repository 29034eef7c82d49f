package session

import (
	"slices"
	"sync"
	"time"
)

// Log is iscope's own log: the last few hundred lines, in memory. Nothing is
// written to stderr while the dashboard is up.
type Log struct {
	now   func() time.Time
	mu    sync.Mutex
	lines []Entry
}

// Entry is one line, without secrets.
type Entry struct {
	At    time.Time
	Level string
	Text  string
}

const logLines = 500

// Add adds a line. The text must be free of secrets.
func (l *Log) Add(level, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.lines); n > 0 && l.lines[n-1].Text == text {
		l.lines[n-1].At = l.now()
		return
	}
	l.lines = append(l.lines, Entry{At: l.now(), Level: level, Text: text})
	if len(l.lines) > logLines {
		l.lines = slices.Delete(l.lines, 0, len(l.lines)-logLines)
	}
}

// Entries copies the lines, the newest last.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}
