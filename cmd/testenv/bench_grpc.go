package main

import (
	"context"
	"encoding/base64"
	"fmt"
)

// unaryRow is a gRPC call from nothing: a process, a connection, reflection, the
// call.
func unaryRow() benchRow {
	calls := func(o benchOptions) int { return o.calls }
	return benchRow{
		name: "grpc-unary", server: "interop", prepare: expectEmptyBodies,
		work: func(o benchOptions) string {
			return fmt.Sprintf("%d unary gRPC calls by reflection, a process each", o.calls)
		},
		sides: []benchSide{
			{tool: iscope, times: calls, read: readDocuments, args: func(s *benchSite) []string {
				return []string{"invoke", "grpc://" + s.addresses["grpc"], unaryMethod, "-d", unaryRequest, "--write", "-o", "text"}
			}},
			{tool: "grpcurl", times: calls, read: readDocuments, args: func(s *benchSite) []string {
				return []string{"-plaintext", "-d", unaryRequest, s.addresses["grpc"], unaryMethod}
			}},
		},
	}
}

const (
	unaryMethod  = "grpc.testing.TestService/UnaryCall"
	unaryBytes   = 1000
	unaryRequest = `{"response_size":1000}`
)

// expectEmptyBodies: the interop server answers with as many zero bytes as it is
// asked for (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md).
func expectEmptyBodies(_ context.Context, s *benchSite) (o outcome, err error) {
	body := base64.StdEncoding.EncodeToString(make([]byte, unaryBytes))
	for range s.opts.calls {
		if err := o.addDocument(map[string]any{"payload": map[string]any{"body": body}}); err != nil {
			return o, err
		}
	}
	return o, nil
}
