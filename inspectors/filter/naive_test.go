package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"iscope/probes"
)

// naive evaluates an expression as its documentation reads: the whole body is
// decoded by encoding/json, every operand is evaluated, numbers are rationals.
// It shares the parser with the real thing, and nothing else.
type naive struct {
	rec     *probes.Record
	element []any
}

// dunno is what the naive evaluation cannot judge.
type dunno struct{ why string }

// literals is a list in the expression.
type literals []any

// loosely is text of a header, attribute or key.
type loosely string

func naiveVerdict(source string, r *probes.Record) verdict {
	tree, err := parser.Parse(source)
	if err != nil {
		panic(err)
	}
	n := &naive{rec: r}
	return n.judge(tree.Node)
}

func (n *naive) judge(node ast.Node) verdict {
	switch v := n.eval(node).(type) {
	case bool:
		return truth(v)
	case nil:
		return no
	case loosely:
		if v == "true" || v == "false" {
			return truth(v == "true")
		}
	}
	return unsure
}

func (n *naive) body() any {
	r := n.rec
	if r.Cut > 0 {
		return dunno{"cut"}
	}
	if len(r.Body) == 0 {
		return nil
	}
	text := r.Body
	if text[0] == 0 { // what the test's decoder unpacks
		text = text[1:]
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return dunno{"no document"}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return dunno{"no document"}
	}
	return v
}

func (n *naive) eval(node ast.Node) any {
	switch node := node.(type) {
	case *ast.NilNode:
		return nil
	case *ast.BoolNode:
		return node.Value
	case *ast.IntegerNode:
		return json.Number(strconv.Itoa(node.Value))
	case *ast.FloatNode:
		return json.Number(strconv.FormatFloat(node.Value, 'g', -1, 64))
	case *ast.StringNode:
		return node.Value
	case *ast.ArrayNode:
		list := literals{}
		for _, e := range node.Nodes {
			list = append(list, n.eval(e))
		}
		return list
	case *ast.PointerNode:
		return n.element[len(n.element)-1]
	case *ast.IdentifierNode:
		return n.field(node.Value)
	case *ast.MemberNode:
		return n.member(node)
	case *ast.UnaryNode:
		if node.Operator == "-" {
			return json.Number("-" + string(n.eval(node.Node).(json.Number)))
		}
		switch n.judge(node.Node) {
		case yes:
			return false
		case no:
			return true
		}
		return dunno{"not"}
	case *ast.BinaryNode:
		return n.binary(node)
	case *ast.BuiltinNode:
		return n.builtin(node)
	case *ast.CallNode:
		v, ok := n.rec.HeaderValue(node.Arguments[0].(*ast.StringNode).Value)
		if !ok {
			return nil
		}
		return loosely(v)
	}
	panic(fmt.Sprintf("%T", node))
}

func (n *naive) field(name string) any {
	switch name {
	case "body":
		return n.body()
	case "kind":
		return n.rec.Kind.String()
	case "size":
		return json.Number(strconv.FormatInt(int64(len(n.rec.Body))+n.rec.Cut, 10))
	case "key":
		if n.rec.Key == nil {
			return nil
		}
		return loosely(n.rec.Key)
	case "partition":
		if v, ok := n.rec.Attr(probes.AttrPartition); ok {
			return loosely(v)
		}
		return nil
	}
	panic(name)
}

func (n *naive) member(node *ast.MemberNode) any {
	of := n.eval(node.Node)
	index := n.eval(node.Property)
	_, below := node.Node.(*ast.IdentifierNode) // of the body itself
	switch of := of.(type) {
	case dunno:
		return of
	case string, bool, json.Number:
		if below {
			return dunno{"no document"}
		}
	case map[string]any:
		if key, ok := index.(string); ok {
			return of[key]
		}
	case []any:
		if i, ok := index.(json.Number); ok {
			at, _ := strconv.Atoi(string(i))
			if at < 0 {
				at += len(of)
			}
			if at >= 0 && at < len(of) {
				return of[at]
			}
		}
	}
	return nil
}

func (n *naive) binary(node *ast.BinaryNode) any {
	switch node.Operator {
	case "and":
		return kleene(n.judge(node.Left), n.judge(node.Right), no)
	case "or":
		return kleene(n.judge(node.Left), n.judge(node.Right), yes)
	}
	a, b := n.eval(node.Left), n.eval(node.Right)
	equality := node.Operator == "==" || node.Operator == "!="
	if b == nil && !equality || a == nil && !equality && node.Operator != "in" {
		return false
	}
	for _, v := range [...]any{a, b} {
		if d, ok := v.(dunno); ok {
			return d
		}
	}
	switch node.Operator {
	case "==":
		return naiveEqual(a, b)
	case "!=":
		if eq, ok := naiveEqual(a, b).(bool); ok {
			return !eq
		}
		return dunno{"!="}
	case "in":
		return naiveIn(a, b)
	}
	switch node.Operator {
	case "<", ">", "<=", ">=":
		return naiveOrder(node.Operator, a, b)
	}
	part, ok := naiveText(b)
	if !ok {
		return dunno{"text"}
	}
	whole, ok := naiveText(a)
	if !ok {
		if node.Operator == "contains" {
			return naiveIn(b, a)
		}
		return dunno{"text"}
	}
	switch node.Operator {
	case "contains":
		return strings.Contains(whole, part)
	case "startsWith":
		return strings.HasPrefix(whole, part)
	case "endsWith":
		return strings.HasSuffix(whole, part)
	}
	return regexp.MustCompile(part).MatchString(whole)
}

