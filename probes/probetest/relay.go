package probetest

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Relay is a wire between a driver and a server that can be cut. Where the
// server names its own address (Kafka does), it has to be told the relay's.
type Relay struct {
	Addr    string
	forward string
	ln      net.Listener
	done    sync.WaitGroup
	passed  atomic.Int64 // bytes to the driver
	quota   atomic.Int64 // bytes to the driver until the cut; negative: none

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// NewRelay listens ("127.0.0.1:0" for anywhere) and forwards, until the test
// ends.
func NewRelay(t testing.TB, listen, forward string) *Relay {
	t.Helper()
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Addr: ln.Addr().String(), forward: forward, ln: ln, conns: map[net.Conn]bool{}}
	r.quota.Store(-1)
	r.done.Go(r.accept)
	t.Cleanup(func() {
		ln.Close()
		r.Cut()
		r.done.Wait()
	})
	return r
}

// Cut resets all connections. New ones are taken.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0) // a reset, not an orderly end
		}
		c.Close()
	}
	clear(r.conns)
}

// CutAfter cuts once that many more bytes have gone to the driver.
func (r *Relay) CutAfter(bytes int64) { r.quota.Store(bytes) }

// Passed is how many bytes have gone to the driver.
func (r *Relay) Passed() int64 { return r.passed.Load() }

func (r *Relay) accept() {
	for {
		driver, err := r.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.forward)
		if err != nil {
			driver.Close()
			continue
		}
		r.mu.Lock()
		r.conns[driver], r.conns[server] = true, true
		r.mu.Unlock()
		r.done.Go(func() { r.copy(server, driver, nil) })
		r.done.Go(func() { r.copy(driver, server, r.admit) })
	}
}

var errQuota = errors.New("quota used up")

// copy forwards until one side ends, then ends the other. admit, if given, says
// how much of what was read may pass.
func (r *Relay) copy(to, from net.Conn, admit func(n int) (int, error)) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if admit != nil {
			var over error
			n, over = admit(n)
			err = errors.Join(err, over)
		}
		if _, werr := to.Write(buf[:n]); werr != nil {
			err = werr
		}
		if errors.Is(err, errQuota) {
			r.Cut()
		}
		if err != nil {
			to.Close()
			from.Close()
			return
		}
	}
}

// admit counts, and lets as much pass as the quota has left.
func (r *Relay) admit(n int) (int, error) {
	var err error
	if quota := r.quota.Load(); quota >= 0 && int64(n) > quota {
		n, err = int(quota), errQuota
		r.quota.Store(-1)
	} else if quota >= 0 {
		r.quota.Add(int64(-n))
	}
	r.passed.Add(int64(n))
	return n, err
}
