package filter

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"iscope/probes"
)

// term makes a term of a node and says what is known of its type.
func (b *builder) term(n ast.Node) (term, typ, error) {
	switch n := n.(type) {
	case *ast.NilNode:
		return &constant{}, tNil, nil
	case *ast.BoolNode:
		return &constant{boolValue(n.Value)}, tBool, nil
	case *ast.IntegerNode:
		return &constant{intValue(int64(n.Value))}, tNumber, nil
	case *ast.FloatNode:
		return &constant{floatValue(n.Value)}, tNumber, nil
	case *ast.StringNode:
		return &constant{textValue(n.Value)}, tText, nil
	case *ast.ArrayNode:
		return b.literalList(n)
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode, *ast.ChainNode:
		return b.path(n)
	case *ast.BuiltinNode:
		return b.call(n, n.Name, n.Arguments)
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return b.call(n, name.Value, n.Arguments)
		}
		return nil, tAny, b.wrong(n, b.functionNames(), "%s is no function", label(n.Callee))
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			return b.sign(n)
		}
		return b.judged(n)
	case *ast.BinaryNode:
		if strings.Contains("+-*/%", n.Operator) {
			return b.arith(n)
		}
		if n.Operator == "**" || n.Operator == "^" || n.Operator == ".." || n.Operator == "??" {
			return nil, tAny, b.wrong(n, "", "%s is not part of the filter language", n.Operator)
		}
		return b.judged(n)
	}
	return nil, tAny, b.wrong(n, "see iscope help filter", "%s is not part of the filter language", construct(n))
}

// construct names what the parser knows and filters do not.
func construct(n ast.Node) string {
	switch n.(type) {
	case *ast.ConditionalNode:
		return "if, or ?:,"
	case *ast.SliceNode:
		return "a part of a list ([a:b])"
	case *ast.MapNode:
		return "an object in braces"
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		return "let, or a semicolon,"
	case *ast.BytesNode:
		return `b"…"`
	}
	return label(n)
}

// judged makes a value of a condition.
func (b *builder) judged(n ast.Node) (term, typ, error) {
	c, err := b.cond(n, false)
	return &judged{c}, tBool, err
}

func (b *builder) sign(n *ast.UnaryNode) (term, typ, error) {
	t, typ, err := b.term(n.Node)
	if err != nil || n.Operator == "+" {
		return t, typ, err
	}
	if c, ok := t.(*constant); ok && typ == tNumber {
		if c.v.kind == intK {
			return &constant{intValue(-c.v.n)}, tNumber, nil
		}
		return &constant{floatValue(-c.v.float())}, tNumber, nil
	}
	return b.calculated(n, '-', &constant{intValue(0)}, t, tNumber, typ)
}

func (b *builder) arith(n *ast.BinaryNode) (term, typ, error) {
	x, tx, err := b.term(n.Left)
	if err != nil {
		return nil, tAny, err
	}
	y, ty, err := b.term(n.Right)
	if err != nil {
		return nil, tAny, err
	}
	return b.calculated(n, n.Operator[0], x, y, tx, ty)
}

// calculated checks the types of a calculation.
func (b *builder) calculated(n ast.Node, op byte, x, y term, tx, ty typ) (term, typ, error) {
	t := &arith{op, x, y, label(n)}
	loose := func(t typ) bool { return t == tAny || t == tLoose }
	switch {
	case op == '-' && tx == tTime && ty == tTime:
		return t, tDuration, nil
	case op == '-' && tx == tTime && ty == tDuration, op == '+' && tx == tTime && ty == tDuration, op == '+' && tx == tDuration && ty == tTime:
		return t, tTime, nil
	case (op == '-' || op == '+') && tx == tDuration && ty == tDuration:
		return t, tDuration, nil
	case (tx == tNumber || loose(tx)) && (ty == tNumber || loose(ty)):
		return t, tNumber, nil
	}
	return nil, tAny, b.wrong(n, "", "%c does not work with %s and %s", op, tx, ty)
}

// literalList makes a list of literals.
func (b *builder) literalList(n *ast.ArrayNode) (term, typ, error) {
	list := make([]value, 0, len(n.Nodes))
	for _, e := range n.Nodes {
		t, typ, err := b.term(e)
		if err != nil {
			return nil, tAny, err
		}
		c, ok := t.(*constant)
		if !ok || typ == tList {
			return nil, tAny, b.wrong(e, "", "a list holds literals only, such as [1, 2] or [\"a\", \"b\"]")
		}
		list = append(list, c.v)
	}
	return &constant{value{kind: listK, list: &list}}, tList, nil
}

// typeOf is the type of a literal.
func typeOf(v *value) typ {
	switch v.kind {
	case nilK:
		return tNil
	case boolK:
		return tBool
	case intK, floatK, bigK:
		return tNumber
	case textK:
		return tText
	}
	return tAny
}

