package jsonschema

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Draft is a version of the specification.
type Draft int

// The drafts differ in what stands beside "$ref", in tuples, and in names.
const (
	Draft4 Draft = iota + 1
	Draft6
	Draft7
	Draft2019
	Draft2020
)

// Options say how schemas are read.
type Options struct {
	// Draft is that of schemas that name none; 2020-12 unless set.
	Draft Draft
	// Formats makes "format" an assertion. Formats that are not known always fit.
	Formats bool
	// Base is the address of the schema if it names none: what its references are
	// relative to.
	Base string
	// Load returns another document that is referred to, by its absolute address
	// without a fragment. Without it there are no others: nothing is ever opened or
	// fetched by this package.
	Load func(address string) (any, error)
}

// Schema is a compiled schema. It is immutable, and safe for concurrent use.
type Schema struct {
	root *node
	// tracks is set where "unevaluated…" asks what others have looked at.
	tracks bool
}

// Violation is one thing that is wrong with a document.
type Violation struct {
	At   string // JSON pointer (RFC 6901) into the document, "" for all of it
	Text string // a clause such as "it is of type string, not integer"

	kind  violationKind
	depth int // of At
}

// Parse reads one JSON document in the form that Compile and Validate take:
// numbers are json.Number.
func Parse(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the end of the document at byte %d", d.InputOffset())
	}
	return v, nil
}
