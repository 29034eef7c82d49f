package main

import (
	"context"
	"io"

	"iscope/probes"
)

// rawSink prints the value of each message and a newline, as the bytes are: for
// programs that want just that. What is no message goes to warn.
type rawSink struct {
	*blockOut
	warn func(string, ...any)
}

func newRawSink(w io.Writer, warn func(string, ...any)) *rawSink {
	return &rawSink{blockOut: newBlockOut(w), warn: warn}
}

// Borrows says that nothing of a record is kept.
func (s *rawSink) Borrows() bool { return true }

// Write prints one record. A message without a value is an empty line.
func (s *rawSink) Write(_ context.Context, r probes.Record) error {
	switch r.Kind {
	case probes.Gap, probes.Notice, probes.Event:
		s.warn("%s: %s", r.Kind, r.Err)
		return nil
	}
	s.Lock()
	s.buf = append(append(s.buf, r.Body...), '\n')
	err := s.wrote()
	s.Unlock()
	return err
}
