package invoke

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
)

func (v *screen) Bindings() []kit.Binding {
	nav := func(id, key, name string, n kit.Nav) kit.Binding {
		return kit.Binding{ID: id, Keys: []string{key}, Name: name, Doc: name, Hint: true, Run: func() tea.Cmd { return v.Update(n) }}
	}
	switch {
	case v.filter.Open():
		return v.filter.Bindings("invoke.filter")
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
	case v.question != nil:
		return []kit.Binding{hint("enter", "goes on"), hint("esc", "close")}
	case v.picker != nil:
		return []kit.Binding{hint("enter", "take it"), hint("esc", "close")}
	case d != nil && d.row() != nil:
		return []kit.Binding{hint("enter", "done"), hint("tab", "next field"), hint("esc", "leave the field")}
	case d != nil && d.onBody():
		return []kit.Binding{hint("esc", "leave the document"), hint("tab", "next field")}
	}
	return []kit.Binding{hint("esc", "leave the field"), hint("tab", "next field"), hint("enter", "next field")}
}

// actions are the keys of what has the focus, the most useful first.
func (v *screen) actions() []kit.Binding {
	all := v.everywhere()
	if i := slices.IndexFunc(all, func(b kit.Binding) bool { return b.ID == "invoke.force" }); v.offersForce() && i > 0 {
		all = slices.Insert(slices.Delete(slices.Clone(all), i, i+1), 0, all[i])
	}
	if v.pane != onRequest || v.draft() == nil || v.draft().row() == nil {
		return append(all, v.onForm()...)
	}
	enter := kit.Binding{ID: "invoke.enter", Keys: []string{"enter"}, Name: "fill in", Hint: true,
		Doc: "type a value, choose one of a list, or open what is folded", Run: func() tea.Cmd { return v.nav(kit.Enter) }}
	return append(append(append(all[:2:2], enter), v.onForm()...), all[2:]...)
}

func (v *screen) everywhere() []kit.Binding {
	return []kit.Binding{
		{ID: "invoke.send", Keys: []string{"s"}, Name: "send", Hint: true, Refused: v.refuseSend,
			Doc: "make the call, or send one more message into the open stream", Run: v.send},
		{ID: "invoke.half-close", Keys: []string{"K"}, Name: "half-close", Hint: true, Refused: v.refuseHalfClose,
			Doc: "say that no more messages come", Run: v.halfClose},
		{ID: "invoke.edit", Keys: []string{"e"}, Name: "$EDITOR", Hint: true, Refused: v.refuseEdit,
			Doc: "edit the document in your editor, with its schema as comments", Run: v.edit},
		{ID: "invoke.resend", Keys: []string{"r"}, Name: "resend", Hint: true, Refused: v.refuseResend,
			Doc: "make the shown call once more, with what was sent then", Run: v.resend},
		{ID: "invoke.copy", Keys: []string{"y"}, Name: "copy", Hint: true, Refused: v.none,
			Doc: "copy the call as a command line, its document, the body or a value", Run: v.copyMenu},
		{ID: "invoke.diff", Keys: []string{"D"}, Name: "diff", Hint: true, Refused: v.refuseDiff,
			Doc: "what differs from the answer before, by path", Run: v.showDiff},
		{ID: "invoke.history", Keys: []string{"t"}, Name: "history", Hint: true,
			Doc: "earlier calls, those of other sessions too; type to search, enter takes one up again", Run: v.openHistory},
		{ID: "invoke.more", Keys: []string{"m"}, Name: "more", Hint: true, Refused: v.refuseMore,
			Doc: "lay out more of a long body", Run: v.renderMore},
		{ID: "invoke.trace", Keys: []string{"T"}, Name: "trace", Hint: true, Refused: v.refuseTrace,
			Doc: "find in Tail what the call has caused, by its trace id", Run: v.findTrace},
		{ID: "invoke.traces", Keys: []string{"W"}, Name: "traces on/off", Doc: "whether each call begins a W3C trace", Run: v.switchTraces},
		{ID: "invoke.header", Keys: []string{"a"}, Name: "add header", Hint: true, Refused: v.none,
			Doc: "add a header or metadata, as name: value", Run: v.addHeader},
		{ID: "invoke.load", Keys: []string{"L"}, Name: "load", Hint: true, Refused: v.refuseLoad,
			Doc: "make this call many times, at a rate, several at once; percentiles, errors and instances", Run: v.askLoad},
		{ID: "invoke.save", Keys: []string{"S"}, Name: "save", Refused: v.none,
			Doc: "save the request in a file that is checked in beside the code; iscope run makes its calls", Run: v.askSave},
		{ID: "invoke.open", Keys: []string{"O"}, Name: "open saved", Doc: "open a file of saved requests, or paste a curl command", Run: v.askOpen},
		{ID: "invoke.by-hand", Keys: []string{"i"}, Name: "by hand", Hint: v.pane == onMethods, Refused: v.refuseByHand,
			Doc: "name a method of this target yourself: GET /any/path?q=1", Run: v.askMethod},
		{ID: "invoke.force", Keys: []string{"!"}, Name: "send anyway", Refused: v.refuseForce, Hint: v.offersForce(),
			Doc: "send what is against the contract all the same, as far as it can be put on the wire", Run: v.force},
		{ID: "invoke.contract", Keys: []string{"o"}, Name: "contract", Refused: v.none,
			Doc: "the contract of this method, in Endpoints", Run: v.contract},
	}
}

func (v *screen) onForm() []kit.Binding {
	return []kit.Binding{
		{ID: "invoke.view", Keys: []string{"v"}, Name: "form/JSON", Hint: true, Refused: v.refuseView,
			Doc: "the document as a form or as JSON text", Run: v.turnView},
		{ID: "invoke.space", Keys: []string{"space"}, Name: "set empty/hold", Hint: true, Refused: v.refuseSpace,
			Doc: "in the form: set the empty value, or the other of two; in the answer: hold a stream's list", Run: v.space},
		{ID: "invoke.unset", Keys: []string{"x"}, Name: "unset", Hint: true, Refused: v.refuseRow,
			Doc: "take the field, element or header under the cursor away", Run: v.unset},
		{ID: "invoke.undo", Keys: []string{"u"}, Name: "undo", Hint: true, Refused: v.refuseUndo,
			Doc: "take the last change of the document back", Run: v.undo},
		{ID: "invoke.fill", Keys: []string{"F"}, Name: "fill in all", Refused: v.refuseFill,
			Doc: "fill in every field with its example or empty value", Run: v.fill},
	}
}

// offersForce: the last call was refused here for what it asks.
func (v *screen) offersForce() bool {
	c := v.call()
	return c != nil && c.progress().kind == probes.ErrUsage
}

func (v *screen) refuseForce() string {
	if c := v.call(); c != nil && c.inFlight() {
		return "a call is in flight; ctrl+c cancels it"
	}
	return v.refuseSend()
}

func (v *screen) contract() tea.Cmd {
	return kit.Send(kit.Go{Screen: kit.Endpoints, Ref: v.draft().ref})
}

func (v *screen) none() string {
	if v.draft() == nil {
		return "choose a method first"
	}
	return ""
}
