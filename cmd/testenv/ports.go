package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// ports hands out ports for servers. They lie below the range that the kernel
// takes for outgoing connections: a port from that range may be taken by a client
// between asking and binding, and again while a server is restarted.
type ports struct {
	mu   sync.Mutex
	used map[int]bool
}

const (
	firstPort = 15000
	lastPort  = 31999
)

// take returns n ports that nobody listens on and nobody was given before.
func (p *ports) take(n int) (taken []int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used == nil {
		p.used = map[int]bool{}
	}
	for range 10_000 {
		if len(taken) == n {
			return taken, nil
		}
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if p.used[port] || !free(port) {
			continue
		}
		p.used[port] = true
		taken = append(taken, port)
	}
	return nil, fmt.Errorf("no free port between %d and %d", firstPort, lastPort)
}

func free(port int) bool {
	ln, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	ln.Close()
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
