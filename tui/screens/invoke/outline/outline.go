// Package outline is a JSON body as a tree that folds, made from the bytes as
// they are: a branch is read when it is opened, so that a body of any size is
// there at once, and takes no more memory than what is open.
package outline

import (
	"bytes"
	"fmt"
)

// Tree is a body and what of it is open. It is used from one goroutine; Job.Run
// may run in another.
type Tree struct {
	Rows []*Node // those that are visible

	body []byte
	root *Node
}

// Node is one value.
type Node struct {
	Key      string // a member's name as it is written, with quotes; "" for others
	Index    int    // of an element; -1 for others
	Depth    int
	From, To int // bytes of the body; To is -1 while the end is not known
	Open     bool
	Branch   bool
	Fault    string // why there is nothing more; such a node is no value

	kids []*Node
	next int // where reading goes on; -1: all kids are known
	busy bool
	up   *Node
}

// Budgets, in bytes of the body.
const (
	atOnce   = 128 << 10 // read when a key is pressed: about a millisecond
	smallAll = 16 << 10  // a body up to this is open from the beginning
	maxRows  = 1_000_000
)

// New makes the tree of a body and opens its root, or reports that it is no JSON
// object or list.
func New(body []byte) (*Tree, bool) {
	p := parser{in: body}
	p.blank()
	if c := p.peek(); c != '{' && c != '[' {
		return nil, false
	}
	t := &Tree{body: body, root: &Node{Index: -1, From: p.i, To: -1, Branch: true, next: p.i + 1}}
	if len(body) <= smallAll {
		t.openAll(t.root, 0)
	} else {
		t.open(t.root)
		t.openOnly()
	}
	t.lay()
	return t, true
}

func (t *Tree) openAll(n *Node, depth int) {
	if !n.Branch || depth > 64 {
		return
	}
	t.open(n)
	for _, k := range n.kids {
		t.openAll(k, depth+1)
	}
}

// openOnly opens a branch that is all there is, as {"data": [ … ]} has.
func (t *Tree) openOnly() {
	for n := t.root; len(n.kids) == 1 && n.kids[0].Branch; n = n.kids[0] {
		t.open(n.kids[0])
	}
}

func (t *Tree) open(n *Node) {
	n.Open = true
	if n.next >= 0 && len(n.kids) == 0 {
		t.read(n, atOnce)
	}
}

// Toggle opens or closes a branch.
func (t *Tree) Toggle(n *Node) {
	if !n.Branch {
		return
	}
	if n.Open {
		n.Open = false
	} else {
		t.open(n)
	}
	t.lay()
}

// Up is the branch a node is in; nil for the root.
func (n *Node) Up() *Node { return n.up }

// Len is how many values are in a branch; all reports that none are missing yet.
func (n *Node) Len() (count int, all bool) { return len(n.kids), n.next < 0 }

// Bytes is a value as it stands in the body.
func (t *Tree) Bytes(n *Node) []byte {
	if n.To < 0 {
		return t.body[n.From:]
	}
	return t.body[n.From:n.To]
}

func (t *Tree) lay() {
	t.Rows = t.Rows[:0]
	t.layNode(t.root)
}

func (t *Tree) layNode(n *Node) {
	if len(t.Rows) >= maxRows {
		return
	}
	t.Rows = append(t.Rows, n)
	if !n.Open {
		return
	}
	for _, k := range n.kids {
		t.layNode(k)
	}
}

// Job reads the rest of one branch away from the goroutine of the tree.
type Job struct {
	node  *Node
	depth int
	body  []byte
	from  int
	index int
	kids  []*Node
	end   int
	next  int
}

// Work returns the reading of an open branch that is not complete, nil if there
// is none. Run it anywhere, then give it to Took.
func (t *Tree) Work() *Job {
	for _, n := range t.Rows {
		if n.Open && n.next >= 0 && !n.busy {
			n.busy = true
			j := &Job{node: n, depth: n.Depth, body: t.body, from: n.next, index: len(n.kids)}
			if j.index > 0 && n.kids[j.index-1].From >= n.next {
				j.index-- // cut off by the budget: it is read again
			}
			return j
		}
	}
	return nil
}

// Run reads to the end of the branch, however long that takes.
func (j *Job) Run() {
	open := j.body[j.node.From]
	p := parser{in: j.body, i: j.from}
	j.kids, j.end, j.next = p.kids(open, j.depth+1, j.index, len(j.body)+1)
}

// Took puts what a job has read into the tree.
func (t *Tree) Took(j *Job) {
	t.put(j.node, j.kids, j.end, j.next)
	j.node.busy = false
	t.lay()
}

