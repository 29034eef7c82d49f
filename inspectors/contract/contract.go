// Package contract checks JSON documents against a JSON Schema.
package contract

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"iscope/probes/jsonschema"
)

// Schema is a compiled JSON Schema. It is immutable.
type Schema struct {
	compiled *jsonschema.Schema
	title    string
}

// Title is what the schema calls itself, "" if it does not.
func (s *Schema) Title() string { return s.title }

// Ref is a schema that others refer to by name.
type Ref struct{ Name, Text string }

// Compile compiles a schema. References are resolved among refs only: neither
// files nor addresses that a stranger's schema names are opened. A schema that
// names no draft is one of draft 7, as in Confluent's serializers.
func Compile(text string, refs []Ref) (*Schema, error) {
	doc, err := jsonschema.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	compiled, err := jsonschema.Compile(doc, jsonschema.Options{Draft: jsonschema.Draft7, Load: among(refs).load})
	if err != nil {
		return nil, err
	}
	s := &Schema{compiled: compiled}
	if m, ok := doc.(map[string]any); ok {
		s.title, _ = m["title"].(string)
	}
	return s, nil
}

// among loads schemas from a list.
type among []Ref

// load finds a schema by its address. Names in a registry are often relative while
// the address asked for was made absolute by an "$id".
func (a among) load(address string) (any, error) {
	path := address
	if u, err := url.Parse(address); err == nil && u.Path != "" {
		path = u.Path
	}
	for _, r := range a {
		if r.Name == address || strings.HasSuffix(path, "/"+strings.TrimPrefix(r.Name, "/")) {
			return jsonschema.Parse(r.Text)
		}
	}
	return nil, errors.New("it is not among the schema's references")
}

// MaxChecked is the size, in bytes, up to which documents are checked.
const MaxChecked = 1 << 20

// maxFaults bounds how much is said about one document.
const maxFaults = 8

// Check returns what is wrong with a document, a sentence each; none for one
// that fulfils the schema.
func (s *Schema) Check(doc []byte) (faults []string) {
	if len(doc) > MaxChecked {
		return []string{fmt.Sprintf("not checked against its schema: larger than %d bytes", MaxChecked)}
	}
	v, err := jsonschema.Parse(string(doc))
	if err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	found, err := s.compiled.Validate(v)
	if err != nil {
		return []string{"not checked against its schema: " + err.Error()}
	}
	for i, v := range found {
		if i == maxFaults {
			return append(faults, fmt.Sprintf("%d more violations of the schema", len(found)-maxFaults))
		}
		where := v.At
		if where == "" {
			where = "/"
		}
		faults = append(faults, "violates its schema at "+where+": "+v.Text)
	}
	return faults
}
