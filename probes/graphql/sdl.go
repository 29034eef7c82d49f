package graphql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// parseSDL reads a schema as people write it. Definitions that cannot be read are
// left out with a warning that has line and column; an error means that nothing
// was left.
func parseSDL(text string) (*parts, error) {
	p := &parts{}
	doc, err := parser.ParseSchema(&ast.Source{Input: text})
	if err == nil {
		p.take(doc)
		return p, nil
	}
	var first string
	for _, c := range cutSDL(text) {
		doc, err := parser.ParseSchema(&ast.Source{Input: c.text})
		if err != nil {
			at, why := c.place(err)
			if first == "" {
				first = fmt.Sprintf("line %d:%d: %s", at.Line, at.Column, why)
			}
			p.warn(at, "%s", why)
			continue
		}
		shift(doc, c.line-1)
		p.take(doc)
	}
	if len(p.defs)+len(p.extensions) == 0 {
		return nil, errors.New(first)
	}
	return p, nil
}

func (p *parts) take(doc *ast.SchemaDocument) {
	p.defs = append(p.defs, doc.Definitions...)
	p.extensions = append(p.extensions, doc.Extensions...)
	p.directives = append(p.directives, doc.Directives...)
	for i, d := range append(doc.Schema, doc.SchemaExtension...) {
		if i == 0 {
			p.text = d.Description
		}
		for _, o := range d.OperationTypes {
			if p.roots == nil {
				p.roots = map[ast.Operation]string{}
			}
			p.roots[o.Operation] = o.Type
		}
	}
}

// chunk is one definition of a broken schema, with the line it starts in.
type chunk struct {
	text string
	line int
}

// place finds where in the whole text a parser's error is.
func (c *chunk) place(err error) (*ast.Position, string) {
	var e *gqlerror.Error
	if errors.As(err, &e) && len(e.Locations) > 0 {
		return &ast.Position{Line: e.Locations[0].Line + c.line - 1, Column: e.Locations[0].Column}, e.Message
	}
	return &ast.Position{Line: c.line, Column: 1}, err.Error()
}

// shift moves the places of a chunk's definitions to where they are in the whole.
func shift(doc *ast.SchemaDocument, lines int) {
	move := func(at *ast.Position) {
		if at != nil {
			at.Line += lines
		}
	}
	for _, d := range append(doc.Definitions, doc.Extensions...) {
		move(d.Position)
		for _, f := range d.Fields {
			move(f.Position)
			for _, a := range f.Arguments {
				move(a.Position)
			}
		}
		for _, v := range d.EnumValues {
			move(v.Position)
		}
	}
	for _, d := range doc.Directives {
		move(d.Position)
	}
}

// cutSDL cuts a text before every line that looks like the beginning of a
// definition. Texts between quotes are left whole; braces are not counted,
// because one that is missing is just what may be wrong.
func cutSDL(text string) []chunk {
	var out []chunk
	start, startLine := 0, 1
	described := false // a description belongs to the definition that follows
	inBlock := false
	line := 0
	for at := 0; at < len(text); {
		line++
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += at + 1
		}
		row := text[at:end]
		if !inBlock && begins(row) {
			if !described && at > start {
				out = append(out, chunk{text[start:at], startLine})
				start, startLine = at, line
			}
			described = strings.HasPrefix(row, `"`)
		}
		if strings.Count(strings.ReplaceAll(row, `\"""`, ""), `"""`)%2 == 1 {
			inBlock = !inBlock
		}
		at = end
	}
	return append(out, chunk{text[start:], startLine})
}

// begins recognises the first line of a definition or of its description: by
// habit these are not indented, while fields are.
func begins(row string) bool {
	for _, word := range []string{`"`, "type ", "interface ", "union ", "enum ", "input ", "scalar ", "schema", "directive ", "extend "} {
		if strings.HasPrefix(row, word) {
			return true
		}
	}
	return false
}
