package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// storefront is the shop's customers.
type storefront struct {
	seed    int64
	rate    float64 // orders per second
	gateway string  // http://host:port
	client  *http.Client
	kafka   *kgo.Client // the old till's
	now     func() time.Time
}

// atOnce bounds the customers in the shop. More would mean that the machine
// cannot keep up; those who do not fit come later.
const atOnce = 32

// run sends customers at the given rate, on an absolute schedule: one who is
// slow delays nobody.
func (s *storefront) run(ctx context.Context) error {
	var inside sync.WaitGroup
	defer inside.Wait()
	places := make(chan struct{}, atOnce)
	every := time.Duration(float64(time.Second) / s.rate)
	next := time.Now()
	for n := historyOrders + 1; ; n++ {
		next = next.Add(every)
		if sleep(ctx, time.Until(next)) != nil {
			return nil
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		inside.Go(func() {
			defer func() { <-places }()
			s.visit(ctx, planCheckout(s.seed, n))
			if odd := oddities(s.seed, n, s.now().UTC()); len(odd) > 0 {
				s.kafka.ProduceSync(ctx, odd...)
			}
		})
	}
}

// visit is one customer's. What fails is told by the answers, the trace and
// the dead letters; the customer leaves.
func (s *storefront) visit(ctx context.Context, c checkout) {
	if c.look != "" {
		s.request(ctx, c, http.MethodGet, "/stock/"+c.look, nil, c.request+"-look")
	}
	body, err := json.Marshal(c.order)
	if err != nil {
		return
	}
	s.request(ctx, c, http.MethodPost, "/orders", body, c.request)
	if c.reread {
		s.request(ctx, c, http.MethodGet, "/orders/"+c.order.ID, nil, c.request+"-reread")
	}
}

func (s *storefront) request(ctx context.Context, c checkout, method, path string, body []byte, id string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.gateway+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "shop-storefront/3.2")
	req.Header.Set("X-Request-Id", id)
	req.Header.Set("X-Tenant", c.order.Tenant)
	req.Header.Set("Traceparent", c.trace.header())
	res, err := s.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("calling %s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
