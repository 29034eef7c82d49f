package probes

import "context"

// Former describes the request document of a method as an editor needs it: what
// may be filled in, of which type, within which limits.
type Former interface {
	// Form describes the document of one method, named as in Method.Name. A
	// method that takes no document has a Form whose Root has the Kind
	// ShapeNone. It may cost a request, and may be cached.
	Form(ctx context.Context, method string) (Form, error)
}

// Form is the type of a request document. Types may refer to themselves, so
// objects are named and kept beside the root; whoever draws them opens one when
// a person does.
type Form struct {
	Root Shape `json:"root"`
	// Types are the fields of objects, by Shape.Of.
	Types map[string][]Shape `json:"types,omitempty"`
}

// Fields returns the fields of an object, nil for any other shape.
func (f *Form) Fields(s *Shape) []Shape {
	if s.Kind != ShapeObject {
		return nil
	}
	return f.Types[s.Of]
}

// Shape is one place in a document.
type Shape struct {
	// Name is the field's name in the JSON document, "" for a root, an element
	// or a value of a map.
	Name string    `json:"name,omitempty"`
	Kind ShapeKind `json:"kind"`
	// Type is what the contract calls the type: "int64", "date-time",
	// "google.protobuf.Timestamp", "[ID!]!".
	Type string `json:"type,omitempty"`
	// Of names the fields of an object in Form.Types. "" is an object of which
	// nothing more is known.
	Of string `json:"of,omitempty"`
	// Elem is the element of a list, or the value of a map.
	Elem *Shape `json:"elem,omitempty"`
	// Keys is the kind of a map's keys where it is not a string.
	Keys ShapeKind `json:"keys,omitempty"`
	// Choices are the values an enum takes; of a union ("one of these"), the
	// shapes are in Variants.
	Choices  []Choice `json:"choices,omitempty"`
	Variants []Shape  `json:"variants,omitempty"`
	// Group is the name of the oneof a field belongs to: of the fields with the
	// same Group at most one is set.
	Group      string `json:"group,omitempty"`
	Doc        string `json:"doc,omitempty"`     // the contract's own words, may have lines
	Rule       string `json:"rule,omitempty"`    // its limits in words: "1 to 64 characters, matches ^A-"
	Example    string `json:"example,omitempty"` // JSON
	Default    string `json:"default,omitempty"` // JSON
	Required   bool   `json:"required,omitempty"`
	Nullable   bool   `json:"nullable,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
}

// Choice is one value of an enum.
type Choice struct {
	Value string `json:"value"` // JSON: "\"FULL\"", "3"
	Doc   string `json:"doc,omitempty"`
}

// ShapeKind is how a place is edited.
type ShapeKind string

const (
	ShapeNone      ShapeKind = ""          // no document
	ShapeObject    ShapeKind = "object"    // fields by name
	ShapeList      ShapeKind = "list"      // rows of Elem
	ShapeMap       ShapeKind = "map"       // rows of a key and Elem
	ShapeUnion     ShapeKind = "union"     // one of Variants
	ShapeString    ShapeKind = "string"    //
	ShapeInteger   ShapeKind = "integer"   // whole number; 64-bit ones may be JSON strings
	ShapeNumber    ShapeKind = "number"    //
	ShapeBool      ShapeKind = "bool"      //
	ShapeEnum      ShapeKind = "enum"      // one of Choices
	ShapeBytes     ShapeKind = "bytes"     // base64 in the document; text, hex: or @file in an editor
	ShapeTime      ShapeKind = "time"      // RFC 3339; "now-1h" in an editor
	ShapeDuration  ShapeKind = "duration"  // protobuf's "1.5s"
	ShapeFieldMask ShapeKind = "fieldmask" // "a,b.c"
	ShapeFile      ShapeKind = "file"      // the name of a local file, for multipart
	ShapeAny       ShapeKind = "any"       // any JSON
)
