package jsonschema

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// part is a schema object that is being compiled. The first thing that is wrong
// with it is kept, and ends it.
type part struct {
	*compiler
	node   *node
	schema map[string]any
	where  string // JSON pointer with #
	err    error
}

// compile turns the keywords into rules. Those that ask what others have looked at
// come last.
func (p *part) compile() {
	if p.references(); p.schema["$ref"] != nil && p.node.res.draft <= Draft7 {
		return // what stands beside a reference does not count
	}
	p.value()
	p.number()
	p.text()
	p.array()
	p.object()
	p.combined()
	p.unevaluated()
}

func (p *part) add(r rule) { p.node.rules = append(p.node.rules, r) }

func (p *part) wrong(keyword, what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%s/%s %s", p.where, keyword, what)
	}
}

// sub compiles a schema in this one.
func (p *part) sub(v any, where string) *node {
	n, err := p.compiler.node(p.node.res, v, where)
	if err != nil && p.err == nil {
		p.err = err
	}
	return n
}

// schemaAt is the schema of a keyword, nil without it.
func (p *part) schemaAt(keyword string) *node {
	v, ok := p.schema[keyword]
	if !ok || p.err != nil {
		return nil
	}
	return p.sub(v, p.where+"/"+keyword)
}

// listAt are the schemas of a keyword.
func (p *part) listAt(keyword string) (all []*node) {
	v, ok := p.schema[keyword]
	if !ok || p.err != nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		p.wrong(keyword, "is no list of schemas")
	}
	for i, v := range list {
		all = append(all, p.sub(v, fmt.Sprintf("%s/%s/%d", p.where, keyword, i)))
	}
	return all
}

// named are the schemas of a keyword by name.
func (p *part) named(keyword string) map[string]*node {
	v, ok := p.schema[keyword]
	if !ok || p.err != nil {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		p.wrong(keyword, "is no object")
		return nil
	}
	all := make(map[string]*node, len(m))
	for _, name := range sortedNames(m) {
		all[name] = p.sub(m[name], p.where+"/"+keyword+"/"+escape(name))
	}
	return all
}

func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// texts is a keyword's list of strings.
func (p *part) texts(keyword string, v any) (all []string) {
	list, ok := v.([]any)
	if !ok {
		p.wrong(keyword, "is no list of names")
	}
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			p.wrong(keyword, "has something in it that is no name")
		}
		all = append(all, s)
	}
	return all
}

// count is a keyword's size, -1 without it.
func (p *part) count(keyword string) int {
	v, ok := p.schema[keyword]
	if !ok {
		return -1
	}
	r, isNumber := numberOf(v)
	if !isNumber || r == nil || !r.IsInt() || r.Sign() < 0 || !r.Num().IsInt64() {
		p.wrong(keyword, "is no size")
		return -1
	}
	const largest = 1 << 40
	return int(min(r.Num().Int64(), largest))
}

// pattern reads a regular expression. They are JavaScript's; those that Go does not
// have, such as look-ahead, are an error.
func (p *part) pattern(keyword, text string) *regexp.Regexp {
	re, err := regexp.Compile(text)
	if err != nil {
		p.wrong(keyword, "cannot be used: "+err.Error())
	}
	return re
}

// isObject and its like tell JSON's types.
func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number, float64, int, int64:
		if whole(v) {
			return "integer"
		}
		return "number"
	}
	return fmt.Sprintf("%T", v)
}
