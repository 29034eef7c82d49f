package shop

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

//go:embed protos
var protoFiles embed.FS

// schema is the shop's compiled protobuf files. They are compiled at start
// from their text, which keeps the comments that reflection hands out, and
// live in a registry of their own: the program that looks at the shop must not
// find its types by sharing a process with it.
type schema struct {
	files    *protoregistry.Files
	orders   protoreflect.ServiceDescriptor
	payments protoreflect.ServiceDescriptor
}

var _ protodesc.Resolver = (*schema)(nil)

func compileSchema(ctx context.Context) (*schema, error) {
	root, err := fs.Sub(protoFiles, "protos")
	if err != nil {
		return nil, fmt.Errorf("opening the embedded protos: %w", err)
	}
	source := &protocompile.SourceResolver{
		Accessor: func(path string) (io.ReadCloser, error) { return root.Open(path) },
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.CompositeResolver{source, protocompile.ResolverFunc(linked)},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, "shop/orders/v1/orders.proto", "shop/payments/v1/payments.proto")
	if err != nil {
		return nil, fmt.Errorf("compiling the shop's protos: %w", err)
	}
	s := &schema{files: new(protoregistry.Files)}
	for _, f := range files {
		if err := s.files.RegisterFile(f); err != nil {
			return nil, fmt.Errorf("registering %s: %w", f.Path(), err)
		}
	}
	s.orders = files[0].Services().ByName("Orders")
	s.payments = files[1].Services().ByName("Payments")
	return s, nil
}

// linked resolves imports from the files linked into the program
// (google/protobuf/timestamp.proto), which spares compiling them.
func linked(path string) (protocompile.SearchResult, error) {
	f, err := protoregistry.GlobalFiles.FindFileByPath(path)
	return protocompile.SearchResult{Desc: f}, err
}

// FindFileByPath serves reflection: the shop's own files, then those linked
// into the program (health, reflection, google.rpc details).
func (s *schema) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if f, err := s.files.FindFileByPath(path); err == nil {
		return f, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

// FindDescriptorByName is FindFileByPath for symbols.
func (s *schema) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, err := s.files.FindDescriptorByName(name); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}
