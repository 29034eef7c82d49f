package invoke

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/tui/kit"
)

// command is the request as a command line that makes the same call.
func (v *screen) command(d *draft) string {
	args := []string{"iscope", "invoke"}
	if env := v.s.Env().Name; v.s.Config != nil && !strings.Contains(d.ref.Target, "://") {
		args = append(args, "-e", env)
	}
	args = append(args, d.ref.Target, d.method.Name)
	for _, p := range d.values() {
		args = append(args, "-p", p.Name+"="+p.Value)
	}
	header, _ := d.fields()
	for _, h := range header {
		args = append(args, "-H", h.Name+": "+string(h.Value))
	}
	for _, doc := range v.toSend(d) {
		args = append(args, "-d", compact(string(doc)))
	}
	for i, a := range args {
		args[i] = quote(a)
	}
	return strings.Join(args, " ")
}

// toSend is the document, or all the messages of the open stream.
func (v *screen) toSend(d *draft) [][]byte {
	if c := v.call(); c != nil && c.method.ClientStream && c.inFlight() {
		return c.documents()
	}
	if doc := d.document(); doc != nil {
		return [][]byte{doc}
	}
	return nil
}

func (v *screen) copyCommand() tea.Cmd {
	line := v.command(v.draft())
	return tea.Batch(tea.SetClipboard(line), kit.Say(fmt.Sprintf("copied the command line (%d B) via OSC 52", len(line))))
}

// quote makes one word of a POSIX shell; words with control characters become
// $'…', which POSIX 2024 has.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r)
	}
	switch {
	case s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0:
		return s
	case !kit.HasControl([]byte(s)) && !strings.ContainsAny(s, "\n\t"):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c >= 0x7f:
			// Three octal digits: a hexadecimal escape would swallow a digit after it.
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}
