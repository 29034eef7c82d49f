package shop

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"iscope/cmd/internal/shop/registry"
)

// member is one registered instance of the shop. All but the broker have a
// sidecar proxy: calls to the member come in through it, and the member's own
// calls leave through it, one local port for each service it may call. The
// registry says so, and it is so.
type member struct {
	service, id string
	protocol    string
	version     string
	calls       []*member // upstreams; equal services side by side
	lis         net.Listener
	address     string // of lis, or of what listens already
	inbound     net.Listener
	outbound    map[string]net.Listener // by service
}

// listen opens the member's ports, its sidecar's among them.
func (m *member) listen(c *crew) (err error) {
	if m.lis, err = listen(c); err != nil {
		return err
	}
	m.address = m.lis.Addr().String()
	if m.inbound, err = listen(c); err != nil {
		return err
	}
	m.outbound = map[string]net.Listener{}
	for _, to := range m.calls {
		if m.outbound[to.service] == nil {
			if m.outbound[to.service], err = listen(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// via is where the member reaches a service it may call.
func (m *member) via(service string) string { return m.outbound[service].Addr().String() }

// proxy runs the member's sidecar. Every member must be listening.
func (m *member) proxy(c *crew) {
	relay(c, m.inbound, m.id+sidecarSuffix, []string{m.address})
	for service, lis := range m.outbound {
		var to []string
		for _, up := range m.calls {
			if up.service == service {
				to = append(to, up.inbound.Addr().String())
			}
		}
		relay(c, lis, m.id+sidecarSuffix, to)
	}
}

const sidecarSuffix = "-sidecar-proxy"

// definition is what the member tells the registry.
func (m *member) definition() (registry.Definition, error) {
	d := registry.Definition{
		ID: m.id, Name: m.service, Tags: []string{m.protocol},
		Meta:  map[string]string{"version": m.version, "protocol": m.protocol},
		Check: &registry.CheckDefinition{CheckID: checkOf(m.id), Name: m.service + " heartbeat", TTL: heartbeatTTL.String()},
	}
	var err error
	if d.Address, d.Port, err = hostPort(m.address); err != nil || m.inbound == nil {
		return d, err
	}
	side := &registry.Definition{Proxy: &registry.Proxy{Config: map[string]any{"protocol": m.protocol}}}
	if side.Address, side.Port, err = hostPort(m.inbound.Addr().String()); err != nil {
		return d, err
	}
	seen := map[string]bool{}
	for _, to := range m.calls {
		if seen[to.service] {
			continue
		}
		seen[to.service] = true
		_, port, err := hostPort(m.via(to.service))
		if err != nil {
			return d, err
		}
		side.Proxy.Upstreams = append(side.Proxy.Upstreams, registry.Upstream{
			DestinationName: to.service, LocalBindPort: port, Config: map[string]any{"protocol": to.protocol},
		})
	}
	d.Connect = &struct{ SidecarService *registry.Definition }{side}
	return d, nil
}

func hostPort(address string) (string, int, error) {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return "", 0, fmt.Errorf("reading the address %q: %w", address, err)
	}
	return at.IP.String(), at.Port, nil
}

// listen opens a loopback port of the system's choice. It is closed at the
// latest when the crew has stopped.
func listen(c *crew) (net.Listener, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a loopback port: %w", err)
	}
	c.after(func() { lis.Close() })
	return lis, nil
}

// relay passes connections on to the addresses in turn, until the crew stops.
func relay(c *crew, lis net.Listener, part string, to []string) {
	c.run(part, func(ctx context.Context) error {
		var open sync.WaitGroup
		defer open.Wait()
		defer context.AfterFunc(ctx, func() { lis.Close() })()
		for n := 0; ; n++ {
			in, err := lis.Accept()
			if err != nil {
				return err
			}
			open.Go(func() { relayOne(ctx, in, to[n%len(to)]) })
		}
	})
}

// relayOne passes bytes both ways until both sides have ended.
func relayOne(ctx context.Context, in net.Conn, to string) {
	defer in.Close()
	dialer := net.Dialer{Timeout: 5 * time.Second}
	out, err := dialer.DialContext(ctx, "tcp", to)
	if err != nil {
		return // the caller sees a closed connection, as with any sidecar
	}
	defer out.Close()
	defer context.AfterFunc(ctx, func() { in.Close(); out.Close() })()
	var there sync.WaitGroup
	there.Go(func() { pass(out, in) })
	pass(in, out)
	there.Wait()
}

// pass copies one direction and then says that nothing more will come.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if tcp, ok := to.(*net.TCPConn); ok && err == nil {
		tcp.CloseWrite()
		return
	}
	to.Close()
	from.Close()
}
