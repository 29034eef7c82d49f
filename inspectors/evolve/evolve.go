// Package evolve compares two contracts: what a change of a schema, an API or a
// service does to those who rely on the old one. Each kind of contract is judged
// by the rules of the tools that its field has agreed on, under their names.
package evolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"iscope/inspectors/evolve/avro"
	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/graphql"
	"iscope/inspectors/evolve/jsonschema"
	"iscope/inspectors/evolve/openapi"
	"iscope/inspectors/evolve/protobuf"
)

// Change and Severity are those of all kinds of contracts.
type (
	Change   = change.Change
	Severity = change.Severity
)

// The severities, from harmless to harmful.
const (
	Compatible = change.Compatible
	Dangerous  = change.Dangerous
	Breaking   = change.Breaking
)

// ParseSeverity reads the name of a severity.
func ParseSeverity(text string) (Severity, error) { return change.ParseSeverity(text) }

// Options say what counts as breaking.
type Options struct {
	// Level is for Protobuf: "file" (the default, as in buf), "package",
	// "wire-json" or "wire".
	Level string
	// Compatibility is for Avro and JSON Schema: "backward" (the default, as in
	// registries), "forward" or "full".
	Compatibility string
	// Ignore are rules whose changes are left out and only counted.
	Ignore []string
}

// Check reports what is wrong with options.
func (o *Options) Check() error {
	if o.Level != "" && !slices.Contains([]string{"file", "package", "wire-json", "wire"}, o.Level) {
		return fmt.Errorf("the level %q is none of file, package, wire-json, wire", o.Level)
	}
	if o.Compatibility != "" && !slices.Contains([]string{"backward", "forward", "full"}, o.Compatibility) {
		return fmt.Errorf("the compatibility %q is none of backward, forward, full", o.Compatibility)
	}
	return nil
}

// Report is what changed.
type Report struct {
	Kind    Kind     `json:"kind"`
	Changes []Change `json:"changes"`
	// Ignored counts the changes that Options.Ignore left out.
	Ignored int `json:"ignored"`
	// Notes tell what of either contract could not be read, and is therefore not
	// compared.
	Notes []string `json:"notes,omitempty"`
}

// Count returns the number of changes of a severity.
func (r *Report) Count(s Severity) (n int) {
	for _, c := range r.Changes {
		if c.Severity == s {
			n++
		}
	}
	return n
}

// Worst returns the highest severity there is, 0 without changes.
func (r *Report) Worst() (s Severity) {
	for _, c := range r.Changes {
		s = max(s, c.Severity)
	}
	return s
}

// Compare compares an old contract with a new one. It takes seconds for
// documents of tens of megabytes and does not block on anything else.
func Compare(ctx context.Context, a, b *Contract, o Options) (report Report, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("comparing the contracts failed: %v", r)
		}
	}()
	if err := o.Check(); err != nil {
		return Report{}, err
	}
	if a.Kind != b.Kind {
		return Report{}, fmt.Errorf("%s is %s, %s is %s", a.Name, a.Kind.article(), b.Name, b.Kind.article())
	}
	if err := context.Cause(ctx); err != nil {
		return Report{}, err
	}
	report.Kind = a.Kind
	report.Notes = append(slices.Clone(a.notes), b.notes...)
	changes, notes, err := compare(a, b, o)
	if err != nil {
		return Report{}, err
	}
	report.Notes = append(report.Notes, notes...)
	report.Changes = make([]Change, 0, len(changes))
	for _, c := range changes {
		if slices.Contains(o.Ignore, c.Rule) {
			report.Ignored++
			continue
		}
		if !a.lines {
			c.OldLine = 0
		}
		if !b.lines {
			c.Line = 0
		}
		report.Changes = append(report.Changes, c)
	}
	return report, nil
}

func compare(a, b *Contract, o Options) ([]Change, []string, error) {
	if o.Compatibility == "" {
		o.Compatibility = "backward"
	}
	if o.Level == "" {
		o.Level = "file"
	}
	switch a.Kind {
	case Protobuf:
		changes, notes := protobuf.Compare(a.proto, b.proto, protobuf.Level(o.Level))
		return changes, notes, nil
	case OpenAPI:
		changes, notes := openapi.Compare(a.tree, b.tree)
		return changes, notes, nil
	case GraphQL:
		return graphql.Compare(graphql.Text{Data: a.text, Partial: a.partial}, graphql.Text{Data: b.text, Partial: b.partial})
	case Avro:
		changes, notes := avro.Compare(a.tree, b.tree, avro.Mode(o.Compatibility))
		return changes, notes, nil
	case JSONSchema:
		changes, notes := jsonschema.Compare(a.tree, b.tree, jsonschema.Mode(o.Compatibility))
		return changes, notes, nil
	}
	return nil, nil, errors.New("contracts of this kind cannot be compared: " + strings.TrimSpace(string(a.Kind)))
}