// path resolves names with members and indexes behind them.
func (b *builder) path(n ast.Node) (term, typ, error) {
	base, steps, err := b.flatten(n)
	if err != nil {
		return nil, tAny, err
	}
	switch base := base.(type) {
	case *ast.PointerNode:
		if len(b.scopes) == 0 || base.Name != "" {
			return nil, tAny, b.wrong(base, "", "#%s is not part of the filter language", base.Name)
		}
		in := b.scopes[len(b.scopes)-1]
		return &inElement{b.slot(in.want.add(steps)), b.name(pathName(in.name, steps)), steps}, tAny, nil
	case *ast.IdentifierNode:
		return b.named(n, base, steps)
	}
	return nil, tAny, b.wrong(n, "", "%s has no members", label(base))
}

// flatten takes a path apart, from its beginning.
func (b *builder) flatten(n ast.Node) (base ast.Node, steps []step, err error) {
	for {
		switch m := n.(type) {
		case *ast.ChainNode:
			n = m.Node
			continue
		case *ast.MemberNode:
			s, err := b.step(m.Property)
			if err != nil {
				return nil, nil, err
			}
			steps = append(steps, s)
			n = m.Node
			continue
		}
		slices.Reverse(steps)
		return n, steps, nil
	}
}

func (b *builder) step(n ast.Node) (step, error) {
	switch p := n.(type) {
	case *ast.StringNode:
		return step{key: p.Value}, nil
	case *ast.IntegerNode:
		return step{index: p.Value, item: true}, nil
	case *ast.UnaryNode:
		if i, ok := p.Node.(*ast.IntegerNode); ok && p.Operator == "-" {
			return step{index: -i.Value, item: true}, nil
		}
	}
	return step{}, b.wrong(n, "any(list, condition) asks every element", "an index is a number or a name in quotes")
}

func (b *builder) named(n ast.Node, base *ast.IdentifierNode, steps []step) (term, typ, error) {
	v, name := b.vocabulary, base.Value
	switch {
	case name == "body" && v.hasRoot(name):
		return b.inBody(n, steps)
	case (name == "headers" || name == "attrs") && v.hasRoot(name):
		return b.lookup(n, name, steps)
	}
	f := v.field(name)
	switch {
	case f != nil && len(steps) > 0:
		if t, ok := b.dotted(name, steps); ok {
			return t, tLoose, nil
		}
		return nil, tAny, b.wrong(n, "", "%s has no members: it is %s", name, f.typ)
	case f != nil && f.attrs != nil:
		return &attr{f.attrs, b.name(name), f.as}, f.typ, nil
	case f != nil:
		return &known{f}, f.typ, nil
	}
	if t, ok := b.dotted(name, steps); ok {
		return t, tLoose, nil
	}
	if v.function(name) != nil {
		return nil, tAny, b.wrong(base, "write "+v.function(name).call, "%s is a function", name)
	}
	message := "no field is called %q"
	if len(v.roots) == 1 && (name == "body" || name == "raw" || name == "headers" || recordVocabulary().field(name) != nil) {
		message = "rows of lists have no %q"
	}
	hint := v.hint(name)
	if len(b.scopes) > 0 {
		hint = "a field of the element is ." + name + "; " + hint
	}
	return nil, tAny, b.wrong(base, hint, message, name)
}

// dotted recognises the full name of an attribute.
func (b *builder) dotted(name string, steps []step) (term, bool) {
	for _, s := range steps {
		if s.item {
			return nil, false
		}
		name += "." + s.key
	}
	if !slices.Contains(b.vocabulary.attrs, name) {
		return nil, false
	}
	return &attr{[]string{name}, b.name(name), looseValue}, true
}

func (b *builder) inBody(n ast.Node, steps []step) (term, typ, error) {
	slot := b.slot(b.code.body.add(steps))
	return &inBody{slot, b.name(pathName("body", steps)), steps, label(n)}, tAny, nil
}

// pathName writes a path as people do.
func pathName(root string, steps []step) string {
	for _, s := range steps {
		switch {
		case s.item:
			root += "[" + strconv.Itoa(s.index) + "]"
		case plainName(s.key):
			root += "." + s.key
		default:
			root += "[" + strconv.Quote(s.key) + "]"
		}
	}
	return root
}

func plainName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !letter(s[i]) && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// lookup is headers["x"] or attrs["x"], or all of them.
func (b *builder) lookup(n ast.Node, root string, steps []step) (term, typ, error) {
	if len(steps) == 0 {
		k := headerK
		if root == "attrs" {
			k = attrK
		}
		return &constant{value{kind: k}}, tList, nil
	}
	if len(steps) > 1 || steps[0].item {
		return nil, tAny, b.wrong(n, "", `%s are asked by one name: %s["name"]`, root, root)
	}
	name := steps[0].key
	if root == "headers" {
		return b.header(name), tLoose, nil
	}
	if short := b.vocabulary.field(name); short != nil && short.attrs != nil {
		return &attr{short.attrs, b.name(name), short.as}, short.typ, nil
	}
	return &attr{[]string{name}, b.name(pathName("attrs", steps)), looseValue}, tLoose, nil
}

func (b *builder) header(name string) term {
	return &header{name, b.name(`header(` + strconv.Quote(name) + `)`)}
}

func (b *builder) functionNames() string {
	var names []string
	for _, f := range b.vocabulary.funcs {
		names = append(names, f.name)
	}
	return probes.NearestHint("", names)
}
