// Package httpapi is the driver for HTTP APIs: it reads a server's OpenAPI
// document (3.0, 3.1, and Swagger 2.0 by conversion), lists its operations and
// calls them, or any method and path written by hand, with timings.
//
// # Methods, paths and the base
//
// A target is scheme, host and port, and optionally a base path
// (http://127.0.0.1:8080/api). Every path of a method is relative to that
// base: "GET /orders/{id}" is the operation of the document, "GET /orders/5?x=1"
// the same with its values in place. The path of the document's server entry
// is part of the operation's path, unless the base already says it; its host is
// shown and never called: requests go to the target alone.
//
// A URL given on the spot has no base. Its path becomes the subject
// "GET /orders/5?x=1", so that such a URL can be called as it is; a path that
// starts with a method ("http://host/POST /orders") names that method, and a
// path that ends like a document (openapi.json) is also used as the document.
//
// # What is recorded
//
// Source.Subject of a record is the request line relative to the base, values
// in place: enough to call again. The operation it belongs to is the attribute
// http.route. Credentials of the target are sent and never recorded.
package httpapi
