package invoke

import (
	tea "charm.land/bubbletea/v2"

	"iscope/tui/kit"
)

// refuseTrace says why there is no trace to look for.
func (v *screen) refuseTrace() string {
	switch c := v.call(); {
	case c == nil:
		return "nothing has been called yet"
	case c.progress().trace == "":
		return "this call began no trace; W makes the next ones do so"
	}
	return ""
}

// findTrace shows in Tail what the call has caused: the newest stream that is
// being read, with a filter for the trace.
func (v *screen) findTrace() tea.Cmd {
	id := v.call().progress().trace
	feeds := v.s.Feeds()
	for i := len(feeds) - 1; i >= 0; i-- {
		if feeds[i].Looked == nil {
			return kit.Send(kit.Go{Screen: kit.Tail, Ref: feeds[i].Ref, Filter: id})
		}
	}
	return tea.Batch(tea.SetClipboard(id), kit.Say("no stream is being read yet: t on one in Endpoints reads it, then f and this id (copied) filters it"))
}

// switchTraces turns the traces of later calls on or off.
func (v *screen) switchTraces() tea.Cmd {
	if v.traces = !v.traces; v.traces {
		return kit.Say("each call begins a trace of its own (header traceparent)")
	}
	return kit.Say("calls carry no trace")
}
