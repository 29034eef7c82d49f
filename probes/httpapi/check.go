package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
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

// finding is one place where a value breaks its schema.
type finding struct {
	at   string // JSON pointer into the value, "" for all of it
	text string
}

// check holds a value against the schema at a place of the document, which need
// be no pointer, only another for every schema. An error means that it could not
// be checked: the schema is too large, or broken.
func (d *parsed) check(place string, schema, value any, as direction) ([]finding, error) {
	if schema == nil || schema == true {
		return nil, nil
	}
	compiled, err := d.compiled.get(fmt.Sprint(place, " ", as), func() (*jsonschema.Schema, error) { return d.compile(schema, as) })
	if err != nil {
		return nil, err
	}
	err = compiled.Validate(value)
	var wrong *jsonschema.ValidationError
	if !errors.As(err, &wrong) {
		return nil, err
	}
	c := collector{print: message.NewPrinter(language.English), seen: map[finding]bool{}}
	c.add(wrong)
	// The validator goes through objects in no order.
	slices.SortFunc(c.found, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.at, b.at), strings.Compare(a.text, b.text))
	})
	return c.found, nil
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
func (d *parsed) compile(schema any, as direction) (compiled *jsonschema.Schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the schema broke its compiler: %v", r)
		}
	}()
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
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nothing{})
	if err := c.AddResource("schema:///", part{"$defs": t.defs, "$ref": "#/$defs/root"}); err != nil {
		return nil, err
	}
	return c.Compile("schema:///")
}

// nothing loads no schemas: a document must not make us call other hosts.
type nothing struct{}

func (nothing) Load(string) (any, error) { return nil, errors.New("it is not followed") }

// collector flattens the tree of an error into findings.
type collector struct {
	print *message.Printer
	found []finding
	seen  map[finding]bool
}

func (c *collector) add(e *jsonschema.ValidationError) {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, cause := range e.Causes {
			c.add(cause)
		}
		return
	case *kind.AnyOf, *kind.OneOf:
		c.alternatives(e)
		return
	case *kind.Required:
		for _, name := range k.Missing {
			c.note(e.InstanceLocation, fmt.Sprintf("property %q is missing", name))
		}
		return
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			c.note(append(slices.Clone(e.InstanceLocation), name), "it is not in the schema, which allows no others")
		}
		return
	}
	c.note(e.InstanceLocation, c.word(e.ErrorKind))
}

// alternatives reports of several schemas, none of which fits, what is wrong
// with the only one that is of the value's type, else that none fits.
func (c *collector) alternatives(e *jsonschema.ValidationError) {
	var near []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		if !mistyped(cause, len(e.InstanceLocation)) {
			near = append(near, cause)
		}
	}
	if len(near) == 1 {
		c.add(near[0])
		return
	}
	text := "it fits none of the alternatives"
	if one, ok := e.ErrorKind.(*kind.OneOf); ok && len(one.Subschemas) > 1 {
		text = fmt.Sprintf("it fits %d alternatives, and must fit one", len(one.Subschemas))
	}
	c.note(e.InstanceLocation, text)
}

// mistyped tells whether an alternative fails for the type of the value itself.
func mistyped(e *jsonschema.ValidationError, depth int) bool {
	if len(e.InstanceLocation) > depth {
		return false
	}
	if _, ok := e.ErrorKind.(*kind.Type); ok {
		return true
	}
	return slices.ContainsFunc(e.Causes, func(c *jsonschema.ValidationError) bool { return mistyped(c, depth) })
}

// word says what is wrong without repeating the value, which may be a secret or
// a megabyte.
func (c *collector) word(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "it is of type " + k.Got + ", not " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		var all []string
		for _, v := range k.Want {
			all = append(all, plain(v))
		}
		if more := len(all) - 20; more > 0 {
			all = append(all[:20], fmt.Sprintf("%d more", more))
		}
		return "it is none of " + strings.Join(all, ", ")
	case *kind.Const:
		return "it is not " + plain(k.Want)
	case *kind.Minimum:
		return "it is less than " + k.Want.RatString()
	case *kind.Maximum:
		return "it is more than " + k.Want.RatString()
	case *kind.ExclusiveMinimum:
		return "it is not more than " + k.Want.RatString()
	case *kind.ExclusiveMaximum:
		return "it is not less than " + k.Want.RatString()
	case *kind.MultipleOf:
		return "it is no multiple of " + k.Want.RatString()
	case *kind.MinLength:
		return fmt.Sprintf("it is shorter than %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("it is longer than %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("it has fewer than %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("it has more than %d items", k.Want)
	case *kind.Pattern:
		return "it does not match " + k.Want
	case *kind.Format:
		return "it is no " + k.Want
	}
	return firstLine(k.LocalizedString(c.print))
}

func (c *collector) note(at []string, text string) {
	var b strings.Builder
	for _, p := range at {
		b.WriteString("/" + escapePointer(p))
	}
	f := finding{b.String(), text}
	if !c.seen[f] {
		c.seen[f] = true
		c.found = append(c.found, f)
	}
}
