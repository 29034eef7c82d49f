// Package graphql is the driver for GraphQL servers: it reads a schema by
// introspection or from a file, lists the fields of its root types as methods,
// makes the query of a call from the schema, and calls: queries and mutations
// over HTTP, subscriptions over WebSocket (graphql-transport-ws and the older
// graphql-ws) or server-sent events.
//
// # Methods
//
// A method is a root field: "query order", "mutation createOrder",
// "subscription orders". The name alone ("order") is taken where only one root
// type has such a field. "query", "mutation" and "subscription" are calls whose
// document is written by hand, and a GraphQL document ("{ orders { id } }") is
// taken as a method as well; its variables are then the request document.
//
// # The request document
//
// It is JSON, in one of two forms. The first is what GraphQL over HTTP sends:
//
//	{"query": "...", "variables": {...}, "operationName": "...", "extensions": {...}}
//
// where query may be left out: it is then made from the schema, as deep as
// "depth" says (or the target's option depth). The second is the variables
// alone: {"id": "A-7"}. An object is in the first form if it has a field
// "variables" or "query" that is no argument of the method, or if its "query" is
// a GraphQL document; an argument called query therefore stays usable.
//
// The query made from a schema has every argument of the root field as a
// variable (those not set keep the server's default), scalars to the chosen
// depth, and fragments for the types of unions and interfaces. Below the root it
// leaves out fields that need arguments, deprecated ones, and types that would
// come round again.
//
// # What is recorded
//
// Source.Subject is the method, Body the JSON as sent: enough to call again. The
// effect that a method declares holds: a document with a mutation is not sent
// under the name of a query, forced or not. Credentials of the target are sent
// and never recorded.
package graphql
