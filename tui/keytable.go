package tui

import (
	"fmt"
	"strings"

	"iscope/tui/kit"
	"iscope/tui/session"
)

// KeyTable is the reference of all keys in Markdown, made from the bindings that
// also drive dispatch, hints and help.
func KeyTable() string {
	s, err := session.New(session.Options{}, "")
	if err != nil {
		return err.Error()
	}
	defer s.Close()
	r := newRouter(Options{}, s, func() bool { return true })
	defer r.close()
	var b strings.Builder
	b.WriteString("\n| where | keys | |\n|---|---|---|\n")
	row := func(where string, bs []kit.Binding) {
		for _, x := range bs {
			keys := make([]string, len(x.Keys))
			for i, k := range x.Keys {
				keys[i] = "`" + strings.ReplaceAll(k, "|", `\|`) + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", where, strings.Join(keys, " "), x.Doc)
		}
	}
	row("everywhere", r.globals)
	for n := kit.Topology; n <= kit.LastScreen; n++ {
		row(r.screens[n].Name(), r.screens[n].Bindings())
	}
	b.WriteString("\n")
	return b.String()
}
