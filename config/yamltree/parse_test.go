package yamltree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written is a tree as text: every value with its place and its kind.
func written(n *Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:%d ", n.Pos.Line, n.Pos.Column)
	switch n.Kind {
	case List:
		b.WriteString("[")
		for i, item := range n.Items {
			b.WriteString(strings.Repeat(", ", min(i, 1)) + written(item))
		}
		b.WriteString("]")
	case Map:
		b.WriteString("{")
		for i, e := range n.Entries {
			fmt.Fprintf(&b, "%s%d:%d %s = %s", strings.Repeat(", ", min(i, 1)), e.Pos.Line, e.Pos.Column, e.Key, written(e.Value))
		}
		b.WriteString("}")
	default:
		b.WriteString(n.Kind.String() + " " + n.Raw)
	}
	return b.String()
}

func faultTexts(all []Fault) (out []string) {
	for _, f := range all {
		out = append(out, fmt.Sprintf("%d:%d %s", f.Pos.Line, f.Pos.Column, f.Message))
	}
	return out
}

func TestParse(t *testing.T) {
	follow := Options{Merge: true, Duplicates: true}
	for _, c := range []struct {
		name, src string
		options   Options
		want      string
		faults    []string
	}{
		{name: "nothing", src: "# only a comment\n"},
		{name: "scalars", src: `[~, tRue, 0x1F, 1.50, .inf, "a\tb", 'c', d]`,
			want: "1:1 [1:2 nothing , 1:5 text tRue, 1:11 a number 0x1F, 1:17 a fraction 1.50, 1:23 a fraction .inf, 1:29 text a\tb, 1:37 text c, 1:42 text d]"},
		{name: "block text", src: "a: |\n  b\n  c\n", want: "1:2 {1:1 a = 1:4 text b\nc\n}"},
		{name: "keys", src: "{1: a, 1.5: b, true: c, ~: d}",
			want: "1:1 {1:2 1 = 1:5 text a, 1:8 1.5 = 1:13 text b, 1:16 true = 1:22 text c, 1:25 ~ = 1:28 text d}"},
		{name: "key that is no text", src: "{a: 1, *b : 2}", want: "1:1 {1:2 a = 1:5 a number 1}", faults: []string{"1:8 a key must be plain text"}},
		{name: "alias", src: "a: &x {b: 1}\nc: *x\n", want: "1:2 {1:1 a = 1:7 {1:8 b = 1:11 a number 1}, 2:1 c = 1:7 {1:8 b = 1:11 a number 1}}"},
		{name: "circle", src: "a: &x [*x]", want: "1:2 {1:1 a = 1:7 [1:8 nothing ]}", faults: []string{`1:8 unknown anchor "x"`}},
		{name: "merge", options: follow, src: "{a: &x {b: 1, c: 2}, d: {<<: *x, c: 3}}",
			want: "1:1 {1:2 a = 1:8 {1:9 b = 1:12 a number 1, 1:15 c = 1:18 a number 2}, 1:22 d = 1:25 {1:34 c = 1:37 a number 3, 1:9 b = 1:12 a number 1}}"},
		{name: "merge of no map", options: follow, src: "{<<: [1]}", want: "1:1 {}", faults: []string{"1:2 << merges a map, found a list"}},
		{name: "merge not followed", src: "{<<: {a: 1}}", want: "1:1 {}", faults: []string{"1:2 a key must be plain text"}},
		{name: "duplicate", src: "a: 1\na: &x 2\nb: *x\n", want: "1:2 {1:1 a = 1:4 a number 1, 3:1 b = 3:4 nothing }",
			faults: []string{`2:1 key "a" is given twice; the first is on line 1`, `3:4 unknown anchor "x"`}},
		{name: "duplicate read", options: follow, src: "a: 1\na: &x 2\nb: *x\n", want: "1:2 {1:1 a = 1:4 a number 1, 3:1 b = 2:7 a number 2}",
			faults: []string{`2:1 key "a" is given twice; the first is on line 1`}},
		{name: "tag", src: "a: !!binary x", want: "1:2 {1:1 a = 1:4 nothing }", faults: []string{"1:4 tag is not supported here"}},
		{name: "documents", src: "a\n---\nb\n---\nc\n", want: "1:1 text a", faults: []string{"3:1 the file holds 3 YAML documents; one is expected"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, faults := Parse([]byte(c.src), c.options)
			got := ""
			if root != nil {
				got = written(root)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.faults, faultTexts(faults)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSyntaxFaultKeepsTheValueApart: the message alone may be shown even where
// values are secrets.
func TestSyntaxFaultKeepsTheValueApart(t *testing.T) {
	root, faults := Parse([]byte("a: 1\npassword: hunter2: ${env:X}\n"), Options{})
	if root != nil || len(faults) != 1 {
		t.Fatal(root, faults)
	}
	f := faults[0]
	if f.Cause != Syntax || f.Pos.Line != 2 || !strings.HasPrefix(f.Message, "invalid YAML: ") || f.Line != "password: hunter2: ${env:X}" {
		t.Errorf("%+v", f)
	}
	for _, src := range []string{"a: \"\\hunter2\"\n", "a: @hunter2\n", "a: 'hunter2\n", "hunter2: [1,\n", "a: hunter2\n b\n: c"} {
		_, faults := Parse([]byte(src), Options{})
		for _, f := range faults {
			if strings.Contains(f.Message, "hunter2") {
				t.Errorf("%q: %s", src, f.Message)
			}
		}
	}
}

func TestFirstKey(t *testing.T) {
	for src, want := range map[string]Pos{"a: 1\nb: 2\n": {1, 1}, "{ a: 1}": {1, 3}, "{}": {}, "[]": {}, "{*a : 1, b: c}": {1, 2}} {
		if root, _ := Parse([]byte(src), Options{}); root.FirstKey != want {
			t.Errorf("%q: %v", src, root.FirstKey)
		}
	}
}

// TestAliasesAreBounded reads a text whose aliases would make 10^12 nodes of it.
func TestAliasesAreBounded(t *testing.T) {
	for name, last := range map[string]string{"values": "", "merged": ", <<: *%c"} {
		src := "a: &a {k: 1}\n"
		for c := 'b'; c <= 'm'; c++ {
			src += fmt.Sprintf("%c: &%c {", c, c)
			for i := range 10 {
				src += fmt.Sprintf("k%d: *%c, ", i, c-1)
			}
			src += strings.ReplaceAll("end: 0"+last, "%c", string(c-1)) + "}\n"
		}
		root, faults := Parse([]byte(src), Options{Merge: true})
		if len(faults) == 0 {
			t.Fatalf("%s: no fault", name)
		}
		for _, f := range faults {
			if f.Message != "aliases make the file too large" && f.Message != "<< merges a map, found nothing" || f.Pos.Line < 2 {
				t.Fatalf("%s: %+v", name, f)
			}
		}
		n := count(root)
		if n > maxAliased+len(src) {
			t.Errorf("%s: %d nodes", name, n)
		}
		if n != root.size {
			t.Errorf("%s: %d nodes are counted as %d", name, n, root.size)
		}
	}
}

func count(n *Node) int {
	sum := 1
	for _, item := range n.Items {
		sum += count(item)
	}
	for _, e := range n.Entries {
		sum += count(e.Value)
	}
	return sum
}
