package shop

import (
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// backend is what both the shop and its staging twin have behind their API: a
// broker, the orders and the payments service.
type backend struct {
	kafka    string // the broker's address
	producer *kgo.Client
	orders   *ordersService
	goods    *warehouse
}

// backendPlan says where a backend's parts listen and how orders reaches
// payments.
type backendPlan struct {
	name             string // such as shop or staging
	orders, payments net.Listener
	paymentsVia      string
	now              func() time.Time
}

func startBackend(c *crew, files *schema, p backendPlan) (*backend, error) {
	b := &backend{goods: newWarehouse()}
	var err error
	if b.kafka, err = startBroker(c, p.name); err != nil {
		return nil, err
	}
	// A message is worth more at once than in company.
	if b.producer, err = dialBroker(c, b.kafka, p.name+"-orders", kgo.ProducerLinger(0)); err != nil {
		return nil, err
	}
	pay, err := dialRPC(c, p.paymentsVia)
	if err != nil {
		return nil, err
	}
	b.orders = &ordersService{
		store: newStore(), goods: b.goods, publisher: &publisher{client: b.producer},
		pay: pay, authorize: files.payments.Methods().ByName("Authorize"), now: p.now,
	}
	serveRPC(c, p.orders, files, p.name+"-orders", b.orders.desc(files.orders))
	serveRPC(c, p.payments, files, p.name+"-payments", (&payments{now: p.now}).desc(files.payments))
	return b, nil
}
