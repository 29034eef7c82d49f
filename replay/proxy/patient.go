package proxy

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// patience is how long a call's request is waited for after its answer has
	// come. It is sent at the same moment as the headers; what takes longer is a
	// stream that goes on.
	patience = 20 * time.Millisecond
	// maxRest bounds what is read then, in bytes.
	maxRest = 1 << 20
)

// patient is the body of a gRPC request. A service may answer before the request
// has been passed on to it, and the transport then gives the body up: without
// patience a call that was refused at once would be recorded without what it had
// asked.
type patient struct {
	body *tee
	// deadline bounds reads, those under way too.
	deadline func(time.Time) error
	// state reports whether a message of the body has been recorded, and whether
	// the body has ended.
	state func() (begun, ended bool)

	mu sync.Mutex // one reader at a time: the transport, then rest
}

func (p *patient) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.body.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errUnread
	}
	return n, err
}

// Close ends a read that is under way, soon. It leaves the body open: rest goes
// on with it, and net/http closes it after the handler.
func (p *patient) Close() error {
	begun, ended := p.state()
	if ended {
		return nil
	}
	wait := patience
	if begun {
		wait = 0
	}
	if err := p.deadline(time.Now().Add(wait)); err != nil {
		return p.body.Close()
	}
	return nil
}

// rest records what has come of a body that was given up. It is called when the
// answer has been passed on.
func (p *patient) rest() {
	if p.Close() != nil {
		return
	}
	if _, ended := p.state(); ended {
		return
	}
	_, _ = io.CopyN(io.Discard, p, maxRest) // how it ended is the tee's to say
	p.body.once.Do(func() { p.body.end(errUnread) })
}
