package graphql

import (
	"context"
	"net/url"
	"strings"

	"iscope/probes"
)

// Names of options.
const (
	optSchema        = "schema"
	optDepth         = "depth"
	optSubscriptions = "subscriptions"
)

// Attributes, the first two of OpenTelemetry's registry.
const (
	attrOperationType = "graphql.operation.type"
	attrOperationName = "graphql.operation.name"
	// attrFallback says which way of subscribing was tried before and why it
	// failed.
	attrFallback = "iscope.graphql.fallback"
)

// Driver describes the driver for GraphQL servers.
func Driver() probes.Driver {
	return probes.Driver{
		Name: "graphql",
		Doc: "GraphQL: queries, mutations and subscriptions from the schema, each with a query to start from, variables " +
			"checked before they are sent, errors by their path beside the data. Subscriptions over WebSocket " +
			"(graphql-transport-ws, graphql-ws) or server-sent events. Auth: basic (username, password), bearer (token) or a header " +
			"of your choice (token, header); it is also the payload of connection_init. The path of the target's URL is the endpoint.",
		Impact: "Asks for the schema by introspection and for __typename as a check, trying four paths where the URL has none; " +
			"calls only what you ask for.",
		Schemes: []probes.Scheme{{Name: "graphql"}, {Name: "graphqls", TLS: true}},
		Columns: []probes.Column{
			{Title: "STATUS", Attr: probes.AttrStatus, Width: 16},
			{Title: "TYPE", Attr: attrOperationType, Width: 12},
			{Title: "OPERATION", Attr: attrOperationName, Width: 24},
			{Title: "MS", Attr: probes.TimingTotal, Width: 9, Right: true},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 40},
		},
		Options: []probes.Option{
			{Name: optSchema, Type: "string", Doc: "a local file with the schema, for servers that refuse introspection: " +
				"SDL (./shop.graphql) or the JSON of an introspection"},
			{Name: optDepth, Type: "int", Default: "2", Doc: "how deep the queries made from the schema go, 1 to 10"},
			{Name: optSubscriptions, Type: "string", Default: "auto", Doc: "auto: WebSocket, and server-sent events where that is refused; " +
				"ws or sse: only that; ws:/PATH where WebSockets have a path of their own"},
		},
		Open:       open,
		URLSubject: urlSubject,
	}
}

func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	p, err := newProbe(t)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// urlSubject makes the path of a URL given on the spot the endpoint. An
// operation follows it as a last segment with a space
// (graphql://host/graphql/query orders), or as the fragment.
func urlSubject(t *probes.Target, u *url.URL) string {
	path, subject := u.EscapedPath(), u.Fragment
	if i := strings.LastIndexByte(path, '/'); i >= 0 && subject == "" {
		if last, err := url.PathUnescape(path[i+1:]); err == nil {
			if kind, _, ok := strings.Cut(last, " "); ok && isKind(kind) {
				path, subject = path[:i], last
			}
		}
	}
	t.Address += path
	if u.RawQuery != "" {
		t.Address += "?" + u.RawQuery
	}
	return subject
}
