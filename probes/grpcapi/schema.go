package grpcapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/probes"
)

// Schema resolves the name of a message, enum, service, method
// (pkg.Service/Method, too) or extension. Text is its .proto source, for a
// method with the messages it takes and gives. Data is a FileDescriptorSet of
// its file and everything imported, dependencies first.
func (p *probe) Schema(ctx context.Context, ref string) (probes.Schema, error) {
	op := "describing " + ref
	l, done, err := p.use(ctx, op)
	if err != nil {
		return probes.Schema{}, err
	}
	defer done()
	d, err := l.symbol(ctx, ref)
	if err != nil {
		return probes.Schema{}, err
	}
	text, err := source(d)
	if err != nil {
		return probes.Schema{}, l.set.fail(op, probes.ErrProtocol, err)
	}
	if missing := l.missingImports(d.ParentFile()); len(missing) > 0 {
		text = "// Not served, and done without: " + strings.Join(missing, ", ") + "\n" + text
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(fileSet(d.ParentFile()))
	if err != nil {
		return probes.Schema{}, l.set.fail(op, probes.ErrProtocol, err)
	}
	return probes.Schema{Ref: ref, Type: "protobuf", Text: text, Data: data}, nil
}

// symbol finds what ref names. The short forms of method names are accepted.
func (l *link) symbol(ctx context.Context, ref string) (protoreflect.Descriptor, error) {
	name := protoreflect.FullName(strings.TrimPrefix(strings.TrimPrefix(ref, "/"), "."))
	if !strings.Contains(string(name), "/") && name.IsValid() {
		d, err := l.find(ctx, name)
		if err == nil {
			return d, nil
		}
		if !notKnown(err) {
			return nil, l.requestError(ctx, "describing "+ref, err)
		}
	}
	return l.method(ctx, ref)
}

// source prints a descriptor as .proto text.
func source(d protoreflect.Descriptor) (string, error) {
	printer := protoprint.Printer{Compact: true, Indent: "  "}
	parts := []protoreflect.Descriptor{d}
	if md, ok := d.(protoreflect.MethodDescriptor); ok {
		parts = append(parts, md.Input())
		if md.Output().FullName() != md.Input().FullName() {
			parts = append(parts, md.Output())
		}
	}
	var b strings.Builder
	for i, part := range parts {
		text, err := printer.PrintProtoToString(part)
		if err != nil {
			return "", fmt.Errorf("printing %s: %w", part.FullName(), err)
		}
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(strings.TrimSpace(text) + "\n")
	}
	return b.String(), nil
}

// fileSet is a file with all it imports, dependencies first.
func fileSet(fd protoreflect.FileDescriptor) *descriptorpb.FileDescriptorSet {
	s := newFileSet()
	s.add(fd)
	return s.set
}

func (s *descriptorSet) add(fd protoreflect.FileDescriptor) {
	if fd.IsPlaceholder() || s.seen[fd.Path()] {
		return
	}
	s.seen[fd.Path()] = true
	for i := range fd.Imports().Len() {
		s.add(fd.Imports().Get(i).FileDescriptor)
	}
	s.set.File = append(s.set.File, protodesc.ToFileDescriptorProto(fd))
}
