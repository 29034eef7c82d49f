package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// addProtos compiles .proto files. Where some of them have errors the others
// are still of use, and the errors become notes; it fails only if none is left.
func (s *sources) addProtos(ctx context.Context, patterns, imports []string) error {
	names, roots, err := namesOf(patterns, imports)
	if err != nil {
		return err
	}
	files, err := compile(ctx, roots, names...)
	if err == nil {
		return s.addCompiled(files)
	}
	if ctx.Err() != nil {
		return err
	}
	var failed error
	for _, name := range names {
		files, err := compile(ctx, roots, name)
		if err != nil {
			failed = errors.Join(failed, err)
			s.notes = append(s.notes, err.Error())
			continue
		}
		if err := s.addCompiled(files); err != nil {
			return err
		}
	}
	if len(s.notes) == len(names) {
		return adviseProto(failed)
	}
	return nil
}

func (s *sources) addCompiled(files linker.Files) error {
	for _, fd := range files {
		if err := s.addWithImports(fd); err != nil {
			return fmt.Errorf("reading %s: %w", fd.Path(), err)
		}
		s.offer(fd)
	}
	return nil
}

func (s *sources) addWithImports(fd protoreflect.FileDescriptor) error {
	for i := range fd.Imports().Len() {
		if err := s.addWithImports(fd.Imports().Get(i).FileDescriptor); err != nil {
			return err
		}
	}
	return s.add(fd)
}

// compile reads and links files by the names they are imported by. Its error
// holds all that is wrong, each with file, line and column.
func compile(ctx context.Context, roots []string, names ...string) (linker.Files, error) {
	var found []error
	c := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: roots}),
		SourceInfoMode: protocompile.SourceInfoStandard,
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			found = append(found, err)
			return nil // go on, to find the others
		}, nil),
	}
	files, err := c.Compile(ctx, names...)
	if err != nil && len(found) > 0 {
		return nil, errors.Join(found...)
	}
	return files, err
}

// adviseProto adds what to do about sources that cannot be read.
func adviseProto(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "edition") && strings.Contains(text, "not recognized"):
		return hinted(err, "sources are read up to edition 2023; make a protoset of newer ones: buf build -o x.binpb, for the option "+optProtoset)
	case strings.Contains(text, "no such file"), strings.Contains(text, "could not resolve import"):
		return hinted(err, "name the folders that imports are relative to in the option "+optImport)
	}
	return err
}

// namesOf turns files and patterns into the names that imports use, and adds to
// the import folders those of files outside all of them.
func namesOf(patterns, imports []string) (names, roots []string, err error) {
	roots = slices.Clone(imports)
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, nil, fmt.Errorf("option %s: pattern %q: %w", optProto, pattern, err)
		}
		for _, root := range imports {
			if len(paths) > 0 || filepath.IsAbs(pattern) {
				break
			}
			// Only a malformed pattern is an error, and it was not.
			paths, _ = filepath.Glob(filepath.Join(root, pattern))
		}
		if len(paths) == 0 {
			return nil, nil, hinted(fmt.Errorf("option %s: there is no file %s", optProto, pattern),
				"give files or patterns, from here or from a folder of the option "+optImport)
		}
		for _, path := range paths {
			name, ok := nameWithin(path, roots)
			if !ok {
				roots = append(roots, filepath.Dir(path))
				name = filepath.Base(path)
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, roots, nil
}

// nameWithin is a file's name relative to the first folder that holds it.
func nameWithin(path string, roots []string) (string, bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	for _, root := range roots {
		top, err := filepath.Abs(root)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(top, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}
