package invoke

import (
	"bytes"
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/outline"
	"iscope/tui/theme"
)

// Bytes of a body that are laid out as text: at once, and at most. A body beyond
// is read as a tree, raw or hex, which cost nothing however large it is.
const (
	firstText = 64 << 10
	mostText  = 4 << 20
	textSteps = 8 // how many times more with each step
)

type (
	// rendered is a longer beginning of a body, laid out in the background.
	rendered struct {
		by    *screen
		key   pageKey
		limit int
		view  inspectors.View
	}
	// scanned is the rest of a branch.
	scanned struct {
		by   *screen
		tree *outline.Tree
		job  *outline.Job
	}
)

func (r *response) textLimit() int { return max(r.limit, firstText) }

// renderMore lays more of the body out, away from the keys.
func (v *screen) renderMore() tea.Cmd {
	r, c := &v.resp, v.call()
	rec, ok := r.record(c)
	if r.working || !ok || r.tab != tabText || r.textLimit() >= mostText {
		return nil
	}
	r.working = true
	key, limit := r.key, min(mostText, textSteps*r.textLimit())
	chain, ctx := v.chain, v.s.Context()
	return func() tea.Msg {
		return rendered{v, key, limit, chain.Inspect(ctx, &rec, inspectors.Env{Limit: limit})}
	}
}

// took puts in what was made in the background, if it is still looked at.
func (r *response) took(v *screen, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case rendered:
		if msg.by != v {
			return nil
		}
		r.working = false
		if r.key.c == msg.key.c && r.key.at == msg.key.at && r.tab == tabText {
			r.limit = msg.limit
			r.page = v.textPage(&msg.view, msg.limit, msg.key.w, int64(v.bodySize()))
		}
	case scanned:
		if msg.by != v || msg.tree != r.tree {
			return nil
		}
		cursor, atEnd := r.treeNode(), r.list.Cursor > 0 && r.list.Cursor == len(r.tree.Rows)-1
		r.tree.Took(msg.job)
		r.treeTo(cursor)
		if atEnd { // whoever asked for the end means the real one
			r.list.Cursor = len(r.tree.Rows) - 1
		}
		r.page = nil
		return v.grow()
	case compared:
		if msg.by == v && v.call() == msg.c {
			r.diff, r.page = &msg.comparison, nil
		}
	}
	return nil
}

func (v *screen) bodySize() int {
	rec, _ := v.resp.record(v.call())
	return len(rec.Body)
}

// textPage is a view as rows of w cells.
func (v *screen) textPage(view *inspectors.View, limit, w int, size int64) *page {
	var rows []func(w int) string
	for _, problem := range view.Problems {
		rows = append(rows, v.say(theme.Warn, v.o.Theme.Glyph(theme.Warning)+" "+problem.Message))
	}
	for _, line := range view.Lines {
		for _, row := range folded(line, w-2) {
			rows = append(rows, func(w int) string { return kit.Spans(v.o.Theme, row, w) })
		}
	}
	p := rowsPage(rows)
	if !view.Truncated {
		return p
	}
	last := fmt.Sprintf("%s of %s laid out; m or going on lays out more, the tabs Tree, Raw and Hex have all", sizeOf(int64(limit)), sizeOf(size))
	if limit >= mostText {
		last = fmt.Sprintf("the first %s of %s; the tabs Tree, Raw and Hex have all", sizeOf(int64(limit)), sizeOf(size))
	}
	rows = append(rows, v.say(theme.Accent, v.o.Theme.Glyph(theme.Ellipsis)+" "+last))
	p = rowsPage(rows)
	p.more = limit < mostText
	return p
}

func rowsPage(rows []func(w int) string) *page {
	return &page{n: len(rows), row: func(i, w int) string { return rows[i](w) }}
}

func (v *screen) refuseMore() string {
	if c := v.call(); c == nil || v.resp.tab != tabText || v.resp.page == nil || !v.resp.page.more {
		return "all of the body is laid out already"
	}
	return ""
}

// text lays the beginning of the body out.
func (v *screen) text(body *inspectedBody, w int) *page {
	view := v.chain.Inspect(context.Background(), body.rec, inspectors.Env{Limit: v.resp.textLimit()})
	return v.textPage(&view, v.resp.textLimit(), w, int64(len(body.rec.Body)))
}

