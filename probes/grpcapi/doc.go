// Package grpcapi is the driver for gRPC servers. It learns services and
// messages by reflection, from FileDescriptorSets and from .proto files, lists
// them, prints them as .proto text and calls them with JSON, in all four kinds of
// call.
//
// One call, by file: invoke.go prepares it, link.go gives it a connection,
// lookup.go finds the method through reflect.go, parse.go turns JSON into
// messages, call.go sends and receives at the same time, decode.go and
// render.go turn the answers into JSON. fault.go and status.go say what went
// wrong, observe.go keeps the facts they need.
//
// The connection is a grpc.ClientConn, to several instances through balance.go;
// for gRPC-Web and Connect it is the webChannel of web*.go, which looks the same
// to all of the above. What a server does not describe comes from sources.go.
// form.go describes requests for an editor, contract.go all services at once.
package grpcapi
