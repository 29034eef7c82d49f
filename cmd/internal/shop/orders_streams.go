package shop

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc/status"
)

type watchOrdersRequest struct {
	Last   int32  `json:"last"`
	Limit  int32  `json:"limit"`
	Tenant string `json:"tenant"`
}

type orderEvent struct {
	Sequence uint64 `json:"sequence"`
	Order    order  `json:"order"`
}

// watch is the server stream WatchOrders.
func (s *ordersService) watch(st stream[watchOrdersRequest, orderEvent]) error {
	req, err := st.recv()
	if err != nil {
		return err
	}
	if req.Limit == 0 {
		req.Limit = 10 // a stream that is called by chance ends by itself
	}
	next := s.store.end()
	next -= min(next, uint64(max(req.Last, 0)))
	for sent := int32(0); req.Limit < 0 || sent < req.Limit; next++ {
		o, seq, err := s.store.at(st.Context(), next)
		if err != nil {
			return status.FromContextError(err).Err()
		}
		next = seq
		if req.Tenant != "" && o.Tenant != req.Tenant {
			continue
		}
		if err := st.send(orderEvent{seq, o}); err != nil {
			return err
		}
		sent++
	}
	return nil
}

type importSummary struct {
	Imported int32       `json:"imported"`
	Known    int32       `json:"known"`
	Rejected []rejection `json:"rejected"`
}

type rejection struct {
	Position int32  `json:"position"`
	Reason   string `json:"reason"`
}

// take is the client stream ImportOrders.
func (s *ordersService) take(st stream[order, importSummary]) error {
	var sum importSummary
	for i := int32(0); ; i++ {
		o, err := st.recv()
		if errors.Is(err, io.EOF) {
			return st.send(sum)
		}
		if err != nil {
			return err
		}
		if o.ID == "" {
			sum.Rejected = append(sum.Rejected, rejection{i, "an imported order needs its id"})
			continue
		}
		if err := price(&o); err != nil {
			sum.Rejected = append(sum.Rejected, rejection{i, status.Convert(err).Message()})
			continue
		}
		o.Status, o.CreatedAt = statusImported, s.now().UTC()
		if _, added := s.store.add(o); added {
			sum.Imported++
		} else {
			sum.Known++
		}
	}
}

type offer struct {
	SKU       string `json:"sku"`
	Quantity  int32  `json:"quantity"`
	UnitPrice *money `json:"unit_price"`
}

// counterOffer holds exactly one of the three answers.
type counterOffer struct {
	Round    int32  `json:"round"`
	Accepted *money `json:"accepted,omitempty"`
	Asked    *money `json:"asked,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

// negotiate is the bidirectional stream Negotiate.
func (s *ordersService) negotiate(st stream[offer, counterOffer]) error {
	for round := int32(1); ; round++ {
		o, err := st.recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := haggle(o, round)
		answer.Round = round
		if err := st.send(answer); err != nil {
			return err
		}
	}
}

// haggle gives up to 20 % off for quantity, and a little more each round.
func haggle(o offer, round int32) counterOffer {
	p, ok := findProduct(o.SKU)
	if !ok {
		return counterOffer{Refused: fmt.Sprintf("there is no article %q", o.SKU)}
	}
	if o.Quantity < 1 {
		return counterOffer{Refused: "nobody sells less than one piece"}
	}
	percent := min(Cents(o.Quantity), 20) + min(Cents(round), 5) - 1
	lowest := p.Price * (100 - percent) / 100
	if o.UnitPrice != nil && o.UnitPrice.Cents >= lowest {
		return counterOffer{Accepted: &money{o.UnitPrice.Cents, currency}}
	}
	return counterOffer{Asked: &money{lowest, currency}}
}
