package probes

import "context"

// Contracter gives the whole contract of a target at once, for comparing it
// with another and for keeping it in a file.
type Contracter interface {
	// Contract blocks until all of it is there. Schema.Data is its machine form:
	// a FileDescriptorSet ("protobuf", dependencies first), the OpenAPI document
	// as JSON ("openapi"), a GraphQL schema as SDL ("graphql").
	Contract(ctx context.Context) (Schema, error)
}
