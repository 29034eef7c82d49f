package probetest

import (
	"testing"
	"time"

	"iscope/probes"
)

// settled waits until nothing more goes through a relay: the peer has been told
// to wait, or has sent all.
func settled(t *testing.T, r *Relay) int64 {
	t.Helper()
	ctx := limit(t)
	last, since := r.Passed(), time.Now()
	for time.Since(since) < 300*time.Millisecond {
		select {
		case <-ctx.Done():
			t.Fatal("bytes never stop coming")
		case <-time.After(10 * time.Millisecond):
		}
		if now := r.Passed(); now != last {
			last, since = now, time.Now()
		}
	}
	return last
}

// slowTail reads one record and pauses. The server must be made to wait, not
// our memory be filled, and afterwards all records come, each once.
func (c *FaultCase) slowTail(t *testing.T, s *Suite, i *Instance, relay *Relay) {
	const n, size = 1200, 100 << 10
	subject := c.Tail.Subject(t, i)
	missing := map[string]bool{}
	for _, b := range c.Tail.Produce(t, i, subject, n, size) {
		missing[string(b)] = true
	}
	tailer, err := s.open(t, nil).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	before, first := relay.Passed(), true
	for rec, err := range tailer.Tail(limit(t), probes.TailQuery{Subject: subject,
		From: probes.Position{Kind: probes.PosEarliest}, Until: probes.Position{Kind: probes.PosLatest}}) {
		if err != nil {
			t.Fatal(err)
		}
		if first {
			first = false
			if took := settled(t, relay) - before; took > n*size*3/4 {
				t.Errorf("%d of %d bytes were taken from the server for one record", took, n*size)
			}
		}
		if !missing[string(rec.Body)] {
			t.Fatalf("%s came twice, or from nowhere", rec.ID)
		}
		delete(missing, string(rec.Body))
	}
	if len(missing) > 0 {
		t.Errorf("%d records are missing", len(missing))
	}
}

// cutCall loses the connection in the middle of an answer. That is said, and
// what came before is kept.
func (c *FaultCase) cutCall(t *testing.T, s *Suite, relay *Relay) {
	conn := s.open(t, nil)
	if _, err := conn.Methods(limit(t)); err != nil {
		t.Fatal(err)
	}
	relay.CutAfter(c.Invoke.Bytes / 2)
	recs, err := Invoke(limit(t), conn, probes.Invocation{Method: c.Invoke.Method, Next: Docs(c.Invoke.Doc)})
	relay.CutAfter(-1)
	answers, failed := 0, err != nil
	for _, r := range recs {
		if r.Kind == probes.Response {
			answers++
		}
		failed = failed || r.Err != ""
	}
	if !failed {
		t.Errorf("%d records, and nothing says that the answer is not whole", len(recs))
	}
	if err != nil {
		wantKind(t, err, probes.ErrUnreachable)
	}
	if c.Invoke.Kept && answers == 0 {
		t.Error("what had come before the cut is lost")
	}
	recovers(t, conn)
}

// slowCall takes one message of an answer and pauses.
func (c *FaultCase) slowCall(t *testing.T, s *Suite, relay *Relay) {
	conn := s.open(t, nil)
	before, first := relay.Passed(), true
	for rec, err := range conn.Invoke(limit(t), probes.Method{Name: c.Invoke.Method}, probes.Invocation{Method: c.Invoke.Method, Next: Docs(c.Invoke.Doc)}) {
		if err != nil {
			t.Fatal(err)
		}
		if first && rec.Kind == probes.Response {
			first = false
			if took := settled(t, relay) - before; took > c.Invoke.Bytes*3/4 {
				t.Errorf("%d of %d bytes were taken from the server for one message", took, c.Invoke.Bytes)
			}
		}
		if rec.Kind == probes.End && rec.Err != "" {
			t.Error(rec.Err)
		}
	}
	if took := relay.Passed() - before; took < c.Invoke.Bytes {
		t.Errorf("%d bytes came, less than %d", took, c.Invoke.Bytes)
	}
}
