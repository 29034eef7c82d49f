package graphql

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// violations holds a document and its variables against the schema: "query
// LINE:COLUMN: rule", "variables.PATH: what was expected".
func violations(s *ast.Schema, doc *ast.QueryDocument, r *request) []string {
	out := queryViolations(s, doc)
	op := doc.Operations.ForName(r.OperationName)
	if op == nil {
		if r.OperationName != "" {
			return append(out, fmt.Sprintf("operationName: the document has no operation %q", r.OperationName))
		}
		return append(out, "operationName: the document has several operations; say which is meant")
	}
	j := &judge{schema: s}
	j.variables(op, r.Variables)
	return append(out, j.found...)
}

// queryViolations runs the rules of the specification. What breaks the
// validator is left to the server to judge.
func queryViolations(s *ast.Schema, doc *ast.QueryDocument) (out []string) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	if len(doc.Operations) == 0 {
		return []string{"query: the document has no operation"}
	}
	for i, e := range validator.ValidateWithRules(s, doc, nil) {
		if i == maxViolations {
			break
		}
		out = append(out, ruleBroken(e))
	}
	return out
}

func ruleBroken(e *gqlerror.Error) string {
	at := "query"
	if len(e.Locations) > 0 {
		at = fmt.Sprintf("query %d:%d", e.Locations[0].Line, e.Locations[0].Column)
	}
	return at + ": " + e.Message
}

// summed is several violations in one line.
func summed(all []string) string {
	const few = 3
	text := strings.Join(all[:min(few, len(all))], "; ")
	if len(all) > few {
		text += fmt.Sprintf("; and %d more", len(all)-few)
	}
	return text
}

// isStale reports whether a violation may come from a schema that has changed
// since it was read.
func isStale(all []string) bool {
	for _, v := range all {
		for _, words := range []string{"Cannot query field", "Unknown argument", "Unknown type", "has no such field", "no value of", "does not exist in"} {
			if strings.Contains(v, words) {
				return true
			}
		}
	}
	return false
}
