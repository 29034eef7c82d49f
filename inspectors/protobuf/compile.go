package protobuf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/inspectors/emit"
)

// Schema is a set of compiled files. It is immutable.
type Schema struct {
	files    []protoreflect.FileDescriptor // those asked for, in order
	messages map[protoreflect.FullName]protoreflect.MessageDescriptor
	exts     map[extensionKey]protoreflect.ExtensionDescriptor
}

type extensionKey struct {
	of  protoreflect.FullName
	num protowire.Number
}

// Compile compiles sources, of which names are the ones whose messages are
// wanted and the others what they may import. The well-known types need not be
// among them.
func Compile(ctx context.Context, sources map[string]string, names ...string) (*Schema, error) {
	return compile(ctx, &protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(withBuiltin(sources))}, names)
}

// CompileFiles compiles files from disk. Names are relative to one of the
// import paths; without any, to the working directory.
func CompileFiles(ctx context.Context, imports []string, names ...string) (*Schema, error) {
	return compile(ctx, protocompile.CompositeResolver{&protocompile.SourceResolver{ImportPaths: imports},
		&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(withBuiltin(nil))}}, names)
}

// FromSet reads a FileDescriptorSet (protoc -o, buf build). Wanted are the files
// that no other imports. The well-known types may be missing from it.
func FromSet(ctx context.Context, set []byte) (*Schema, error) {
	var s descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &s); err != nil {
		return nil, fmt.Errorf("not a FileDescriptorSet: %w", err)
	}
	if len(s.File) == 0 {
		return nil, errors.New("not a FileDescriptorSet: there is no file in it")
	}
	files := map[string]*descriptorpb.FileDescriptorProto{}
	imported := map[string]bool{}
	for _, f := range s.File {
		files[f.GetName()] = f
		for _, name := range f.Dependency {
			imported[name] = true
		}
	}
	var names []string
	for _, f := range s.File {
		if !imported[f.GetName()] && !slices.Contains(names, f.GetName()) {
			names = append(names, f.GetName())
		}
	}
	return compile(ctx, protocompile.ResolverFunc(func(name string) (protocompile.SearchResult, error) {
		if f := files[name]; f != nil {
			return protocompile.SearchResult{Proto: f}, nil
		}
		return protocompile.SearchResult{}, fmt.Errorf("%s is not in the set", name)
	}), names)
}

// compile does not let the compiler end the program: sources come from
// strangers, through a registry.
func compile(ctx context.Context, from protocompile.Resolver, names []string) (s *Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the Protobuf compiler panicked: %v", r)
		}
	}()
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(from), MaxParallelism: 1}
	linked, err := c.Compile(ctx, names...)
	if err != nil {
		return nil, err
	}
	s = &Schema{messages: map[protoreflect.FullName]protoreflect.MessageDescriptor{}, exts: map[extensionKey]protoreflect.ExtensionDescriptor{}}
	seen := map[string]bool{}
	for _, f := range linked {
		s.files = append(s.files, f)
		s.index(f, seen)
	}
	return s, nil
}

// index makes what a file and its imports define findable by name.
func (s *Schema) index(f protoreflect.FileDescriptor, seen map[string]bool) {
	if seen[f.Path()] {
		return
	}
	seen[f.Path()] = true
	s.indexMessages(f.Messages())
	s.indexExtensions(f.Extensions())
	for i := range f.Imports().Len() {
		s.index(f.Imports().Get(i), seen)
	}
}

func (s *Schema) indexMessages(ms protoreflect.MessageDescriptors) {
	for i := range ms.Len() {
		m := ms.Get(i)
		s.messages[m.FullName()] = m
		s.indexMessages(m.Messages())
		s.indexExtensions(m.Extensions())
	}
}

func (s *Schema) indexExtensions(es protoreflect.ExtensionDescriptors) {
	for i := range es.Len() {
		e := es.Get(i)
		s.exts[extensionKey{e.ContainingMessage().FullName(), e.Number()}] = e
	}
}

func (s *Schema) message(name protoreflect.FullName) protoreflect.MessageDescriptor {
	if s == nil {
		return nil
	}
	return s.messages[name]
}

func (s *Schema) extension(of protoreflect.FullName, num protowire.Number) protoreflect.FieldDescriptor {
	if s == nil {
		return nil
	}
	if e := s.exts[extensionKey{of, num}]; e != nil {
		return e
	}
	return nil
}

// Message returns the message of that full name, nil if there is none.
func (s *Schema) Message(name string) protoreflect.MessageDescriptor {
	return s.message(protoreflect.FullName(name))
}

// Messages returns the outermost messages of the files asked for.
func (s *Schema) Messages() (all []protoreflect.MessageDescriptor) {
	for _, f := range s.files {
		for i := range f.Messages().Len() {
			all = append(all, f.Messages().Get(i))
		}
	}
	return all
}

// ByIndex returns the message that Confluent's serializers mean by a path of
// indexes into the first file, for a body that has it. The serializer for Java
// counts the messages of the source; those for Go and Python also count the
// entries of maps, which compilers make messages of. Where that makes a
// difference, the message that explains the body is taken; Java's, if both do.
func (s *Schema) ByIndex(path []int, body []byte) (protoreflect.MessageDescriptor, error) {
	if len(s.files) == 0 || len(path) == 0 {
		return nil, errors.New("no message index")
	}
	java, err := s.follow(path, nth)
	other, otherErr := s.follow(path, at)
	switch {
	case otherErr != nil || other.IsMapEntry() || java == other:
		return java, err
	case err != nil || !s.explains(body, java) && s.explains(body, other):
		return other, nil
	}
	return java, nil
}

func (s *Schema) follow(path []int, pick func(protoreflect.MessageDescriptors, int) protoreflect.MessageDescriptor) (protoreflect.MessageDescriptor, error) {
	in := s.files[0].Messages()
	var m protoreflect.MessageDescriptor
	for depth, i := range path {
		if m = pick(in, i); m == nil {
			return nil, fmt.Errorf("message index %s: no such message at level %d", indexText(path), depth+1)
		}
		in = m.Messages()
	}
	return m, nil
}

// nth counts without the entries of maps.
func nth(ms protoreflect.MessageDescriptors, i int) protoreflect.MessageDescriptor {
	for k := range ms.Len() {
		if ms.Get(k).IsMapEntry() {
			continue
		}
		if i == 0 {
			return ms.Get(k)
		}
		i--
	}
	return nil
}

// at counts all messages.
func at(ms protoreflect.MessageDescriptors, i int) protoreflect.MessageDescriptor {
	if i < 0 || i >= ms.Len() {
		return nil
	}
	return ms.Get(i)
}

// explains reports whether a message has no field that its type does not know.
func (s *Schema) explains(body []byte, md protoreflect.MessageDescriptor) bool {
	d := decoder{w: emit.Dry(), types: s}
	return d.message(body, 0, md) == nil && d.strangers == 0
}

func indexText(path []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(path), "[]"), " ", ".")
}