// treePage shows the body folded.
func (v *screen) treePage(body *inspectedBody, key pageKey) *page {
	r := &v.resp
	key.tab, key.w, key.over = 0, 0, false
	if r.tree == nil || r.treeOf != key {
		tree, ok := outline.New(body.rec.Body)
		if !ok {
			r.tree = nil
			return rowsPage([]func(int) string{v.say(theme.Dim, "this body is no JSON object or list; the tab Text shows what it is")})
		}
		r.tree, r.treeOf = tree, key
	}
	t := r.tree
	return &page{n: len(t.Rows), row: func(i, w int) string { return v.treeRow(t, i, w) }}
}

func (v *screen) treeRow(t *outline.Tree, i, w int) string {
	th, n := v.o.Theme, t.Rows[i]
	l := kit.NewLine(th, w).Say(theme.Plain, " ").Put(theme.Plain, safe.Text{}.Fit(min(2*n.Depth, w/2)))
	switch {
	case n.Fault != "":
		l.Say(theme.Bad, th.Glyph(theme.Failed)+" ").Put(theme.Bad, safe.Line(n.Fault, safe.Wide))
		return l.String()
	case n.Branch:
		l.Say(theme.Accent, fold(n.Open)+" ")
	default:
		l.Say(theme.Plain, "  ")
	}
	if n.Key != "" {
		l.Put(theme.JSONKey, safe.Line(n.Key, 60)).Say(theme.Dim, ": ")
	} else if n.Index >= 0 {
		l.Say(theme.Dim, fmt.Sprintf("[%d] ", n.Index))
	}
	v.treeValue(t, n, l)
	if v.pane == onResponse && v.resp.inBody && i == v.resp.list.Cursor {
		return l.Selected()
	}
	return l.String()
}

func (v *screen) treeValue(t *outline.Tree, n *outline.Node, l *kit.Line) {
	b := t.Bytes(n)
	if !n.Branch {
		style := theme.JSONNum
		switch b[0] {
		case '"':
			style = theme.JSONText
		case 't', 'f', 'n':
			style = theme.JSONWord
		}
		l.Put(style, safe.LineBytes(b[:min(len(b), 4*l.Left()+16)], l.Left()))
		return
	}
	kind := "{}"
	if b[0] == '[' {
		kind = "[]"
	}
	count, all := n.Len()
	switch {
	case all || count > 0 && n.Open:
		plus := "+ …"
		if all {
			plus = ""
		}
		l.Say(theme.Dim, fmt.Sprintf("%s %d%s  ", kind, count, plus))
	default:
		l.Say(theme.Dim, kind+"  ")
	}
	if n.To > 0 {
		l.Say(theme.Dim, sizeOf(int64(n.To-n.From))+"  ")
	}
	if !n.Open {
		l.Put(theme.Dim, safe.LineBytes(bytes.TrimSpace(b[:min(len(b), 4*l.Left()+16)]), l.Left()))
	}
}

// treeNode is the node under the cursor.
func (r *response) treeNode() *outline.Node {
	if r.tree == nil || r.list.Cursor < 0 || r.list.Cursor >= len(r.tree.Rows) {
		return nil
	}
	return r.tree.Rows[r.list.Cursor]
}

func (r *response) treeTo(n *outline.Node) {
	for i, row := range r.tree.Rows {
		if row == n {
			r.list.Cursor = i
			return
		}
	}
	r.list.Move(0, len(r.tree.Rows))
}

func (v *screen) navTree(n kit.Nav) tea.Cmd {
	r := &v.resp
	at := r.treeNode()
	switch {
	case at == nil:
	case n == kit.Enter, n == kit.Right && !at.Open, n == kit.Left && at.Open:
		r.tree.Toggle(at)
		r.treeTo(at)
		r.page = nil
		return v.grow()
	case n == kit.Left && at.Up() != nil:
		r.treeTo(at.Up())
	default:
		r.list.Nav(n, len(r.tree.Rows), max(1, r.height))
	}
	return nil
}

// grow reads what of the open branches is still missing, one after another, away
// from the keys.
func (v *screen) grow() tea.Cmd {
	c := v.call()
	if c == nil || v.resp.tab != tabTree {
		return nil
	}
	if rec, ok := v.resp.record(c); ok {
		v.treePage(&inspectedBody{&rec}, pageKey{c: c, at: v.resp.at(c)})
	}
	if v.resp.tree == nil {
		return nil
	}
	tree := v.resp.tree
	job := tree.Work()
	if job == nil {
		return nil
	}
	return func() tea.Msg {
		job.Run()
		return scanned{v, tree, job}
	}
}
