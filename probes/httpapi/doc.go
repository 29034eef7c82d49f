// Package httpapi is the driver for HTTP APIs: it reads a server's OpenAPI
// document (2.0, 3.0, 3.1), lists its operations and calls them, or any method
// and path written by hand, with timings. Server-sent events and WebSockets are
// streams of records.
//
// # Methods, paths and the base
//
// A target is scheme, host and port, and optionally a base path
// (http://127.0.0.1:8080/api). Every path of a method is relative to that
// base: "GET /orders/{id}" is the operation of the document, "GET /orders/5?x=1"
// the same with its values in place, "WS /chat" (or GET ws://host/chat) a
// WebSocket. The path of the document's server entry is part of the operation's
// path, unless the base already says it; its host is shown and never called:
// requests go to the target alone, and to where redirects lead if the caller
// allows some.
//
// A URL given on the spot has no base. Its path becomes the subject
// "GET /orders/5?x=1", so that such a URL can be called as it is; a path that
// starts with a method ("http://host/POST /orders") names that method, and a
// path that ends like a document (openapi.json) is also used as the document.
//
// # The document
//
// A document stays the tree it was read into. Keywords of the wrong kind and
// references that lead nowhere are taken out of it with a warning; what a list
// does not show is made when it is asked for, so that GitHub's thirteen megabytes
// are listed in a quarter of a second. References to other files are followed
// from a local file to local files only.
//
// # The contract
//
// A request is held against the document before it is sent. What breaks it is an
// ErrUsage that names all of it, or stays on the Request where the call is
// forced; what an answer breaks is on the Response (probes.AttrViolation, as
// "body/lines/0/sku: rule"). Bodies above a megabyte are not looked into, and
// that is said. A security scheme that nobody has credentials for is named on the
// Request and stops nothing: gateways and certificates satisfy schemes that
// documents know nothing of.
//
// # What is recorded
//
// Source.Subject of a record is the request line relative to the base, values
// in place: enough to call again. The operation it belongs to is the attribute
// http.route. Credentials and API keys are sent and never recorded.
package httpapi
