package inspectors

import (
	"context"

	"iscope/inspectors/registry"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// Setup is what a target's configuration and the command line say about
// schemas. Its zero value knows none.
type Setup struct {
	Registry registry.Options // URL "": no registry
	Files    []schema.Assignment
	Imports  []string       // folders that imports of .proto files are relative to
	Target   probes.Schemer // describes its own messages; nil: it does not
}

// Schemas is the finder for Env.Schemas. Files that are assigned to a subject
// come before what a registry has for it by name; an id in a body comes before
// both.
type Schemas struct {
	first     schema.First
	registry  *registry.Client
	described *schema.Described
}

// OpenSchemas reads the files and compiles them, which may block for some
// hundred milliseconds, and connects to nothing. Close what it returns.
//
// Find, and with it Inspect, Decode and Brief, block for a registry up to
// Registry.Wait (two seconds) for each schema that is new, and not for a
// registry that has stopped answering. A context that has ended makes them
// return at once: with ErrPending inside, View.Pending set, and the schema there
// the next time. A screen hands such a context in.
func OpenSchemas(ctx context.Context, s Setup) (*Schemas, error) {
	out := &Schemas{}
	if len(s.Files) > 0 {
		files, err := schema.OpenFiles(ctx, s.Files, s.Imports)
		if err != nil {
			return nil, err
		}
		out.first = append(out.first, files)
	}
	if s.Registry.URL != "" {
		client, err := registry.Open(s.Registry)
		if err != nil {
			return nil, err
		}
		out.registry = client
		out.first = append(out.first, client)
	}
	if s.Target != nil {
		out.described = schema.Describe(s.Target)
		out.first = append(out.first, out.described)
	}
	return out, nil
}

// Find implements schema.Finder.
func (s *Schemas) Find(ctx context.Context, q schema.Query) (schema.Found, error) {
	return s.first.Find(ctx, q)
}

// Check proves that the registry answers and accepts the credentials; nil
// where there is none.
func (s *Schemas) Check(ctx context.Context) error {
	if s.registry == nil {
		return nil
	}
	return s.registry.Check(ctx)
}

// Close ends requests and waits for them.
func (s *Schemas) Close() error {
	if s.described != nil {
		s.described.Close()
	}
	if s.registry != nil {
		return s.registry.Close()
	}
	return nil
}
