package filter

import (
	"regexp"
	"regexp/syntax"
	"time"

	"github.com/expr-lang/expr/ast"

	"iscope/probes"
)

// cond makes a condition of a node. With neg it is the condition's negation,
// which is moved inwards as far as it goes.
func (b *builder) cond(n ast.Node, neg bool) (cond, error) {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return b.cond(n.Node, !neg)
		}
	case *ast.BinaryNode:
		return b.binary(n, neg)
	case *ast.BoolNode:
		return fixed(n.Value != neg), nil
	case *ast.BuiltinNode:
		switch n.Name {
		case "any", "all", "none":
			return b.quant(n, neg)
		}
	}
	t, typ, err := b.term(n)
	if err != nil {
		return nil, err
	}
	switch typ {
	case tAny, tBool, tLoose:
		return negated(&isTrue{t, label(n)}, neg), nil
	}
	return nil, b.wrong(n, "compare it with something, such as "+label(n)+" != nil", "%s is %s, not a condition", label(n), typ)
}

func negated(c cond, neg bool) cond {
	if neg {
		return not{c}
	}
	return c
}

func (b *builder) binary(n *ast.BinaryNode, neg bool) (cond, error) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		return b.junction(n, neg)
	case "in":
		c, err := b.in(n)
		return negated(c, neg), err
	case "matches":
		c, err := b.regexp(n)
		return negated(c, neg), err
	}
	if o, ok := comparison(n.Operator); ok {
		return b.compare(n, o, neg)
	}
	if o, ok := textOperator(n.Operator); ok {
		a, ta, err := b.term(n.Left)
		if err != nil {
			return nil, err
		}
		c, tc, err := b.term(n.Right)
		if err != nil {
			return nil, err
		}
		if err := b.needsText(n.Left, ta, n.Operator); err != nil {
			return nil, err
		}
		if err := b.needsText(n.Right, tc, n.Operator); err != nil {
			return nil, err
		}
		return negated(&search{o, a, c, label(n)}, neg), nil
	}
	return nil, b.wrong(n, "", "%s makes a value, not a condition", n.Operator)
}

func (b *builder) needsText(n ast.Node, t typ, operator string) error {
	switch t {
	case tNumber, tBool, tTime, tDuration, tNil:
		return b.wrong(n, "", "%s needs text; %s is %s", operator, label(n), t)
	}
	return nil
}

// junction flattens and and or, and turns them around below a negation.
func (b *builder) junction(n *ast.BinaryNode, neg bool) (cond, error) {
	x, err := b.cond(n.Left, neg)
	if err != nil {
		return nil, err
	}
	y, err := b.cond(n.Right, neg)
	if err != nil {
		return nil, err
	}
	if and := n.Operator == "and" || n.Operator == "&&"; and != neg {
		var out all
		for _, c := range [...]cond{x, y} {
			if list, ok := c.(all); ok {
				out = append(out, list...)
			} else {
				out = append(out, c)
			}
		}
		return out, nil
	}
	var out some
	for _, c := range [...]cond{x, y} {
		if list, ok := c.(some); ok {
			out = append(out, list...)
		} else {
			out = append(out, c)
		}
	}
	return out, nil
}

func (b *builder) compare(n *ast.BinaryNode, o op, neg bool) (cond, error) {
	x, tx, err := b.term(n.Left)
	if err != nil {
		return nil, err
	}
	y, ty, err := b.term(n.Right)
	if err != nil {
		return nil, err
	}
	if x, tx, err = b.convert(n.Left, x, tx, ty); err != nil {
		return nil, err
	}
	if y, ty, err = b.convert(n.Right, y, ty, tx); err != nil {
		return nil, err
	}
	if !canCompare(o, tx, ty) {
		return nil, b.wrong(n, unlike(n, tx, ty), "%s and %s cannot be compared with %s: %s and %s", label(n.Left), label(n.Right), n.Operator, tx, ty)
	}
	if err := b.known(n.Left, x, n.Right); err != nil {
		return nil, err
	}
	if err := b.known(n.Right, y, n.Left); err != nil {
		return nil, err
	}
	if neg && o <= opDiffer {
		o, neg = opDiffer-o, false
	}
	return negated(&compare{o, x, y, label(n)}, neg), nil
}

