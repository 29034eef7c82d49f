package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jhump/protoreflect/v2/protoresolve"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// sources are the contracts a target names beside its server: protosets and
// .proto files. They stand in for reflection where that is off, and add to it
// where it does not know a type or has no comments.
type sources struct {
	files protoresolve.Registry
	// offered are the services to list where reflection is off: those of a
	// protoset, and those of the .proto files that were named, not of what they
	// import.
	offered []protoreflect.FullName
	labels  []string // the files as the target names them
	notes   []string // what of them could not be read
}

// readSources loads what the options name; nil if they name nothing.
func readSources(ctx context.Context, sets, protos, imports []string) (*sources, error) {
	if len(sets)+len(protos) == 0 {
		return nil, nil
	}
	s := &sources{labels: slices.Concat(sets, protos)}
	for _, path := range sets {
		if err := s.addProtoset(path); err != nil {
			return nil, err
		}
	}
	if len(protos) > 0 {
		if err := s.addProtos(ctx, protos, imports); err != nil {
			return nil, err
		}
	}
	slices.Sort(s.offered)
	s.offered = slices.Compact(s.offered)
	return s, nil
}

// String names the files for people.
func (s *sources) String() string { return strings.Join(s.labels, ", ") }

// addProtoset loads a FileDescriptorSet, as written by protoc --include_imports
// or buf build. Missing imports are tolerated.
func (s *sources) addProtoset(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the protoset: %w", err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil || len(set.GetFile()) == 0 {
		return hinted(fmt.Errorf("%s is no FileDescriptorSet", path),
			"make one with: buf build -o x.binpb, or protoc --include_imports -o x.binpb; .proto files go into the option "+optProto)
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	if err != nil {
		return fmt.Errorf("reading the protoset %s: %w", path, err)
	}
	files.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		if err = s.add(fd); err == nil {
			s.offer(fd)
		}
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("reading the protoset %s: %w", path, err)
	}
	return nil
}

// add registers a file unless one of its name is there: protosets and sources
// often overlap, in google/protobuf at least.
func (s *sources) add(fd protoreflect.FileDescriptor) error {
	if fd.IsPlaceholder() {
		return nil
	}
	_, err := s.files.FindFileByPath(fd.Path())
	if err == nil {
		return nil
	}
	if !errors.Is(err, protoresolve.ErrNotFound) {
		return err
	}
	return s.files.RegisterFile(fd)
}

func (s *sources) offer(fd protoreflect.FileDescriptor) {
	for i := range fd.Services().Len() {
		s.offered = append(s.offered, fd.Services().Get(i).FullName())
	}
}
