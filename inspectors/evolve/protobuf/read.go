// Package protobuf compares Protobuf contracts by the rules of buf breaking and
// under their names (https://buf.build/docs/breaking/rules/).
package protobuf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Contract is a set of files.
type Contract struct {
	files []protoreflect.FileDescriptor
	// own are the files that the contract is about; the others are what they
	// import.
	own   map[string]bool
	notes []string
	// only are the names that count, nil for all.
	only reached
	// Partial says that more of it exists than is known: what is missing does not
	// count as removed.
	Partial bool
}

// FromSet reads a FileDescriptorSet: of protoc or buf, or what reflection gave.
// Files whose imports are missing are used as far as they go.
func FromSet(data []byte) (c *Contract, err error) {
	defer recovered(&err)
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("not a FileDescriptorSet: %w", err)
	}
	if len(set.File) == 0 {
		return nil, errors.New("not a FileDescriptorSet: there is no file in it")
	}
	b := builder{c: &Contract{own: map[string]bool{}}, known: &protoregistry.Files{}, byName: map[string]*descriptorpb.FileDescriptorProto{}, state: map[string]int{}}
	services := false
	for _, f := range set.File {
		b.byName[f.GetName()] = f
		services = services || len(f.Service) > 0 && !infrastructure(f.GetPackage())
	}
	for _, f := range set.File {
		b.build(f.GetName(), 0)
	}
	for _, f := range set.File {
		// A set says not which of its files are only imports. Where there are
		// services, it is about the files that have one.
		b.c.own[f.GetName()] = !wellKnown(f.GetName()) && !infrastructure(f.GetPackage()) && (!services || len(f.Service) > 0)
	}
	return b.c, nil
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the Protobuf library panicked: %v", r)
	}
}

func wellKnown(path string) bool { return strings.HasPrefix(path, "google/protobuf/") }

// infrastructure are the services of gRPC itself, which come with a library and
// not with the contract.
func infrastructure(pkg string) bool {
	return strings.HasPrefix(pkg, "grpc.reflection.") || strings.HasPrefix(pkg, "grpc.health.") || strings.HasPrefix(pkg, "grpc.channelz.") || pkg == "grpc.reflection"
}

// builder links the files of a set, in the order of their imports.
type builder struct {
	c      *Contract
	known  *protoregistry.Files
	byName map[string]*descriptorpb.FileDescriptorProto
	state  map[string]int // 1 being built, 2 built
}

func (b *builder) build(name string, depth int) {
	f := b.byName[name]
	if f == nil || b.state[name] != 0 || depth > 500 {
		return
	}
	b.state[name] = 1
	for _, dep := range f.Dependency {
		b.build(dep, depth+1)
	}
	b.state[name] = 2
	linked, err := protodesc.FileOptions{AllowUnresolvable: true}.New(f, b.known)
	if err == nil {
		err = b.known.RegisterFile(linked)
	}
	if err != nil {
		b.c.note("%s is not compared: %v", name, err)
		return
	}
	b.c.files = append(b.c.files, linked)
}

func (c *Contract) note(format string, args ...any) {
	if len(c.notes) < 20 {
		c.notes = append(c.notes, fmt.Sprintf(format, args...))
	}
}

// FromSource compiles a .proto file, or all of a folder. Imports are looked for
// in the import folders and then beside the file or below the folder.
func FromSource(ctx context.Context, path string, imports []string) (c *Contract, err error) {
	defer recovered(&err)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	root, names := filepath.Dir(path), []string{filepath.Base(path)}
	if info.IsDir() {
		root = path
		if names, err = protoFiles(path); err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, errors.New("there is no .proto file below it")
		}
	} else if within, rest, ok := relative(path, imports); ok {
		root, names = within, []string{rest}
	}
	c = &Contract{own: map[string]bool{}}
	seen := map[string]bool{}
	for _, name := range names {
		f, err := compile(ctx, append(slices.Clone(imports), root), name)
		if err != nil && len(names) == 1 {
			return nil, err
		}
		if err != nil {
			c.note("not compared: %v", err)
			continue
		}
		c.own[name] = true
		c.take(f, seen)
	}
	return c, nil
}

// relative finds the import folder that a file is below of.
func relative(path string, imports []string) (root, rest string, ok bool) {
	for _, i := range imports {
		if rel, err := filepath.Rel(i, path); err == nil && !strings.HasPrefix(rel, "..") {
			return i, filepath.ToSlash(rel), true
		}
	}
	return "", "", false
}

const maxFiles = 10_000

func protoFiles(root string) (names []string, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".proto" {
			return err
		}
		if len(names) >= maxFiles {
			return fmt.Errorf("more than %d .proto files", maxFiles)
		}
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	return names, err
}

func compile(ctx context.Context, imports []string, name string) (protoreflect.FileDescriptor, error) {
	var first error
	c := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: imports}),
		MaxParallelism: 1, SourceInfoMode: protocompile.SourceInfoStandard,
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			if first == nil {
				p := err.GetPosition()
				first = fmt.Errorf("%s line %d:%d: %w", filepath.Base(p.Filename), p.Line, p.Col, err.Unwrap())
			}
			return first
		}, nil),
	}
	linked, err := c.Compile(ctx, name)
	if first != nil {
		return nil, first
	}
	if err != nil {
		return nil, err
	}
	return linked[0], nil
}

// take adds a file and what it imports.
func (c *Contract) take(f protoreflect.FileDescriptor, seen map[string]bool) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	for i := range f.Imports().Len() {
		if imported := f.Imports().Get(i); !imported.IsPlaceholder() {
			c.take(imported.FileDescriptor, seen)
		}
	}
	c.files = append(c.files, f)
}
