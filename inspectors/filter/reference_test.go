package filter

import (
	"regexp"
	"strings"
	"testing"
)

// TestReferenceCompiles: what the documentation shows is part of the language.
func TestReferenceCompiles(t *testing.T) {
	for _, e := range Reference() {
		source := e.Use
		switch {
		case e.Group == "row":
			if _, err := CompileRows("= " + source + ` != nil`); err != nil {
				t.Errorf("%s: %v", source, err)
			}
			continue
		case source == "a and (b or not c)":
			source = "body.a and (body.b or not body.c)"
		case e.Group == "field", e.Group == "function" && !regexp.MustCompile(`[<>=]|^(any|all|none)`).MatchString(source), e.Name == "body":
			source += " != nil"
		case e.Group == "path":
			source = "len(" + source + ") > 0"
		}
		if _, err := Compile(source); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if e.Doc == "" {
			t.Errorf("%s is not documented", e.Name)
		}
	}
}

func TestHelpNamesEverything(t *testing.T) {
	for _, text := range []string{Help(), Markdown()} {
		for _, e := range Reference() {
			if !strings.Contains(text, strings.ReplaceAll(e.Doc, "|", `\|`)) && !strings.Contains(text, e.Doc) {
				t.Errorf("%s is missing", e.Name)
			}
		}
	}
	for line := range strings.Lines(Intro) {
		if len(line) > 82 {
			t.Errorf("longer than a line: %s", line)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, tc := range []struct{ source, want string }{
		{`parti`, `partition`},
		{`key == "a" and statu`, `key == "a" and status`},
		{`heade`, `headers`},
		{`head`, `header(`},
		{`attrs["kafka.off`, `attrs["kafka.offset"]`},
		{`kafka.of`, `kafka.offset`},
		{`kind == "ev`, `kind == "event"`},
		{`size `, `size == `},
		{`raw con`, `raw contains `},
		{`raw contains "x`, ``},
		{``, `kind`},
		{`  `, `  kind`},
	} {
		got := Complete(tc.source)
		if tc.want == "" {
			if len(got) > 0 {
				t.Errorf("%q: %v", tc.source, got)
			}
			continue
		}
		found := false
		for _, c := range got {
			found = found || c.Text == tc.want
		}
		if !found {
			t.Errorf("%q: %s is not among %v", tc.source, tc.want, got)
		}
	}
	if got := CompleteRows(`effect == "wr`); len(got) != 1 || got[0].Text != `effect == "write"` {
		t.Errorf("%v", got)
	}
	if got := CompleteRows(`part`); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