func (t *Tree) put(n *Node, kids []*Node, end, next int) {
	if len(n.kids) > 0 && len(kids) > 0 {
		// The last one was cut off by the budget and is read again.
		if last := n.kids[len(n.kids)-1]; last.From == kids[0].From {
			if last.Open {
				last.To = kids[0].To
				kids[0] = last
			}
			n.kids = n.kids[:len(n.kids)-1]
		}
	}
	for _, k := range kids {
		k.up = n
	}
	n.kids = append(n.kids, kids...)
	n.next = next
	if end > 0 {
		n.To = end
	}
}

func (t *Tree) read(n *Node, budget int) {
	p := parser{in: t.body, i: n.next}
	kids, end, next := p.kids(t.body[n.From], n.Depth+1, len(n.kids), n.next+budget)
	t.put(n, kids, end, next)
}

// parser walks over the bytes.
type parser struct {
	in []byte
	i  int
}

func (p *parser) peek() byte {
	if p.i < len(p.in) {
		return p.in[p.i]
	}
	return 0
}

func (p *parser) blank() {
	for p.i < len(p.in) && (p.in[p.i] == ' ' || p.in[p.i] == '\n' || p.in[p.i] == '\t' || p.in[p.i] == '\r') {
		p.i++
	}
}

// kids reads the values of a branch from p.i on, as far as limit. end is where
// the branch ends, 0 if that is further; next is where to go on, -1 when it is
// complete. What is malformed ends it, and is said in a node of its own.
func (p *parser) kids(open byte, depth, index, limit int) (kids []*Node, end, next int) {
	for {
		p.blank()
		at := p.i
		if c := p.peek(); c == '}' && open == '{' || c == ']' && open == '[' {
			return kids, p.i + 1, -1
		}
		n, why := p.kid(open, depth, index, limit)
		if why != "" {
			return append(kids, &Node{Index: -1, Depth: depth, From: p.i, To: p.i, Fault: why, next: -1}), len(p.in), -1
		}
		kids = append(kids, n)
		index++
		if n.To < 0 {
			return kids, 0, at
		}
		p.blank()
		if p.peek() == ',' {
			p.i++
		} else if c := p.peek(); c != '}' && c != ']' {
			return append(kids, p.fault(depth, `expected "," or the end`)), len(p.in), -1
		}
		if p.i >= limit {
			return kids, 0, p.i
		}
	}
}

func (p *parser) fault(depth int, why string) *Node {
	if p.i >= len(p.in) {
		why = "the body ends here"
	}
	return &Node{Index: -1, Depth: depth, From: p.i, To: p.i, Fault: fmt.Sprintf("%s (byte %d)", why, p.i), next: -1}
}

func (p *parser) kid(open byte, depth, index, limit int) (*Node, string) {
	n := &Node{Index: index, Depth: depth, next: -1}
	if open == '{' {
		n.Index = -1
		from := p.i
		if p.peek() != '"' || !p.text() {
			return nil, p.fault(0, "expected a name in quotes").Fault
		}
		n.Key = string(p.in[from:p.i])
		p.blank()
		if p.peek() != ':' {
			return nil, p.fault(0, `expected ":"`).Fault
		}
		p.i++
		p.blank()
	}
	n.From = p.i
	switch c := p.peek(); {
	case c == '{' || c == '[':
		n.Branch, n.next = true, p.i+1
		if !p.skip(limit) {
			n.To = -1
			return n, ""
		}
	case c == '"':
		if !p.text() {
			return nil, p.fault(0, "a text has no end").Fault
		}
	default:
		for p.i < len(p.in) && bytes.IndexByte([]byte(" \t\r\n,]}"), p.in[p.i]) < 0 {
			p.i++
		}
		if p.i == n.From {
			return nil, p.fault(0, "expected a value").Fault
		}
	}
	n.To = p.i
	return n, ""
}

// text goes over a string.
func (p *parser) text() bool {
	for p.i++; ; {
		n := bytes.IndexByte(p.in[min(p.i, len(p.in)):], '"')
		if n < 0 {
			p.i = len(p.in)
			return false
		}
		slashes := 0
		for at := p.i + n - 1; at >= p.i && p.in[at] == '\\'; at-- {
			slashes++
		}
		p.i += n + 1
		if slashes%2 == 0 {
			return true
		}
	}
}

// skip goes over an object or a list without looking at what is in it, as far as
// limit. It reports whether its end was found.
func (p *parser) skip(limit int) bool {
	depth := 0
	for p.i < len(p.in) && p.i < limit {
		switch p.in[p.i] {
		case '"':
			if !p.text() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				p.i++
				return true
			}
		}
		p.i++
	}
	return false
}
