package filter

import (
	"time"

	"github.com/expr-lang/expr/ast"

	"iscope/probes"
)

// quant makes any, all or none of a call.
func (b *builder) quant(n *ast.BuiltinNode, neg bool) (cond, error) {
	list, want, c, err := b.predicate(n, n.Arguments)
	if err != nil {
		return nil, err
	}
	q := &quant{list: list, want: want, c: c, where: label(n)}
	switch n.Name {
	case "all":
		q.of = quantAll
	case "none":
		q.of = quantNone
	}
	switch {
	case neg && q.of == quantAny:
		q.of, neg = quantNone, false
	case neg && q.of == quantNone:
		q.of, neg = quantAny, false
	}
	return negated(q, neg), nil
}

// predicate makes the list and the condition about its elements.
func (b *builder) predicate(n ast.Node, args []ast.Node) (term, *wanted, cond, error) {
	if len(args) != 2 {
		return nil, nil, nil, b.wrong(n, "such as any(body.items, .price > 10)", "a list and a condition are needed")
	}
	list, typ, err := b.term(args[0])
	if err != nil {
		return nil, nil, nil, err
	}
	if typ != tAny && typ != tList {
		return nil, nil, nil, b.wrong(args[0], "", "%s is %s, not a list", label(args[0]), typ)
	}
	body := args[1]
	if p, ok := body.(*ast.PredicateNode); ok {
		body = p.Node
	}
	if body == nil {
		return nil, nil, nil, b.wrong(n, "such as any(body.items, .price > 10)", "the condition is missing")
	}
	want := &wanted{slot: -1}
	b.scopes = append(b.scopes, scope{want, nameOf(list, b.code) + "[]"})
	c, err := b.cond(body, false)
	b.scopes = b.scopes[:len(b.scopes)-1]
	return list, want, c, err
}

// call makes a term of a function.
func (b *builder) call(n ast.Node, name string, args []ast.Node) (term, typ, error) {
	f := b.vocabulary.function(name)
	if f == nil {
		var names []string
		for _, f := range b.vocabulary.funcs {
			names = append(names, f.name)
		}
		return nil, tAny, b.wrong(n, probes.NearestHint(name, names), "no function is called %q", name)
	}
	switch name {
	case "any", "all", "none":
		return b.judged(n)
	case "count":
		if len(args) == 2 {
			list, want, c, err := b.predicate(n, args)
			return &counted{list, want, c, label(n)}, tNumber, err
		}
		name = "len"
	}
	if len(args) != 1 || args[0] == nil {
		return nil, tAny, b.wrong(n, "such as "+f.call, "%s takes one argument", name)
	}
	switch name {
	case "header", "ago", "at", "duration":
		return b.literalCall(n, name, args[0])
	}
	x, typ, err := b.term(args[0])
	if err != nil {
		return nil, tAny, err
	}
	where := label(n)
	switch name {
	case "len":
		if typ == tNumber || typ == tBool || typ == tTime || typ == tDuration {
			return nil, tAny, b.wrong(args[0], "", "%s is %s and has no length", label(args[0]), typ)
		}
		return &length{x, where}, tNumber, nil
	case "number":
		return &toNumber{x, where}, tNumber, nil
	case "text":
		return &asText{x, where}, tText, nil
	}
	if err := b.needsText(args[0], typ, name); err != nil {
		return nil, tAny, err
	}
	return &cased{x, name == "upper", where}, tText, nil
}

// literalCall is a function of a literal: it is evaluated now.
func (b *builder) literalCall(n ast.Node, name string, arg ast.Node) (term, typ, error) {
	s, ok := arg.(*ast.StringNode)
	if !ok {
		return nil, tAny, b.wrong(arg, "such as "+b.vocabulary.function(name).call, "%s needs text in quotes", name)
	}
	switch name {
	case "header":
		return b.header(s.Value), tLoose, nil
	case "at":
		t, err := b.timeOf(arg, s.Value)
		return t, tTime, err
	case "duration":
		t, err := b.durationOf(arg, s.Value)
		return t, tDuration, err
	}
	d, err := time.ParseDuration(s.Value)
	if err != nil {
		return nil, tAny, b.wrong(arg, "", "%q is no duration; try 90s or 5m", s.Value)
	}
	return &constant{timeValue(b.now.Add(-d))}, tTime, nil
}

// nameOf names a list in the account of what is absent.
func nameOf(t term, c *code) string {
	switch t := t.(type) {
	case *inBody:
		return c.names[t.name]
	case *inElement:
		return c.names[t.name]
	}
	return "list"
}
