// Package proxy captures HTTP and gRPC traffic as a reverse proxy: HTTP/1.1 and
// HTTP/2 without TLS towards the clients, the same or TLS towards the upstream.
//
// Bytes pass through as they come; nothing waits for the end of a body, and a
// stream is recorded while it is open. Each call becomes Request, Response and
// End records, for gRPC one record a message. Its records replay through the
// http and grpc drivers.
//
// By file: proxy.go serves, exchange.go follows one call, tee.go watches a body
// go by, message.go cuts it into HTTP bodies, server-sent events or gRPC
// messages, status.go says how the call ended.
package proxy
