package outline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func text(t *Tree) string {
	var b strings.Builder
	for _, n := range t.Rows {
		fmt.Fprintf(&b, "%s%s", strings.Repeat(" ", n.Depth), n.Key)
		switch {
		case n.Fault != "":
			b.WriteString("! " + n.Fault)
		case !n.Branch:
			b.Write(t.Bytes(n))
		case !n.Open:
			b.WriteString("…")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestFolding(t *testing.T) {
	tree, ok := New([]byte(` {"a": {"b": [1, "x\"]"], "c": {}}, "d": null}`))
	if want := "\n \"a\"\n  \"b\"\n   1\n   \"x\\\"]\"\n  \"c\"\n \"d\"null\n"; !ok || text(tree) != want {
		t.Errorf("%q", text(tree))
	}
	tree.Toggle(tree.Rows[1])
	if want := "\n \"a\"…\n \"d\"null\n"; text(tree) != want {
		t.Errorf("%q", text(tree))
	}
	if string(tree.Bytes(tree.Rows[1])) != `{"b": [1, "x\"]"], "c": {}}` {
		t.Errorf("%s", tree.Bytes(tree.Rows[1]))
	}
	if _, ok := New([]byte("plain")); ok {
		t.Error("plain text is a tree")
	}
}

func TestWhatIsMalformedIsSaidWhereItIs(t *testing.T) {
	for body, want := range map[string]string{
		`{"a": 1 "b"}`: "! expected \",\" or the end (byte 8)",
		`{"a": [1, `:   "! the body ends here (byte 10)",
		`{"a`:          "! the body ends here (byte 3)",
		`[1,,2]`:       "! expected a value (byte 3)",
		`{a: 1}`:       "! expected a name in quotes (byte 1)",
	} {
		tree, ok := New([]byte(body))
		if !ok || !strings.Contains(text(tree), want) {
			t.Errorf("%s is %q", body, text(tree))
		}
	}
}

// big is a list of n objects in one member.
func big(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"thing number %d","tags":["a","b"],"nested":{"x":[%d]}}`, i, i, i)
	}
	b.WriteString(`],"end":true}`)
	return b.Bytes()
}

func TestBigBodiesAreReadInParts(t *testing.T) {
	tree, _ := New(big(20_000))
	n := len(tree.Rows)
	if n < 100 || n > 10_000 {
		t.Fatal(n)
	}
	tree.Toggle(tree.Rows[5]) // an element, while more of them come
	for job := tree.Work(); job != nil; job = tree.Work() {
		job.Run()
		tree.Took(job)
	}
	items := tree.Rows[1]
	if count, all := items.Len(); count != 20_000 || !all || items.To < 0 {
		t.Error(count, all, items.To)
	}
	if last := tree.Rows[len(tree.Rows)-1]; last.Key != `"end"` || !tree.Rows[5].Open {
		t.Error(last)
	}
	next := 0
	for _, r := range tree.Rows {
		if r.Depth != 2 {
			continue
		}
		if r.Index != next {
			t.Fatalf("element %d has the index %d", next, r.Index)
		}
		next++
	}
}

// Whatever JSON it is, what is open has every scalar, in its order.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.MapOfN(rapid.String(), rapid.SliceOf(rapid.String()), 0, 5), 0, 5).Draw(t, "value")
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		tree, ok := New(body)
		if !ok {
			t.Fatal(string(body))
		}
		want := 0
		for _, m := range v {
			for _, l := range m {
				want += len(l)
			}
		}
		got := 0
		for _, n := range tree.Rows {
			if n.Fault != "" {
				t.Fatal(n.Fault)
			}
			if !n.Branch {
				got++
			}
		}
		if got != want {
			t.Fatalf("%d of %d in %s", got, want, body)
		}
	})
}

func BenchmarkFirstRowsOf50MB(b *testing.B) {
	body := big(650_000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if t, ok := New(body); !ok || len(t.Rows) < 40 {
			b.Fatal("no rows")
		}
	}
}

func BenchmarkRestOf50MB(b *testing.B) {
	body := big(650_000)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		t, _ := New(body)
		for job := t.Work(); job != nil; job = t.Work() {
			job.Run()
			t.Took(job)
		}
	}
}
