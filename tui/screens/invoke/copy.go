package invoke

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/replay/request"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/jsondoc"
)

// maxCopied is what is put on the clipboard: terminals drop more without a word.
const maxCopied = 1 << 20

// copying is one way to copy, in the menu.
type copying struct {
	word, doc string
	run       func() tea.Cmd
}

// copyMenu opens the list of what can be copied.
func (v *screen) copyMenu() tea.Cmd {
	ways := v.copyings()
	p := &picker{title: "COPY", now: -1, pick: func(i int) tea.Cmd { return ways[i].run() }}
	for _, w := range ways {
		p.words, p.docs = append(p.words, w.word), append(p.docs, w.doc)
	}
	return v.choose(p)
}

func (v *screen) copyings() []copying {
	d := v.draft()
	var ways []copying
	for _, tool := range request.Styles() {
		ways = append(ways, copying{"as " + string(tool), "", func() tea.Cmd { return v.copyAs(tool) }})
	}
	ways[0].doc = v.command(d)
	if doc := d.document(); doc != nil {
		ways = append(ways, copying{"request document", compact(string(doc)), func() tea.Cmd { return copyText("the request document", string(doc)) }})
	}
	c := v.call()
	if c == nil {
		return ways
	}
	if rec, ok := v.resp.record(c); ok && len(rec.Body) > 0 {
		ways = append(ways, copying{"body", "of the " + rec.Kind.String() + " under the cursor, " + sizeOf(int64(len(rec.Body))),
			func() tea.Cmd { return copyBytes("the body", rec.Body) }})
	}
	if n := v.resp.treeNode(); n != nil && n.Fault == "" && v.resp.tab == tabTree {
		value := v.resp.tree.Bytes(n)
		ways = append(ways, copying{"value", "under the cursor of the tree, " + sizeOf(int64(len(value))), func() tea.Cmd { return copyBytes("the value", unquoted(value)) }})
	}
	if trace := c.progress().trace; trace != "" {
		ways = append(ways, copying{"trace id", trace, func() tea.Cmd { return copyText("the trace id", trace) }})
	}
	return ways
}

// unquoted is a JSON string's content, or the value as it is.
func unquoted(value []byte) []byte {
	if len(value) > 0 && value[0] == '"' {
		if s := jsondoc.Of(value); s != nil {
			return []byte(s.Text)
		}
	}
	return value
}

func copyText(what, text string) tea.Cmd {
	return tea.Batch(tea.SetClipboard(text), kit.Say(fmt.Sprintf("copied %s (%d B) via OSC 52", what, len(text))))
}

func copyBytes(what string, b []byte) tea.Cmd {
	if len(b) > maxCopied {
		return kit.Send(kit.Toast{Text: what + " is " + sizeOf(int64(len(b))) + ": too much for a clipboard; iscope invoke writes it to a file", Bad: true})
	}
	return kit.Copy(what, b)
}

// copyValue copies what is under the cursor: a value of the tree or of the form,
// otherwise the body.
func (v *screen) copyValue() tea.Cmd {
	c, d := v.call(), v.draft()
	if d != nil && v.pane == onRequest {
		if r := d.row(); r != nil && r.Value != nil {
			return copyText("the value of "+safe.Line(r.Label, 40).String(), d.form.Typed(r))
		}
	}
	if c == nil {
		return kit.Say("there is no response to copy")
	}
	if n := v.resp.treeNode(); n != nil && n.Fault == "" && v.resp.tab == tabTree && v.pane == onResponse {
		return copyBytes("the value", unquoted(v.resp.tree.Bytes(n)))
	}
	rec, ok := v.resp.record(c)
	if !ok || len(rec.Body) == 0 {
		return kit.Say("there is no body to copy")
	}
	return copyBytes("the body", rec.Body)
}
