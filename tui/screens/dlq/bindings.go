package dlq

import (
	tea "charm.land/bubbletea/v2"

	"iscope/tui/kit"
)

func (d *screen) Bindings() []kit.Binding {
	switch {
	case d.places.filter.Open():
		return d.places.filter.Bindings("dlq.filter")
	case d.messages.filter.Open():
		return d.messages.filter.Bindings("dlq.filter")
	case d.asking: // keys are text: these are for the hint row
		none := func() tea.Cmd { return nil }
		return []kit.Binding{
			{ID: "dlq.prompt.keep", Keys: []string{"enter"}, Name: "take it", Doc: "take what was typed", Hint: true, Run: none},
			{ID: "dlq.prompt.leave", Keys: []string{"esc"}, Name: "as before", Doc: "leave it as it was", Hint: true, Run: none},
		}
	}
	return []kit.Binding{
		{ID: "dlq.mark", Keys: []string{"space", "m"}, Name: "mark", Hint: true, Refused: d.refuseMark,
			Doc: "choose this dead letter, or not", Run: d.mark},
		{ID: "dlq.all", Keys: []string{"a"}, Name: "mark all", Hint: true, Refused: d.refuseMark,
			Doc: "choose all that the filter leaves, or none", Run: d.markAll},
		{ID: "dlq.redrive", Keys: []string{"r"}, Name: "redrive", Hint: true, Refused: d.refuseRedrive,
			Doc: "plan to send dead letters again: the marked, else what the filter leaves, else all; then send them, after a question", Run: d.redrive},
		{ID: "dlq.to", Keys: []string{"t"}, Name: "destination", Hint: true, Refused: d.refuseTo,
			Doc: "send to another subject of the same target; empty: to where each came from", Run: func() tea.Cmd { d.ask(d.plan.to); return nil }},
		{ID: "dlq.stop", Keys: []string{"K"}, Name: "stop", Hint: true, Refused: d.refuseStop,
			Doc: "stop sending; what is under way may finish", Run: d.stop},
		{ID: "dlq.topology", Keys: []string{"o"}, Name: "topology", Refused: d.refusePlace,
			Doc: "show it in the topology", Run: func() tea.Cmd {
				return kit.Send(kit.Go{Screen: kit.Topology, Ref: d.at().ref})
			}},
	}
}

// at is the place that is open, or under the cursor.
func (d *screen) at() place {
	if d.level != onPlaces {
		return d.messages.place
	}
	p, _ := d.places.current()
	return p
}

func (d *screen) refusePlace() string {
	if d.at().ref.Target == "" {
		return "there are no dead letters"
	}
	return ""
}

func (d *screen) refuseMark() string {
	if d.level != onMessages || len(d.messages.shown) == 0 {
		return "open a place with dead letters first (enter)"
	}
	return ""
}

func (d *screen) refuseTo() string {
	switch {
	case d.level != onPlan:
		return "make a plan first (r)"
	case d.plan.run != nil:
		return "the plan is being carried out"
	}
	return ""
}

func (d *screen) refuseStop() string {
	if !d.running() {
		return "nothing is being sent"
	}
	return ""
}
