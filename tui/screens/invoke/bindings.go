package invoke

import (
	tea "charm.land/bubbletea/v2"

	"iscope/tui/kit"
)

func (v *screen) Bindings() []kit.Binding {
	nav := func(id, key, name string, n kit.Nav) kit.Binding {
		return kit.Binding{ID: id, Keys: []string{key}, Name: name, Doc: name, Hint: true, Run: func() tea.Cmd { return v.Update(n) }}
	}
	switch {
	case v.Typing(): // keys are text: these are for the hint row
		return v.typingHints()
	case v.confirm != nil:
		return append([]kit.Binding{nav("invoke.yes", "enter", "send", kit.Enter), nav("invoke.no", "esc", "do not send", kit.Back)}, v.actions()...)
	}
	return v.actions()
}

func (v *screen) typingHints() []kit.Binding {
	none := func() tea.Cmd { return nil }
	hint := func(key, name string) kit.Binding {
		return kit.Binding{ID: "invoke.typing." + key, Keys: []string{key}, Name: name, Doc: name, Hint: true, Run: none}
	}
	d := v.draft()
	switch {
	case v.asking:
		return []kit.Binding{hint("enter", "keep the filter"), hint("esc", "lift it")}
	case d != nil && d.onBody():
		return []kit.Binding{hint("esc", "leave the document"), hint("tab", "next field")}
	}
	return []kit.Binding{hint("esc", "leave the field"), hint("tab", "next field"), hint("enter", "next field")}
}

func (v *screen) actions() []kit.Binding {
	return []kit.Binding{
		{ID: "invoke.send", Keys: []string{"s"}, Name: "send", Hint: true, Refused: v.refuseSend,
			Doc: "make the call, or send one more message into the open stream", Run: v.send},
		{ID: "invoke.half-close", Keys: []string{"K"}, Name: "half-close", Hint: true, Refused: v.refuseHalfClose,
			Doc: "say that no more messages come", Run: v.halfClose},
		{ID: "invoke.edit", Keys: []string{"e"}, Name: "$EDITOR", Hint: true, Refused: v.refuseEdit,
			Doc: "edit the document in your editor", Run: v.edit},
		{ID: "invoke.resend", Keys: []string{"r"}, Name: "resend", Hint: true, Refused: v.refuseResend,
			Doc: "make the shown call once more, with what was sent then", Run: v.resend},
		{ID: "invoke.copy", Keys: []string{"y"}, Name: "copy command", Hint: true, Refused: v.none,
			Doc: "copy the same call as an iscope command line", Run: v.copyCommand},
		{ID: "invoke.history", Keys: []string{"t"}, Name: "history", Hint: true, Refused: v.nothingCalled,
			Doc: "the calls of this session; enter takes one up again", Run: v.openHistory},
		{ID: "invoke.header", Keys: []string{"a"}, Name: "add header", Refused: v.none,
			Doc: "add a header or metadata, as name: value", Run: v.addHeader},
	}
}

func (v *screen) none() string {
	if v.draft() == nil {
		return "choose a method first"
	}
	return ""
}

func (v *screen) nothingCalled() string {
	if len(v.calls) == 0 {
		return "nothing has been called yet"
	}
	return ""
}

// copyBody copies the body of the record under the cursor.
func (v *screen) copyBody() tea.Cmd {
	c := v.call()
	if c == nil {
		return kit.Say("there is no response to copy")
	}
	rec, ok := v.resp.record(c)
	if !ok || len(rec.Body) == 0 {
		return kit.Say("there is no body to copy")
	}
	return kit.Copy("body", rec.Body)
}
