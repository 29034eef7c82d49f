// Package contract checks JSON documents against a JSON Schema.
package contract

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
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

// root is the address of a schema that gives itself none.
const root = "schema:///schema.json"

// Compile compiles a schema. References are resolved among refs only: neither
// files nor addresses that a stranger's schema names are opened. A schema that
// names no draft is one of draft 7, as in Confluent's serializers.
func Compile(text string, refs []Ref) (s *Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the JSON Schema compiler panicked: %v", r)
		}
	}()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(among(refs))
	if err := c.AddResource(root, doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(root)
	if err != nil {
		return nil, err
	}
	s = &Schema{compiled: compiled}
	if m, ok := doc.(map[string]any); ok {
		s.title, _ = m["title"].(string)
	}
	return s, nil
}

// among loads schemas from a list.
type among []Ref

// Load implements jsonschema.URLLoader. Names in a registry are often relative
// while the address asked for was made absolute by an "$id".
func (a among) Load(address string) (any, error) {
	path := address
	if u, err := url.Parse(address); err == nil && u.Path != "" {
		path = u.Path
	}
	for _, r := range a {
		if r.Name == address || strings.HasSuffix(path, "/"+strings.TrimPrefix(r.Name, "/")) {
			return jsonschema.UnmarshalJSON(strings.NewReader(r.Text))
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
	defer func() {
		if r := recover(); r != nil {
			faults = []string{fmt.Sprintf("not checked against its schema: the library panicked: %v", r)}
		}
	}()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	var invalid *jsonschema.ValidationError
	if err := s.compiled.Validate(v); errors.As(err, &invalid) {
		faults = leaves(invalid.DetailedOutput(), nil)
		slices.Sort(faults) // the library walks maps
	} else if err != nil {
		faults = []string{err.Error()}
	}
	if len(faults) > maxFaults {
		rest := len(faults) - maxFaults
		faults = append(faults[:maxFaults], fmt.Sprintf("%d more violations of the schema", rest))
	}
	return faults
}

// leaves collects the sentences of the violations that have no cause of their
// own.
func leaves(o *jsonschema.OutputUnit, out []string) []string {
	if len(o.Errors) == 0 && o.Error != nil {
		where := o.InstanceLocation
		if where == "" {
			where = "/"
		}
		return append(out, "violates its schema at "+where+": "+o.Error.String())
	}
	for i := range o.Errors {
		out = leaves(&o.Errors[i], out)
	}
	return out
}
