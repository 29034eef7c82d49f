package httpapi

import (
	"fmt"
	"sync"

	"iscope/probes/jsonschema"
)

// Bounds of holding a message against the document.
const (
	maxChecked    = 1 << 20 // bytes of body
	maxViolations = 20
)

// direction is which of readOnly and writeOnly applies.
type direction bool

const (
	asRequest  direction = false
	asResponse direction = true
)

// check holds a value against the schema at a place of the document, which need
// be no pointer, only another for every schema. An error means that it could not
// be checked: the schema is too large, or broken.
func (d *parsed) check(place string, schema, value any, as direction) ([]jsonschema.Violation, error) {
	if schema == nil || schema == true {
		return nil, nil
	}
	compiled, err := d.compiled.get(fmt.Sprint(place, " ", as), func() (*jsonschema.Schema, error) { return d.compile(schema, as) })
	if err != nil {
		return nil, err
	}
	return compiled.Validate(value)
}

// checkers are a document's compiled schemas. A schema is compiled once: calls
// are made by the thousand under load.
type checkers struct {
	mu  sync.Mutex
	all map[string]checker
}

type checker struct {
	schema *jsonschema.Schema
	err    error
}

func (c *checkers) get(key string, compile func() (*jsonschema.Schema, error)) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.all[key]
	if !ok {
		have.schema, have.err = compile()
		if c.all == nil {
			c.all = map[string]checker{}
		}
		c.all[key] = have
	}
	return have.schema, have.err
}

// compile makes a schema and what it refers to one of JSON Schema 2020-12.
func (d *parsed) compile(schema any, as direction) (*jsonschema.Schema, error) {
	t := translator{doc: d, as: as, defs: part{}, names: map[string]string{}}
	root := t.schema(schema)
	for len(t.todo) > 0 {
		pointer := t.todo[0]
		t.todo = t.todo[1:]
		target, _ := lookup(d.tree, pointer)
		t.defs[t.names[pointer]] = t.schema(target)
	}
	if t.size > maxSchema {
		return nil, fmt.Errorf("its schema has more than %d parts", maxSchema)
	}
	t.defs["root"] = root
	return jsonschema.Compile(part{"$defs": t.defs, "$ref": "#/$defs/root"}, jsonschema.Options{Formats: true})
}