// unlike says how to write what could be compared.
func unlike(n *ast.BinaryNode, a, b typ) string {
	switch {
	case a == tTime || b == tTime:
		return `a time is written ago("5m"), "14:30" or "2026-11-22T14:03:00Z"`
	case a == tDuration || b == tDuration:
		return `a duration is written "1.5s"`
	}
	for _, side := range [...]ast.Node{n.Left, n.Right} {
		if minus, ok := side.(*ast.BinaryNode); ok && minus.Operator == "-" {
			return `a name with a dash is written in quotes: headers["x-id"]`
		}
	}
	return ""
}

// canCompare reports whether two types may be equal or have an order.
func canCompare(o op, a, b typ) bool {
	ordered := o > opDiffer
	for range 2 {
		a, b = b, a
		switch {
		case a == tNil:
			return !ordered
		case ordered && (a == tBool || a == tList):
			return false
		case a == tAny, a == tLoose && b != tList:
			return !ordered || b != tBool && b != tList && b != tNil
		}
	}
	return a == b
}

// convert makes a time or duration of literal text that is compared with one.
func (b *builder) convert(n ast.Node, t term, own, other typ) (term, typ, error) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return t, own, nil
	}
	switch other {
	case tTime:
		v, err := b.timeOf(n, s.Value)
		return v, tTime, err
	case tDuration:
		v, err := b.durationOf(n, s.Value)
		return v, tDuration, err
	}
	return t, own, nil
}

// timeOf reads a time as --from does.
func (b *builder) timeOf(n ast.Node, s string) (term, error) {
	p, err := probes.ParsePosition("@"+s, b.now)
	if err != nil {
		return nil, b.wrong(n, "", "%v", err)
	}
	return &constant{value{kind: timeK, n: p.Time.Unix(), nsec: int32(p.Time.Nanosecond())}}, nil
}

func (b *builder) durationOf(n ast.Node, s string) (term, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return nil, b.wrong(n, "", "%q is no duration; try 1.5s or 5m", s)
	}
	return &constant{durValue(d)}, nil
}

// known refuses a literal that a field never has.
func (b *builder) known(n ast.Node, t term, literal ast.Node) error {
	s, ok := literal.(*ast.StringNode)
	f, ok2 := t.(*known)
	if !ok || !ok2 || f.f.values == nil {
		return nil
	}
	for _, v := range f.f.values {
		if v == s.Value {
			return nil
		}
	}
	return b.wrong(literal, probes.NearestHint(s.Value, f.f.values), "%s is never %q", label(n), s.Value)
}

func (b *builder) in(n *ast.BinaryNode) (cond, error) {
	x, tx, err := b.term(n.Left)
	if err != nil {
		return nil, err
	}
	y, ty, err := b.term(n.Right)
	if err != nil {
		return nil, err
	}
	if ty != tAny && ty != tList {
		return nil, b.wrong(n.Right, "for a part of a text: "+label(n.Right)+" contains "+label(n.Left), "in needs a list; %s is %s", label(n.Right), ty)
	}
	if lit, ok := n.Right.(*ast.ArrayNode); ok {
		for i, e := range *y.(*constant).v.list {
			if !canCompare(opEqual, tx, typeOf(&e)) {
				return nil, b.wrong(lit.Nodes[i], "", "%s is %s, and never %s", label(n.Left), tx, label(lit.Nodes[i]))
			}
			if err := b.known(n.Left, x, lit.Nodes[i]); err != nil {
				return nil, err
			}
		}
	}
	return &isIn{x, y, label(n)}, nil
}

func (b *builder) regexp(n *ast.BinaryNode) (cond, error) {
	x, tx, err := b.term(n.Left)
	if err != nil {
		return nil, err
	}
	if err := b.needsText(n.Left, tx, n.Operator); err != nil {
		return nil, err
	}
	lit, ok := n.Right.(*ast.StringNode)
	if !ok {
		return nil, b.wrong(n.Right, `such as matches "^a.*z$"`, "matches needs a regular expression in quotes")
	}
	tree, err := syntax.Parse(lit.Value, syntax.Perl)
	if err != nil {
		return nil, b.wrong(lit, "the syntax is RE2: https://github.com/google/re2/wiki/Syntax", "%v", err)
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxRegexp {
		return nil, b.wrong(lit, "", "the regular expression is too large")
	}
	re, err := regexp.Compile(lit.Value)
	if err != nil {
		return nil, b.wrong(lit, "", "%v", err)
	}
	return &matches{a: x, re: re, atEnd: looksAhead(tree), where: label(n)}, nil
}

// looksAhead reports whether an expression asks what follows a match.
func looksAhead(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndLine, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, sub := range re.Sub {
		if looksAhead(sub) {
			return true
		}
	}
	return false
}
