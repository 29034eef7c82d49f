package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"iscope/probes"
)

// request is the JSON of GraphQL over HTTP (draft, §5.1).
type request struct {
	Query         string          `json:"query"`
	Variables     json.RawMessage `json:"variables,omitempty"`
	OperationName string          `json:"operationName,omitempty"`
	Extensions    json.RawMessage `json:"extensions,omitempty"`

	depth int  // asked for, 0 if not
	made  bool // the query is ours
}

// oneDocument reads the request document and sees to it that it is the only
// one; nil if there is none.
func oneDocument(ctx context.Context, next func(context.Context) ([]byte, error)) ([]byte, error) {
	if next == nil {
		return nil, nil
	}
	text, err := next(ctx)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := next(ctx); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("a GraphQL operation has one document, got more than one")
		}
		return nil, err
	}
	return text, nil
}

// readDocument reads a request document in either of its forms (see the
// package's documentation). args are the arguments of the method's field.
func readDocument(text []byte, args []string) (*request, error) {
	if len(text) > 0 && text[0] == probes.WireDocument {
		text = text[1:]
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return &request{}, nil
	}
	if isDocument(string(text)) {
		return &request{Query: string(text)}, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, badJSON(text, err)
	}
	if !isRequest(fields, args) {
		return &request{Variables: bytes.TrimSpace(text)}, nil
	}
	r := &request{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var err error
		switch value := fields[name]; name {
		case "query":
			err = json.Unmarshal(value, &r.Query)
		case "variables":
			r.Variables = value
		case "operationName":
			err = json.Unmarshal(value, &r.OperationName)
		case "extensions":
			r.Extensions = value
		case "depth":
			if err = json.Unmarshal(value, &r.depth); err == nil && (r.depth < 1 || r.depth > maxDepth) {
				err = fmt.Errorf("use a number from 1 to %d", maxDepth)
			}
		default:
			err = fmt.Errorf("a request has no such field; %s",
				probes.NearestHint(name, []string{"query", "variables", "operationName", "extensions", "depth"}))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s", name, plainJSON(err))
		}
	}
	if r.Query != "" && r.depth != 0 {
		return nil, errors.New("depth: it goes with a query that is made from the schema; leave query out, or depth")
	}
	return r, nil
}

// isRequest tells the two forms of a document apart.
func isRequest(fields map[string]json.RawMessage, args []string) bool {
	isArg := func(name string) bool { return slices.Contains(args, name) }
	if v, ok := fields["variables"]; ok && !isArg("variables") {
		return len(v) > 0 && (v[0] == '{' || string(v) == "null")
	}
	if v, ok := fields["query"]; ok {
		var text string
		if !isArg("query") || json.Unmarshal(v, &text) == nil && isDocument(text) {
			return true
		}
	}
	for name := range fields {
		if isArg(name) || name != "operationName" && name != "extensions" && name != "depth" {
			return false
		}
	}
	return len(fields) > 0
}

// badJSON says where a text is no JSON object.
func badJSON(text []byte, err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("the document is a %s, not a JSON object", wrong.Value)
	}
	offset := int64(len(text))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && !strings.Contains(syntax.Error(), "unexpected end") {
		offset = syntax.Offset - 1
	}
	line, column := lineColumn(text, offset)
	return fmt.Errorf("the document is no JSON: line %d:%d: %w", line, column, err)
}

// plainJSON words a type error without Go's names.
func plainJSON(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("expected %s, got a %s", wrong.Type, wrong.Value)
	}
	return err.Error()
}

// isDocument reports whether a text is meant as a GraphQL document. A JSON object
// goes on with a quote or ends at once.
func isDocument(text string) bool {
	text = strings.TrimSpace(text)
	word, rest, found := strings.Cut(text, "{")
	rest = strings.TrimSpace(rest)
	if !found || word == "" && (rest == "" || rest[0] == '"' || rest[0] == '}') {
		return false
	}
	word, _, _ = strings.Cut(strings.TrimSpace(word), " ")
	word, _, _ = strings.Cut(word, "(")
	return word == "" || isKind(word) || word == "fragment" || strings.HasPrefix(word, "#")
}

// kindOfText reads what a document does: the kind of the operation that is
// named, or of the only one. Of several without a name, the server refuses all;
// that one of them writes is what counts then.
func kindOfText(text, operationName string) (ast.Operation, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return "", queryError(err)
	}
	return kindOfDocument(doc, operationName)
}

func kindOfDocument(doc *ast.QueryDocument, operationName string) (ast.Operation, error) {
	if len(doc.Operations) == 0 {
		return "", errors.New("the document has no operation")
	}
	if op := doc.Operations.ForName(operationName); op != nil {
		return op.Operation, nil
	}
	kind := doc.Operations[0].Operation
	for _, op := range doc.Operations {
		if op.Operation == ast.Mutation {
			kind = ast.Mutation
		}
	}
	return kind, nil
}

// queryError words an error of the parser.
func queryError(err error) error {
	var e *gqlerror.Error
	if errors.As(err, &e) {
		if len(e.Locations) > 0 {
			return fmt.Errorf("query %d:%d: %s", e.Locations[0].Line, e.Locations[0].Column, e.Message)
		}
		return errors.New("query: " + e.Message)
	}
	return err
}
