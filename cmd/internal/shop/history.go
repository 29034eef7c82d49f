package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc/status"
)

// historyOrders is how many customers came before the shop was opened to
// view, one a second.
const (
	historyOrders = 240
	historyEvery  = time.Second
)

// past is what these customers left.
type past struct {
	records []*kgo.Record // on orders.created and orders.dlq, in order
	created int           // of them on orders.created
	paid    int
}

// relive stores the orders of the time before opened, as the services would
// have, and returns the messages they would have sent.
func (s *ordersService) relive(seed int64, opened time.Time) (past, error) {
	var p past
	for n := 1; n <= historyOrders; n++ {
		at := opened.Add(time.Duration(n-historyOrders-1) * historyEvery).UTC()
		c := planCheckout(seed, n)
		if turnedAway(seed, c.request) == 0 {
			record, paid, err := s.reliveOne(c, at)
			if err != nil {
				return p, fmt.Errorf("making up order %d: %w", n, err)
			}
			p.records = append(p.records, record)
			if paid {
				p.paid++
			}
		}
		p.records = append(p.records, oddities(seed, n, at)...)
	}
	for _, r := range p.records {
		if r.Topic == topicCreated {
			p.created++
		}
	}
	return p, nil
}

func (s *ordersService) reliveOne(c checkout, at time.Time) (r *kgo.Record, paid bool, err error) {
	o := c.order
	if err := price(&o); err != nil {
		return nil, false, err
	}
	o.CreatedAt, o.Status = at, statusPaid
	ctx := withTrace(context.Background(), c.spanOfOrders())
	if refused := decide(o.ID, o.Card); refused != nil {
		o.Status = statusDeclined
		s.store.add(o)
		r, err = declinedRecord(ctx, o, status.Convert(refused))
		return r, false, err
	}
	s.store.add(o)
	s.goods.take(o.Lines)
	r, err = createdRecord(ctx, o)
	return r, true, err
}

// spanOfOrders is the span a checkout has when it reaches the orders service,
// by way of the gateway and the API.
func (c checkout) spanOfOrders() trace {
	return c.trace.child("shop-gateway").child("shop-api").child("shop-orders")
}
