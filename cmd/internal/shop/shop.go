// Package shop is the system that iscope's demo shows: a small shop whose
// parts speak Kafka, gRPC, HTTP, GraphQL and Consul's API to each other over
// loopback sockets, with customers, failures, slow calls, unreadable messages,
// a lagging consumer and an instance that is registered but gone.
//
// It is something to look at, not a part of iscope: it imports nothing of
// iscope but its own registry, and iscope sees it over the network only. The
// same seed makes the same shop: the same orders, keys, failures and traces;
// only their timing differs.
package shop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"time"
)

// Options say which shop to start. The zero value is a good one.
type Options struct {
	// Seed chooses the customers and their fates.
	Seed int64
	// Rate is in orders per second; 0 means 20.
	Rate float64
	// Dir is where iscope.yaml is written. It must exist; "" means a temporary
	// folder that Close removes.
	Dir string
	// Now is the shop's clock for timestamps; nil means time.Now.
	Now func() time.Time
}

const defaultRate = 20

// Shop is a running shop.
type Shop struct {
	crew      *crew
	addresses map[string]string
	config    string
}

// Start starts a shop and returns when every part answers and its history has
// been worked through. The shop runs until Close is called or ctx ends; Close
// must be called in both cases.
func Start(ctx context.Context, o Options) (*Shop, error) {
	if o.Rate == 0 {
		o.Rate = defaultRate
	}
	if o.Rate < 0 || o.Rate > 1000 {
		return nil, fmt.Errorf("starting the shop: a rate of %g orders per second is not between 0 and 1000", o.Rate)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Shop{crew: newCrew(ctx), addresses: map[string]string{}}
	if err := s.open(o); err != nil {
		if cause := context.Cause(s.crew.ctx); cause != nil {
			err = cause // a part that failed explains more than who missed it
		}
		s.Close()
		return nil, fmt.Errorf("starting the shop: %w", err)
	}
	return s, nil
}

// Addresses maps the name of every target to its host:port.
func (s *Shop) Addresses() map[string]string { return maps.Clone(s.addresses) }

// ConfigPath is the configuration file that names the shop's targets.
func (s *Shop) ConfigPath() string { return s.config }

// Wait returns when the shop stops: nil after Close or the end of the context
// it was started with, else what made it stop.
func (s *Shop) Wait() error {
	<-s.crew.ctx.Done()
	err := context.Cause(s.crew.ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Close stops the shop and returns when all its goroutines have ended and all
// its ports are closed. It may be called more than once.
func (s *Shop) Close() { s.crew.stop() }

// open starts all parts.
func (s *Shop) open(o Options) error {
	opened := o.Now()
	files, err := compileSchema(s.crew.ctx)
	if err != nil {
		return err
	}
	p, err := s.startServices(files, o)
	if err != nil {
		return err
	}
	if err := s.startRegistry(p); err != nil {
		return err
	}
	if err := s.startStaging(files, o); err != nil {
		return err
	}
	if err := s.startWorkers(p, o, opened); err != nil {
		return err
	}
	if err := s.writeConfig(o.Dir); err != nil {
		return err
	}
	front := &storefront{
		seed: o.Seed, rate: o.Rate, gateway: "http://" + p.gateway.address,
		client: newClient(s.crew), kafka: p.backend.producer, now: o.Now,
	}
	s.crew.run("the storefront", front.run)
	return s.crew.ctx.Err()
}

func (s *Shop) writeConfig(dir string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "iscope-shop-*"); err != nil {
			return fmt.Errorf("making a folder for the configuration: %w", err)
		}
		s.crew.after(func() { os.RemoveAll(dir) })
	}
	at := s.addresses
	s.config, err = writeConfig(dir, []target{
		{name: "shop-kafka", url: "kafka://" + at["shop-kafka"], note: "Kafka: orders.created, payments.captured, orders.dlq"},
		{name: "shop-orders", url: "grpc://" + at["shop-orders"], note: "gRPC: shop.orders.v1.Orders"},
		{name: "shop-payments", url: "grpc://" + at["shop-payments"], note: "gRPC: shop.payments.v1.Payments"},
		{name: "shop-gateway", url: "http://" + at["shop-gateway"], options: "{openapi: /openapi.json}", note: "HTTP: the front door"},
		{name: "shop-api", url: "http://" + at["shop-api"], options: "{openapi: /openapi.json}", note: "HTTP: the API behind it"},
		{name: "shop-graphql", url: "graphql://" + at["shop-graphql"] + "/graphql", note: "GraphQL: the catalogue"},
		{name: "shop-registry", url: "consul://" + at["shop-registry"], note: "Consul's API: who is where"},
		{name: "staging-kafka", url: "kafka://" + at["staging-kafka"], note: "The staging twin, to replay into"},
		{name: "staging-orders", url: "grpc://" + at["staging-orders"], note: "gRPC: shop.orders.v1.Orders, staging"},
		{name: "staging-api", url: "http://" + at["staging-api"], options: "{openapi: /openapi.json}", note: "HTTP: the API, staging"},
	})
	return err
}
