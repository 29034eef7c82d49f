package shop

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The card tokens with a fate. As with a real provider's test cards, the
// caller chooses what goes wrong, so nothing goes wrong by surprise.
const (
	cardDeclined = "tok_declined"
	cardFlaky    = "tok_flaky"
	cardSlow     = "tok_slow"
)

type authorizeRequest struct {
	OrderID string `json:"order_id"`
	Amount  *money `json:"amount"`
	Card    string `json:"card"`
}

type authorization struct {
	ID           string    `json:"id"`
	OrderID      string    `json:"order_id"`
	AuthorizedAt time.Time `json:"authorized_at"`
}

// payments is the service shop.payments.v1.Payments.
type payments struct {
	now func() time.Time
}

func (p *payments) desc(sd protoreflect.ServiceDescriptor) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: string(sd.FullName()),
		Methods:     []grpc.MethodDesc{unary(sd.Methods().ByName("Authorize"), p.authorize)},
		Metadata:    sd.ParentFile().Path(),
	}
}

func (p *payments) authorize(ctx context.Context, req authorizeRequest) (authorization, error) {
	var missing []*errdetails.BadRequest_FieldViolation
	if req.OrderID == "" {
		missing = append(missing, violation("order_id", "must not be empty"))
	}
	if req.Amount == nil || req.Amount.Cents <= 0 {
		missing = append(missing, violation("amount.cents", "must be above 0"))
	}
	if len(missing) > 0 {
		return authorization{}, badRequest("the payment is incomplete", missing)
	}
	if err := decide(req.OrderID, req.Card); err != nil {
		return authorization{}, err
	}
	if req.Card == cardSlow {
		if err := sleep(ctx, 600*time.Millisecond+rand.N(900*time.Millisecond)); err != nil {
			return authorization{}, status.FromContextError(err).Err()
		}
	}
	return authorization{ID: "auth-" + req.OrderID, OrderID: req.OrderID, AuthorizedAt: p.now().UTC()}, nil
}

// decide is the provider's answer to a card.
func decide(orderID, card string) error {
	const domain = "payments.shop.example"
	switch card {
	case cardDeclined:
		return refusal(codes.FailedPrecondition, "the card was declined",
			&errdetails.ErrorInfo{Reason: "CARD_DECLINED", Domain: domain, Metadata: map[string]string{"order_id": orderID}},
			&errdetails.LocalizedMessage{Locale: "en-GB", Message: "Your bank declined this payment. Please try another card."})
	case cardFlaky:
		return refusal(codes.Unavailable, "the payment provider does not answer",
			&errdetails.ErrorInfo{Reason: "PROVIDER_UNAVAILABLE", Domain: domain, Metadata: map[string]string{"order_id": orderID}},
			&errdetails.RetryInfo{RetryDelay: durationpb.New(2 * time.Second)})
	}
	return nil
}

func refusal(code codes.Code, text string, details ...protoadapt.MessageV1) error {
	st := status.New(code, text)
	if full, err := st.WithDetails(details...); err == nil {
		st = full
	}
	return st.Err()
}

func violation(field, text string) *errdetails.BadRequest_FieldViolation {
	return &errdetails.BadRequest_FieldViolation{Field: field, Description: text}
}

func badRequest(text string, fields []*errdetails.BadRequest_FieldViolation) error {
	return refusal(codes.InvalidArgument, text, &errdetails.BadRequest{FieldViolations: fields})
}

// sleep waits for d or for the context's end, whichever is first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
