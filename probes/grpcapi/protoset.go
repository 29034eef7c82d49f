package grpcapi

import (
	"fmt"
	"os"
	"slices"

	"github.com/jhump/protoreflect/v2/protoresolve"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// protoset is what a FileDescriptorSet file describes. It stands in for
// reflection where that is off, and adds to it where it does not know a type.
type protoset struct {
	path  string
	files protoresolve.Registry
}

// readProtoset loads a FileDescriptorSet, as written by protoc
// --include_imports or buf build. Missing imports are tolerated.
func readProtoset(path string) (*protoset, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the protoset: %w", err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil || len(set.GetFile()) == 0 {
		return nil, hinted(fmt.Errorf("%s is no FileDescriptorSet", path),
			"make one with: buf build -o x.binpb, or protoc --include_imports -o x.binpb")
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	if err != nil {
		return nil, fmt.Errorf("reading the protoset %s: %w", path, err)
	}
	p := &protoset{path: path}
	files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		err = p.files.RegisterFile(fd)
		return err == nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the protoset %s: %w", path, err)
	}
	return p, nil
}

// services lists the services in the set by name.
func (p *protoset) services() []protoreflect.FullName {
	var out []protoreflect.FullName
	p.files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		for i := range fd.Services().Len() {
			out = append(out, fd.Services().Get(i).FullName())
		}
		return true
	})
	slices.Sort(out)
	return out
}
