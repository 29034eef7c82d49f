package schema

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"iscope/inspectors/protobuf"
	"iscope/probes"
)

// Files are schemas from disk, assigned to subjects.
type Files struct {
	assigned []assigned
	protos   []*protobuf.Schema
}

type assigned struct {
	Assignment
	found Found
}

// OpenFiles reads and compiles all files at once; what changes on disk later is
// not seen. imports are the folders that imports of .proto files are relative
// to; the folder of the file is always one. Of several assignments that match,
// the first counts. Nothing has to be closed.
func OpenFiles(ctx context.Context, as []Assignment, imports []string) (*Files, error) {
	f := &Files{}
	compiled := map[string]*Schema{}
	for _, a := range as {
		s := compiled[a.File]
		if s == nil {
			var err error
			if s, err = load(ctx, a.File, imports); err != nil {
				return nil, &probes.Error{Target: a.File, Op: "loading the schema", Kind: probes.ErrUsage, Err: err, Hint: hintFor(err)}
			}
			compiled[a.File] = s
			if s.proto != nil {
				f.protos = append(f.protos, s.proto)
			}
		}
		settled, err := settle(s, a)
		if err != nil {
			return nil, err
		}
		f.assigned = append(f.assigned, assigned{a, Found{Schema: settled, From: filepath.Base(a.File)}})
	}
	return f, nil
}

func hintFor(err error) string {
	if os.IsNotExist(err) || strings.Contains(err.Error(), "could not resolve path") {
		return "check the path; files that .proto files import are looked for in their own folder and in those given as import paths"
	}
	return ""
}

// settle decides which message of a Protobuf schema an assignment means.
func settle(s *Schema, a Assignment) (*Schema, error) {
	if s.Type != Protobuf {
		if a.Message != "" {
			return nil, &probes.Error{Target: a.File, Op: "assigning the schema", Kind: probes.ErrUsage,
				Err: fmt.Errorf("%s schemas have one type; #%s does not apply", s.Type, a.Message)}
		}
		return s, nil
	}
	md := s.proto.Message(a.Message)
	all := s.proto.Messages()
	if a.Message == "" && len(all) == 1 {
		md = all[0]
	}
	if md != nil {
		return &Schema{Type: Protobuf, Name: string(md.FullName()), Text: s.Text, proto: s.proto, message: md}, nil
	}
	e := &probes.Error{Target: a.File, Op: "assigning the schema", Kind: probes.ErrUsage}
	if a.Message == "" {
		e.Err = fmt.Errorf("%d messages in it, and none is named", len(all))
	} else {
		e.Kind, e.Err = probes.ErrNotFound, fmt.Errorf("no message %s in it", a.Message)
	}
	var names []string
	for _, m := range all[:min(len(all), 12)] {
		names = append(names, string(m.FullName()))
	}
	e.Hint = "add #MESSAGE, for example one of " + strings.Join(names, ", ")
	return nil, e
}

func load(ctx context.Context, file string, imports []string) (*Schema, error) {
	if strings.EqualFold(filepath.Ext(file), ".proto") {
		return loadProto(ctx, file, imports)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxText {
		return nil, fmt.Errorf("%d bytes, more than %d", info.Size(), maxText)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".avsc":
		return Compile(ctx, Source{Type: Avro, Text: string(b)})
	case ".json":
		return Compile(ctx, Source{Type: JSON, Text: string(b)})
	case ".protoset", ".binpb", ".desc", ".pb":
		p, err := protobuf.FromSet(ctx, b)
		if err != nil {
			return nil, err
		}
		return &Schema{Type: Protobuf, proto: p}, nil
	}
	return nil, fmt.Errorf("unknown suffix: use .avsc, .json, .proto, .protoset or .binpb")
}

// loadProto compiles a .proto file under the name by which others import it:
// relative to the first import path that it is below.
func loadProto(ctx context.Context, file string, imports []string) (*Schema, error) {
	if _, err := os.Stat(file); err != nil {
		relative := slices.IndexFunc(imports, func(dir string) bool {
			_, err := os.Stat(filepath.Join(dir, file))
			return err == nil
		})
		if relative < 0 {
			return nil, err
		}
		file = filepath.Join(imports[relative], file)
	}
	name := filepath.Base(file)
	for _, dir := range imports {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			name = filepath.ToSlash(rel)
			break
		}
	}
	p, err := protobuf.CompileFiles(ctx, append(slices.Clone(imports), filepath.Dir(file)), name)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return &Schema{Type: Protobuf, Text: string(text), proto: p}, nil
}

// Find implements Finder. It does not block. Frames are not its business: they
// name a schema of a registry.
func (f *Files) Find(_ context.Context, q Query) (Found, error) {
	if q.Framed() {
		return Found{}, ErrNone
	}
	for i := range f.assigned {
		if a := &f.assigned[i]; a.Key == q.Key && Matches(a.Pattern, q.Subject) {
			return a.found, nil
		}
	}
	if q.Ref == "" || q.Key {
		return Found{}, ErrNone
	}
	for _, p := range f.protos {
		if md := p.Message(q.Ref); md != nil {
			return Found{Schema: &Schema{Type: Protobuf, Name: q.Ref, proto: p, message: md}, From: "a .proto file"}, nil
		}
	}
	return Found{}, ErrNone
}
