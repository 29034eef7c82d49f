package shop

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// firstAssigned is the number before the first order id that the shop assigns
// itself, well above those of the planned customers.
const firstAssigned = 9000000

// ordersService is shop.orders.v1.Orders.
type ordersService struct {
	store     *store
	goods     *warehouse
	publisher *publisher
	pay       grpc.ClientConnInterface
	authorize protoreflect.MethodDescriptor
	now       func() time.Time
	assigned  atomic.Int64
}

func (s *ordersService) desc(sd protoreflect.ServiceDescriptor) *grpc.ServiceDesc {
	method := func(name protoreflect.Name) protoreflect.MethodDescriptor {
		return sd.Methods().ByName(name)
	}
	return &grpc.ServiceDesc{
		ServiceName: string(sd.FullName()),
		Methods: []grpc.MethodDesc{
			unary(method("PlaceOrder"), s.place),
			unary(method("GetOrder"), s.get),
			unary(method("ListOrders"), s.list),
		},
		Streams: []grpc.StreamDesc{
			streaming(method("WatchOrders"), s.watch),
			streaming(method("ImportOrders"), s.take),
			streaming(method("Negotiate"), s.negotiate),
		},
		Metadata: sd.ParentFile().Path(),
	}
}

type placeOrderRequest struct {
	Order *order `json:"order"`
}

func (s *ordersService) place(ctx context.Context, req placeOrderRequest) (order, error) {
	if req.Order == nil {
		return order{}, badRequest("there is no order", []*errdetails.BadRequest_FieldViolation{violation("order", "must be set")})
	}
	o := *req.Order
	if known, ok := s.store.get(o.ID); ok {
		return known, nil
	}
	if o.ID == "" {
		o.ID = fmt.Sprintf("ord-%d", firstAssigned+s.assigned.Add(1))
	}
	if err := price(&o); err != nil {
		return order{}, err
	}
	o.CreatedAt = s.now().UTC()

	refused := call(ctx, s.pay, s.authorize, authorizeRequest{OrderID: o.ID, Amount: o.Total, Card: o.Card}, &authorization{})
	return s.settle(ctx, o, refused)
}

// settle stores and announces an order after its payment was authorised or
// refused. The refusal, with its details, is what the caller gets.
func (s *ordersService) settle(ctx context.Context, o order, refused error) (order, error) {
	o.Status = statusPaid
	if refused != nil {
		o.Status = statusDeclined
	}
	stored, added := s.store.add(o)
	if !added {
		return stored, nil // placed twice at once: the first one counts
	}
	if refused != nil {
		if err := s.publisher.declined(ctx, o, status.Convert(refused)); err != nil {
			return order{}, status.Errorf(codes.Unavailable, "recording the refused order %s: %v", o.ID, err)
		}
		return order{}, refused
	}
	s.goods.take(o.Lines)
	if err := s.publisher.created(ctx, o); err != nil {
		return order{}, status.Errorf(codes.Unavailable, "announcing order %s: %v", o.ID, err)
	}
	return o, nil
}

// price fills in what the customer may not choose, or says what is wrong.
func price(o *order) error {
	var wrong []*errdetails.BadRequest_FieldViolation
	if len(o.Lines) == 0 {
		wrong = append(wrong, violation("order.lines", "must not be empty"))
	}
	total := Cents(0)
	lines := make([]line, len(o.Lines))
	for i, l := range o.Lines {
		p, ok := findProduct(l.SKU)
		if !ok {
			wrong = append(wrong, violation(fmt.Sprintf("order.lines[%d].sku", i), fmt.Sprintf("there is no article %q", l.SKU)))
		}
		if l.Quantity < 1 || l.Quantity > 1000 {
			wrong = append(wrong, violation(fmt.Sprintf("order.lines[%d].quantity", i), "must be between 1 and 1000"))
		}
		lines[i] = line{SKU: p.SKU, Quantity: l.Quantity, UnitPrice: &money{p.Price, currency}}
		total += p.Price * Cents(l.Quantity)
	}
	if wrong != nil {
		return badRequest("the order cannot be taken", wrong)
	}
	o.Lines, o.Total = lines, &money{total, currency}
	if o.Customer == "" {
		o.Customer = "guest"
	}
	if o.Tenant == "" {
		o.Tenant = "eu"
	}
	return nil
}

type getOrderRequest struct {
	ID string `json:"id"`
}

func (s *ordersService) get(_ context.Context, req getOrderRequest) (order, error) {
	if req.ID == "" {
		return order{}, badRequest("which order?", []*errdetails.BadRequest_FieldViolation{violation("id", "must not be empty")})
	}
	o, ok := s.store.get(req.ID)
	if !ok {
		return order{}, refusal(codes.NotFound, fmt.Sprintf("there is no order %q", req.ID),
			&errdetails.ResourceInfo{ResourceType: "shop.orders.v1.Order", ResourceName: req.ID})
	}
	return o, nil
}

type listOrdersRequest struct {
	Limit  int32  `json:"limit"`
	Status string `json:"status,omitempty"`
}

type listOrdersResponse struct {
	Orders []order `json:"orders"`
}

func (s *ordersService) list(_ context.Context, req listOrdersRequest) (listOrdersResponse, error) {
	limit := int(req.Limit)
	if limit <= 0 {
		limit = 20
	}
	found := s.store.latest(min(limit, 500), func(o order) bool {
		return req.Status == "" || o.Status == req.Status
	})
	return listOrdersResponse{found}, nil
}
