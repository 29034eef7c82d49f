package shop

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"iscope/cmd/internal/shop/registry"
)

// parts are what of the shop other parts need.
type parts struct {
	gateway *member
	flaky   *member
	members []*member
	backend *backend
}

// startServices starts the gateway, the two instances of the API, the gRPC
// services, the catalogue and the broker, each with its sidecar.
func (s *Shop) startServices(files *schema, o Options) (*parts, error) {
	payments := &member{service: "shop-payments", id: "shop-payments-1", protocol: "grpc", version: "2.1.0"}
	orders := &member{service: "shop-orders", id: "shop-orders-1", protocol: "grpc", version: "1.7.2", calls: []*member{payments}}
	catalog := &member{service: "shop-graphql", id: "shop-graphql-1", protocol: "http", version: "1.0.3", calls: []*member{orders}}
	api1 := &member{service: "shop-api", id: "shop-api-1", protocol: "http", version: "1.4.0", calls: []*member{orders, catalog}}
	api2 := &member{service: "shop-api", id: "shop-api-2", protocol: "http", version: "1.4.0", calls: []*member{orders, catalog}}
	gateway := &member{service: "shop-gateway", id: "shop-gateway-1", protocol: "http", version: "1.4", calls: []*member{api1, api2}}
	meshed := []*member{gateway, api1, api2, orders, payments, catalog}
	for _, m := range meshed {
		if err := m.listen(s.crew); err != nil {
			return nil, err
		}
		s.addresses[m.service] = m.address
	}
	s.addresses["shop-api"] = api1.address

	c := s.crew
	b, err := startBackend(c, files, backendPlan{
		name: "shop", orders: orders.lis, payments: payments.lis, paymentsVia: orders.via("shop-payments"), now: o.Now,
	})
	if err != nil {
		return nil, err
	}
	s.addresses["shop-kafka"] = b.kafka
	for _, m := range []*member{api1, api2} {
		if err := startAPI(c, files, "shop-api", m.lis, m.via("shop-orders"), m.via("shop-graphql")); err != nil {
			return nil, err
		}
	}
	if err := startCatalog(c, files, "shop-graphql", catalog.lis, catalog.via("shop-orders"), b.goods); err != nil {
		return nil, err
	}
	serveHTTP(c, gateway.lis, "shop-gateway", newGateway(o.Seed, gateway.via("shop-api"), newTransport(c)))
	for _, m := range meshed {
		m.proxy(c)
	}
	broker := &member{service: "shop-kafka", id: "shop-kafka-0", protocol: "kafka", version: "kfake", address: b.kafka}
	return &parts{gateway: gateway, flaky: api2, members: append(meshed, broker), backend: b}, nil
}

// startAPI starts one instance of the HTTP API.
func startAPI(c *crew, files *schema, part string, lis net.Listener, orders, catalog string) error {
	conn, err := dialRPC(c, orders)
	if err != nil {
		return err
	}
	a := &api{orders: conn, service: files.orders, stock: askStock(newClient(c), "http://"+catalog)}
	serveHTTP(c, lis, part, a.handler())
	return nil
}

// startCatalog starts the GraphQL API.
func startCatalog(c *crew, files *schema, part string, lis net.Listener, orders string, goods *warehouse) error {
	conn, err := dialRPC(c, orders)
	if err != nil {
		return err
	}
	cat := &catalog{goods: goods, orders: conn, getOrder: files.orders.Methods().ByName("GetOrder")}
	h, err := cat.handler()
	if err != nil {
		return err
	}
	serveHTTP(c, lis, part, h)
	return nil
}

// startStaging starts the twin that recorded traffic can be replayed into.
func (s *Shop) startStaging(files *schema, o Options) error {
	c := s.crew
	var lis [4]net.Listener
	for i := range lis {
		var err error
		if lis[i], err = listen(c); err != nil {
			return err
		}
	}
	orders, payments, catalog, front := lis[0], lis[1], lis[2], lis[3]
	b, err := startBackend(c, files, backendPlan{
		name: "staging", orders: orders, payments: payments, paymentsVia: payments.Addr().String(), now: o.Now,
	})
	if err != nil {
		return err
	}
	s.addresses["staging-kafka"] = b.kafka
	s.addresses["staging-orders"] = orders.Addr().String()
	s.addresses["staging-api"] = front.Addr().String()
	if err := startCatalog(c, files, "staging-graphql", catalog, orders.Addr().String(), b.goods); err != nil {
		return err
	}
	return startAPI(c, files, "staging-api", front, orders.Addr().String(), catalog.Addr().String())
}

// startRegistry starts the registry and registers every member there.
func (s *Shop) startRegistry(p *parts) error {
	lis, err := listen(s.crew)
	if err != nil {
		return err
	}
	at := lis.Addr().String()
	s.addresses["shop-registry"] = at
	reg := registry.New("shop-node-1", lis.Addr().(*net.TCPAddr).Port)
	s.crew.run("shop-registry", reg.Run)
	serveHTTP(s.crew, lis, "shop-registry", reg.Handler())
	ghost, err := haunt(s.crew, at)
	if err != nil {
		return err
	}
	r := &registrar{base: "http://" + at, client: newClient(s.crew), members: p.members, flaky: p.flaky}
	if err := r.open(s.crew.ctx, ghost); err != nil {
		return fmt.Errorf("registering the services: %w", err)
	}
	s.crew.run("the registrar", r.run)
	return nil
}

// startWorkers writes the history and returns when both consumer groups have
// worked through it.
func (s *Shop) startWorkers(p *parts, o Options, opened time.Time) error {
	old, err := p.backend.orders.relive(o.Seed, opened)
	if err != nil {
		return err
	}
	if err := p.backend.producer.ProduceSync(s.crew.ctx, old.records...).FirstErr(); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	bill, err := newWorker(s.crew, p.backend.kafka, "billing", topicCreated)
	if err != nil {
		return err
	}
	bill.handle, bill.stalls, bill.await = billing(o.Now, opened), billingStalls, old.created
	ship, err := newWorker(s.crew, p.backend.kafka, "shipping", topicCaptured)
	if err != nil {
		return err
	}
	ship.handle, ship.await = shipping, old.paid
	for _, w := range []*worker{bill, ship} {
		s.crew.run("the group "+w.group, w.run)
	}
	for _, w := range []*worker{bill, ship} {
		select {
		case <-w.reached:
		case <-s.crew.ctx.Done():
			return context.Cause(s.crew.ctx)
		}
	}
	return nil
}

// newClient returns an HTTP client with connections of its own.
func newClient(c *crew) *http.Client {
	return &http.Client{Transport: newTransport(c)}
}
