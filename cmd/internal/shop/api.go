package shop

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

//go:embed openapi.json
var openAPI []byte

// api is the shop's HTTP API. It owns nothing: orders come from the gRPC
// service, stock from the GraphQL one.
type api struct {
	orders  grpc.ClientConnInterface
	service protoreflect.ServiceDescriptor
	stock   func(ctx context.Context, sku string) (level int, found bool, err error)
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(openAPI)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /orders", a.list)
	mux.HandleFunc("POST /orders", a.place)
	mux.HandleFunc("GET /orders/{id}", a.get)
	mux.HandleFunc("GET /stock/{sku}", a.shelf)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "Not found", fmt.Sprintf("there is no %s %s; see /openapi.json", r.Method, r.URL.Path))
	})
	return mux
}

func (a *api) call(ctx context.Context, method protoreflect.Name, req, res any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return call(ctx, a.orders, a.service.Methods().ByName(method), req, res)
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	req := listOrdersRequest{Status: strings.ToUpper(r.URL.Query().Get("status"))}
	switch req.Status {
	case "", statusPaid, statusDeclined, statusImported:
	default:
		problem(w, http.StatusBadRequest, "Bad status", "status must be PAID, DECLINED or IMPORTED")
		return
	}
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 || n > 500 {
			problem(w, http.StatusBadRequest, "Bad limit", "limit must be a number from 1 to 500")
			return
		}
		req.Limit = int32(n)
	}
	var res listOrdersResponse
	if err := a.call(r.Context(), "ListOrders", req, &res); err != nil {
		rpcProblem(w, err)
		return
	}
	if res.Orders == nil {
		res.Orders = []order{}
	}
	writeJSON(w, http.StatusOK, res)
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := a.call(r.Context(), "GetOrder", getOrderRequest{r.PathValue("id")}, &o); err != nil {
		rpcProblem(w, err)
		return
	}
	writeJSON(w, http.StatusOK, o)
}

func (a *api) place(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&o); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			problem(w, http.StatusRequestEntityTooLarge, "Order too large", "an order has at most 1 MiB")
			return
		}
		problem(w, http.StatusBadRequest, "Bad order", "the body is not an order: "+err.Error())
		return
	}
	// What the shop decides is not the customer's to send.
	o = order{ID: o.ID, Customer: o.Customer, Tenant: o.Tenant, Lines: o.Lines, Card: o.Card, Note: o.Note, Labels: o.Labels}
	var placed order
	if err := a.call(r.Context(), "PlaceOrder", placeOrderRequest{&o}, &placed); err != nil {
		rpcProblem(w, err)
		return
	}
	w.Header().Set("Location", "/orders/"+placed.ID)
	writeJSON(w, http.StatusCreated, placed)
}

func (a *api) shelf(w http.ResponseWriter, r *http.Request) {
	sku := r.PathValue("sku")
	level, found, err := a.stock(r.Context(), sku)
	switch {
	case err != nil:
		problem(w, http.StatusBadGateway, "Catalogue unavailable", err.Error())
	case !found:
		problem(w, http.StatusNotFound, "Not found", fmt.Sprintf("there is no article %q", sku))
	default:
		writeJSON(w, http.StatusOK, map[string]any{"sku": sku, "stock": level})
	}
}

// rpcProblem answers with what a gRPC error means in HTTP (the mapping of
// google/rpc/code.proto, and 402 for a card that is refused).
func rpcProblem(w http.ResponseWriter, err error) {
	st := status.Convert(err)
	code := http.StatusInternalServerError
	switch st.Code() {
	case codes.InvalidArgument:
		code = http.StatusBadRequest
	case codes.NotFound:
		code = http.StatusNotFound
	case codes.FailedPrecondition:
		code = http.StatusPaymentRequired
	case codes.DeadlineExceeded:
		code = http.StatusGatewayTimeout
	case codes.Unavailable:
		code = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "2")
	}
	problem(w, code, http.StatusText(code), st.Message())
}
