package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// roundRobin is the one value of the option balance.
const roundRobin = "round_robin"

// lookAgain is how old the addresses of names may be.
const lookAgain = 30 * time.Second

// pool gives requests to the instances of a target in turn. Each has
// connections of its own: one transport would keep using the first.
type pool struct {
	hosts []string // host:port, as configured
	like  *http.Transport
	// lookup finds the addresses of a host.
	lookup func(ctx context.Context, host string) ([]string, error)

	mu        sync.Mutex
	instances []instance
	next      int
	at        time.Time
}

type instance struct {
	addr string
	http *http.Transport
}

func newPool(hosts []string, like *http.Transport) *pool {
	return &pool{hosts: hosts, like: like, lookup: net.DefaultResolver.LookupHost}
}

// pick is the transport of the instance whose turn it is. It blocks while names
// are looked up.
func (b *pool) pick(ctx context.Context) (*http.Transport, error) {
	if err := b.refresh(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.instances[b.next%len(b.instances)]
	b.next++
	return one.http, nil
}

// refresh looks the names up where that is due. Names that are not found are
// left out as long as there are others, and instances are kept while none is
// found.
func (b *pool) refresh(ctx context.Context) error {
	b.mu.Lock()
	fresh := len(b.instances) > 0 && time.Since(b.at) < lookAgain
	b.mu.Unlock()
	if fresh {
		return nil
	}
	addrs, err := b.resolve(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(addrs) == 0 {
		if len(b.instances) > 0 {
			return nil
		}
		return err
	}
	var now []instance
	for _, a := range addrs {
		i := slices.IndexFunc(b.instances, func(one instance) bool { return one.addr == a })
		if i >= 0 {
			now = append(now, b.instances[i])
			continue
		}
		now = append(now, instance{a, b.transport(a)})
	}
	for _, old := range b.instances {
		if !slices.Contains(addrs, old.addr) {
			old.http.CloseIdleConnections()
		}
	}
	b.instances, b.at = now, time.Now()
	return nil
}

func (b *pool) resolve(ctx context.Context) (addrs []string, err error) {
	err = errors.New("no address")
	for _, hp := range b.hosts {
		host, port, splitErr := net.SplitHostPort(hp)
		if splitErr != nil {
			return nil, splitErr
		}
		found, lookupErr := b.lookup(ctx, host)
		if lookupErr != nil {
			err = lookupErr
		}
		for _, a := range found {
			if a = net.JoinHostPort(a, port); !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs, err
}

// transport is one that connects to one address, whatever host is asked for.
func (b *pool) transport(addr string) *http.Transport {
	t := b.like.Clone()
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, addr) }
	return t
}

func (b *pool) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.instances {
		one.http.CloseIdleConnections()
	}
}