// kleene joins two verdicts; end is the one that decides alone.
func kleene(a, b, end verdict) any {
	switch {
	case a == end || b == end:
		return end == yes
	case a == unsure || b == unsure:
		return dunno{"kleene"}
	}
	return end != yes
}

func (n *naive) builtin(node *ast.BuiltinNode) any {
	list := n.eval(node.Arguments[0])
	if d, ok := list.(dunno); ok {
		return d
	}
	if node.Name == "len" {
		switch list := list.(type) {
		case nil:
			return nil
		case []any:
			return json.Number(strconv.Itoa(len(list)))
		case map[string]any:
			return json.Number(strconv.Itoa(len(list)))
		case string:
			return json.Number(strconv.Itoa(len([]rune(list))))
		}
		return dunno{"len"}
	}
	if list == nil {
		return node.Name == "none"
	}
	var elements []any
	switch l := list.(type) {
	case []any:
		elements = l
	case map[string]any:
		for _, v := range l {
			elements = append(elements, v)
		}
	default:
		elements = []any{l}
	}
	somewhere, everywhere := no, yes
	for _, e := range elements {
		n.element = append(n.element, e)
		v := n.judge(node.Arguments[1].(*ast.PredicateNode).Node)
		n.element = n.element[:len(n.element)-1]
		somewhere = asVerdict(kleene(somewhere, v, yes))
		everywhere = asVerdict(kleene(everywhere, v, no))
	}
	out := somewhere
	switch node.Name {
	case "all":
		out = everywhere
	case "none":
		out = somewhere.negate()
	}
	if out == unsure {
		return dunno{"list"}
	}
	return out == yes
}

func asVerdict(v any) verdict {
	if b, ok := v.(bool); ok {
		return truth(b)
	}
	return unsure
}

func naiveText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case loosely:
		return string(v), true
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// rational reads a number; one with a fraction as the float64 it would be.
func rational(s string) (*big.Rat, bool) {
	if !regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`).MatchString(s) {
		return nil, false
	}
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, false
		}
		return new(big.Rat).SetFloat64(f), true
	}
	return new(big.Rat).SetString(s)
}

func number(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case json.Number:
		return rational(string(v))
	case loosely:
		return rational(string(v))
	}
	return nil, false
}

func naiveEqual(a, b any) any {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	_, looseA := a.(loosely)
	_, looseB := b.(loosely)
	_, numA := a.(json.Number)
	_, numB := b.(json.Number)
	if (numA || looseA) && (numB || looseB) && (numA || numB) {
		x, ok := number(a)
		y, ok2 := number(b)
		return ok && ok2 && x.Cmp(y) == 0
	}
	s, okA := naiveText(a)
	t, okB := naiveText(b)
	if okA && okB {
		if reflect.TypeOf(a) == reflect.TypeOf(b) || looseA || looseB {
			return s == t
		}
		if s == t {
			return dunno{"alike"}
		}
		return false
	}
	if nested(a) && nested(b) {
		return dunno{"two lists or objects of a document"}
	}
	x, okA := listOf(a)
	y, okB := listOf(b)
	if okA && okB && len(x) == len(y) {
		out := any(true)
		for i := range x {
			out = kleene(asVerdict(out), asVerdict(naiveEqual(x[i], y[i])), no)
		}
		return out
	}
	return false
}

func nested(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func listOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case literals:
		return v, true
	}
	return nil, false
}

func naiveOrder(op string, a, b any) any {
	var c int
	x, okA := number(a)
	y, okB := number(b)
	s, strA := a.(string)
	t, strB := b.(string)
	l, looseA := a.(loosely)
	m, looseB := b.(loosely)
	switch {
	case strA && strB:
		c = strings.Compare(s, t)
	case strA && looseB:
		c = strings.Compare(s, string(m))
	case looseA && strB:
		c = strings.Compare(string(l), t)
	case okA && okB:
		c = x.Cmp(y)
	case looseA && looseB:
		c = strings.Compare(string(l), string(m))
	default:
		return dunno{"order"}
	}
	switch op {
	case "<":
		return c < 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	}
	return c >= 0
}

func naiveIn(a, b any) any {
	switch list := b.(type) {
	case nil:
		return false
	case map[string]any:
		if a == nil {
			return false
		}
		key, ok := naiveText(a)
		if !ok {
			return dunno{"key"}
		}
		_, ok = list[key]
		return ok
	}
	if list, ok := listOf(b); ok {
		out := any(false)
		for _, e := range list {
			out = kleene(asVerdict(out), asVerdict(naiveEqual(e, a)), yes)
		}
		return out
	}
	out := naiveEqual(b, a)
	s, ok := a.(string)
	whole, ok2 := b.(string)
	if out == false && ok && ok2 && strings.Contains(whole, s) {
		return dunno{"a part"}
	}
	return out
}
