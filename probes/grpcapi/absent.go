package grpcapi

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// noteAbsent remembers the imports of a file, or of what it imports, that nobody
// serves. They hold no more than options, or the file could not have been built;
// grpcreflect leaves no other trace of them.
func (l *link) noteAbsent(fd protoreflect.FileDescriptor, names []string) {
	if len(names) == 0 || fd == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.absent == nil {
		l.absent = map[string][]string{}
	}
	l.absent[fd.Path()] = append(l.absent[fd.Path()], names...)
}

// missingImports names the files that fd does without: those that were found to
// be absent with it, with what it imports, and those a protoset lacks.
func (l *link) missingImports(fd protoreflect.FileDescriptor) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	seen := map[string]bool{}
	var visit func(protoreflect.FileDescriptor)
	visit = func(fd protoreflect.FileDescriptor) {
		if seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		if fd.IsPlaceholder() {
			out = append(out, fd.Path())
			return
		}
		out = append(out, l.absent[fd.Path()]...)
		for i := range fd.Imports().Len() {
			visit(fd.Imports().Get(i).FileDescriptor)
		}
	}
	visit(fd)
	slices.Sort(out)
	return slices.Compact(out)
}
