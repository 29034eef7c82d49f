// Package grpcapi is the driver for gRPC servers. It learns services and
// messages by reflection (or from a FileDescriptorSet), lists them, prints them
// as .proto text and calls them with JSON, in all four kinds of call.
//
// One call, by file: invoke.go prepares it, link.go gives it a connection,
// lookup.go finds the method through reflect.go, parse.go turns JSON into
// messages, call.go sends and receives at the same time, decode.go and
// render.go turn the answers into JSON. fault.go and status.go say what went
// wrong, observe.go keeps the facts they need.
package grpcapi
