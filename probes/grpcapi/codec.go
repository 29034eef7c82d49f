package grpcapi

import (
	"google.golang.org/grpc/encoding"
	// Linked in to read what servers compress.
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
)

// wire is one message as it travels. Calls move bytes and leave the schema to
// parse.go and decode.go: an answer that does not fit its descriptor then is a
// visible record instead of a failed call, nothing is decoded twice, and the
// bytes are at hand for a faithful replay.
type wire struct{ bytes []byte }

// rawCodec sends and receives *wire. Its name is empty so that calls carry the
// content-type application/grpc, which strict proxies expect, and not
// application/grpc+something.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

func (rawCodec) Name() string { return "" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.(*wire).bytes)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	v.(*wire).bytes = data.Materialize()
	return nil
}
