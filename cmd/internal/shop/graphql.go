package shop

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/graph-gophers/graphql-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

//go:embed catalog.graphql
var catalogSchema string

//go:embed catalog.openapi.json
var catalogOpenAPI []byte

// catalog answers the GraphQL queries.
type catalog struct {
	goods    *warehouse
	orders   grpc.ClientConnInterface
	getOrder protoreflect.MethodDescriptor
}

// handler serves GraphQL over HTTP at /graphql, and for tools that know HTTP
// only an OpenAPI document of that one operation.
func (c *catalog) handler() (http.Handler, error) {
	parsed, err := graphql.ParseSchema(catalogSchema, c, graphql.UseFieldResolvers(), graphql.UseStringDescriptions(), graphql.MaxDepth(20))
	if err != nil {
		return nil, fmt.Errorf("parsing catalog.graphql: %w", err)
	}
	mux := http.NewServeMux()
	query := func(w http.ResponseWriter, r *http.Request) { serveGraphQL(parsed, w, r) }
	for _, path := range []string{"/graphql", "/graphql/{$}"} {
		mux.HandleFunc("GET "+path, query)
		mux.HandleFunc("POST "+path, query)
	}
	document := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(catalogOpenAPI)
	}
	mux.HandleFunc("GET /openapi.json", document)
	mux.HandleFunc("GET /graphql/openapi.json", document)
	return mux, nil
}

// serveGraphQL follows the GraphQL over HTTP draft for application/json: a
// request that is understood gets 200, even where its query fails.
func serveGraphQL(s *graphql.Schema, w http.ResponseWriter, r *http.Request) {
	var req struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	if r.Method == http.MethodGet {
		req.Query = r.URL.Query().Get("query")
		req.OperationName = r.URL.Query().Get("operationName")
		if v := r.URL.Query().Get("variables"); v != "" {
			if err := json.Unmarshal([]byte(v), &req.Variables); err != nil {
				problem(w, http.StatusBadRequest, "Bad variables", err.Error())
				return
			}
		}
	} else if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&req); err != nil {
		problem(w, http.StatusBadRequest, "Bad request", "the body is not a GraphQL request: "+err.Error())
		return
	}
	if req.Query == "" {
		problem(w, http.StatusBadRequest, "No query", "there is nothing in the field query")
		return
	}
	writeJSON(w, http.StatusOK, s.Exec(r.Context(), req.Query, req.OperationName, req.Variables))
}

// productView is the GraphQL type Product.
type productView struct {
	product
	goods *warehouse
}

func (p productView) SKU() graphql.ID  { return graphql.ID(p.product.SKU) }
func (p productView) Price() moneyView { return moneyView{int32(p.product.Price), currency} }
func (p productView) Stock() int32     { return p.goods.stock(p.product.SKU) }

type moneyView struct {
	Cents    int32
	Currency string
}

// Products lists the articles.
func (c *catalog) Products(args struct {
	Tag   *string
	First int32
}) []productView {
	var found []productView
	for _, p := range products {
		if args.Tag != nil && !slices.Contains(p.Tags, *args.Tag) {
			continue
		}
		if int32(len(found)) < args.First {
			found = append(found, productView{p, c.goods})
		}
	}
	return found
}

// Product finds one article.
func (c *catalog) Product(args struct{ SKU graphql.ID }) *productView {
	p, ok := findProduct(string(args.SKU))
	if !ok {
		return nil
	}
	return &productView{p, c.goods}
}

// Order asks the gRPC service.
func (c *catalog) Order(ctx context.Context, args struct{ ID graphql.ID }) (*orderView, error) {
	var o order
	err := call(ctx, c.orders, c.getOrder, getOrderRequest{string(args.ID)}, &o)
	if status.Code(err) == codes.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &orderView{o, c.goods}, nil
}

// orderView is the GraphQL type Order.
type orderView struct {
	order
	goods *warehouse
}

func (o *orderView) ID() graphql.ID { return graphql.ID(o.order.ID) }

func (o *orderView) Note() *string {
	if o.order.Note == "" {
		return nil
	}
	return &o.order.Note
}

func (o *orderView) Total() moneyView {
	if o.order.Total == nil {
		return moneyView{Currency: currency}
	}
	return moneyView{int32(o.order.Total.Cents), o.order.Total.Currency}
}

func (o *orderView) CreatedAt() string { return o.order.CreatedAt.Format(time.RFC3339Nano) }

func (o *orderView) Lines() []lineView {
	lines := make([]lineView, len(o.order.Lines))
	for i, l := range o.order.Lines {
		p, _ := findProduct(l.SKU)
		lines[i] = lineView{productView{p, o.goods}, l.Quantity}
	}
	return lines
}

type lineView struct {
	Product  productView
	Quantity int32
}
