// Package replays is the screen of a replay: the plan with its guard rails, and
// the run.
package replays

import (
	"context"
	"fmt"
	"slices"
	"sync"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/inspectors/redact"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay"
	"iscope/tui/kit"
	"iscope/tui/session"
)

type screen struct {
	s *session.Session
	o kit.Options

	path   string
	to     string // destination; "" lets the plan choose one
	pace   int
	prompt kit.Field
	arming bool          // the destination's name is being typed
	filter kit.Filtering // what of the capture is planned
	scroll kit.Scroll
	height int
	total  int // rows of the plan or run, for scrolling

	choice   []string // other destinations
	planning bool
	plan     *replay.Plan
	judged   filter.Stats // what the filter did for the plan
	reader   *replay.Reader
	problem  error
	run      *run
}

// paces are what p goes through.
var paces = []struct {
	name string
	o    replay.SendOptions
}{
	{"as recorded", replay.SendOptions{Pace: replay.Original}},
	{"2 times as fast", replay.SendOptions{Pace: replay.Times, Speed: 2}},
	{"10 times as fast", replay.SendOptions{Pace: replay.Times, Speed: 10}},
	{"10 a second", replay.SendOptions{Pace: replay.Rate, Rate: 10}},
	{"as fast as it goes", replay.SendOptions{Pace: replay.ASAP}},
}

// run is a replay under way. Its fields are written by the engine's goroutine.
type run struct {
	stop context.CancelFunc

	mu      sync.Mutex
	results []replay.Result // failed and different ones, bounded
	done    int
	report  *replay.Report
	err     error
}

// keptResults bounds what a run shows of failures and differences.
const keptResults = 500

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	r := &screen{s: s, o: o, filter: kit.NewFilter(o)}
	r.filter.Lazily() // each one is a plan of its own
	return r
}

func (r *screen) Name() string { return "Replay" }

func (r *screen) Crumb() safe.Text {
	if r.path == "" {
		return safe.Text{}
	}
	return safe.Line(base(r.path)+" to "+r.destination(), 70)
}

func (r *screen) Typing() bool       { return r.arming || r.filter.Open() }
func (r *screen) Filters() bool      { return r.unready() == "" }
func (r *screen) Shown(bool) tea.Cmd { return nil }

// Close stops a run and waits for nothing: the engine drains by itself.
func (r *screen) Close() {
	if r.run != nil {
		r.run.stop()
	}
	if r.reader != nil && r.run == nil {
		r.reader.Close()
	}
}

func (r *screen) destination() string { return r.to }

// candidates are the targets that can take traffic, the ones like the recorded
// target first and that itself last.
func candidates(s *session.Session, info replay.Info) (names []string) {
	var recorded replay.TargetInfo
	if len(info.Targets) > 0 {
		recorded = info.Targets[0]
	}
	var others []string
	for _, st := range s.States() {
		switch {
		case !slices.Contains(st.Can, "publish") && !slices.Contains(st.Can, "invoke") || st.Name == recorded.Name:
		case st.Driver == recorded.Driver:
			names = append(names, st.Name)
		default:
			others = append(others, st.Name)
		}
	}
	names = append(names, others...)
	if recorded.Name != "" {
		names = append(names, recorded.Name)
	}
	return names
}

func (r *screen) Bindings() []kit.Binding {
	switch {
	case r.filter.Open():
		return r.filter.Bindings("replay.filter")
	case r.arming: // keys are text: these are for the hint row
		none := func() tea.Cmd { return nil }
		return []kit.Binding{
			{ID: "replay.arm", Keys: []string{"enter"}, Name: "send, if that is its name", Doc: "send the plan", Hint: true, Run: none},
			{ID: "replay.disarm", Keys: []string{"esc"}, Name: "leave", Doc: "send nothing", Hint: true, Run: none},
		}
	}
	return []kit.Binding{
		{ID: "replay.target", Keys: []string{"t"}, Name: "destination", Hint: true, Doc: "the next target as destination", Refused: r.unready,
			Run: r.another},
		{ID: "replay.pace", Keys: []string{"p"}, Name: "pace", Hint: true, Doc: "as recorded, faster, fixed rate, as fast as it goes", Refused: r.unready,
			Run: func() tea.Cmd { r.pace = (r.pace + 1) % len(paces); return nil }},
		{ID: "replay.run", Keys: []string{"r"}, Name: "run", Hint: true, Doc: "send the plan; the destination's name has to be typed", Refused: r.unarmed,
			Run: func() tea.Cmd { r.arming = true; r.prompt.Set(""); return nil }},
		{ID: "replay.stop", Keys: []string{"K"}, Name: "stop", Hint: true, Doc: "stop sending; what is under way may finish", Refused: r.still,
			Run: func() tea.Cmd { r.run.stop(); return kit.Say("stopping") }},
		{ID: "replay.plan", Keys: []string{"a"}, Name: "plan again", Doc: "make the plan anew", Refused: r.unready, Run: r.makePlan},
	}
}

func (r *screen) unready() string {
	switch {
	case r.path == "":
		return "choose a capture first (5, then r)"
	case r.running():
		return "a replay is running"
	}
	return ""
}

func (r *screen) unarmed() string {
	switch {
	case r.unready() != "":
		return r.unready()
	case r.plan == nil:
		return "there is no plan yet"
	case r.plan.Refused != nil:
		return "the plan is refused: " + safe.Line(r.plan.Refusal, 200).String()
	case r.plan.Planned == r.plan.Skipped:
		return "the plan would send nothing"
	}
	return ""
}

func (r *screen) still() string {
	if !r.running() {
		return "nothing is running"
	}
	return ""
}

func (r *screen) running() bool {
	if r.run == nil {
		return false
	}
	r.run.mu.Lock()
	defer r.run.mu.Unlock()
	return r.run.report == nil
}

func (r *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Go:
		if msg.Path != "" && !r.running() {
			r.path, r.to, r.run = msg.Path, "", nil
			r.filter.Lift()
			if err := r.filter.Set(msg.Filter); err != nil {
				return tea.Batch(kit.Send(kit.Fail{Err: err}), r.makePlan())
			}
			return r.makePlan()
		}
	case planned:
		r.take(msg)
	case tick:
		if r.running() {
			return r.tick()
		}
	case kit.Cancel:
		if r.running() {
			r.run.stop()
		}
	case kit.Nav:
		switch msg {
		case kit.Back:
			return r.back()
		case kit.Find, kit.Filter:
			if why := r.unready(); why != "" {
				return kit.Send(kit.Toast{Text: "filter: " + why, Bad: true})
			}
			r.filter.Ask(r.filter.Text)
			return nil
		}
		r.scroll.Nav(msg, r.total, max(1, r.height))
	case tea.KeyPressMsg, tea.PasteMsg:
		return r.typed(msg)
	}
	return nil
}

// back lifts the filter, unless a run shows what it left.
func (r *screen) back() tea.Cmd {
	if r.filter.Text == "" || r.run != nil {
		return kit.Send(kit.NotMine{})
	}
	r.filter.Lift()
	return r.makePlan()
}

// typed takes a filter, or the destination's name, which arms the replay.
func (r *screen) typed(msg tea.Msg) tea.Cmd {
	if r.filter.Open() {
		if r.filter.Update(msg).Changed {
			return r.makePlan()
		}
		return nil
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			r.arming = false
			return nil
		case "enter":
			r.arming = false
			if r.prompt.Value() != r.destination() {
				return kit.Send(kit.Toast{Text: "not sent: that is not the destination's name", Bad: true})
			}
			return r.start()
		}
	}
	r.prompt.Update(msg)
	return nil
}

type (
	planned struct {
		path   string
		to     string
		filter string
		judged filter.Stats
		choice []string
		reader *replay.Reader
		plan   *replay.Plan
		err    error
	}
	tick struct{}
)

// another takes the next destination.
func (r *screen) another() tea.Cmd {
	if len(r.choice) == 0 {
		return kit.Say("there is no other target that takes traffic")
	}
	r.to = r.choice[(slices.Index(r.choice, r.to)+1)%len(r.choice)]
	return r.makePlan()
}

// makePlan reads the capture and asks the destination what the guard rails need
// to know; nothing is sent.
func (r *screen) makePlan() tea.Cmd {
	r.planning, r.problem, r.plan, r.run = true, nil, nil, nil
	path, to, s, text := r.path, r.destination(), r.s, r.filter.Text
	choose := kit.Decoding(r.filter.In, s.WaitingEnvOf)
	return func() tea.Msg {
		out := planned{path: path, to: to, filter: text}
		var err error
		var conn *probes.Conn
		if out.reader, err = replay.Open(path); err == nil {
			out.choice = candidates(s, out.reader.Info())
			if to == "" && len(out.choice) > 0 {
				out.to = out.choice[0]
			}
			conn, err = s.Conn(s.Context(), out.to)
		}
		if err == nil {
			o := replay.PlanOptions{To: []replay.Route{{Conn: conn}}, IsRedacted: redact.IsPlaceholder}
			if choose != nil {
				o.Select = func(rec *probes.Record) bool {
					ok, _ := choose.Match(s.Context(), rec) // what cannot be judged is counted
					return ok
				}
			}
			out.plan, err = replay.BuildPlan(s.Context(), out.reader, o)
		}
		if choose != nil {
			out.judged = choose.Stats()
		}
		out.err = err
		return out
	}
}

func (r *screen) take(p planned) {
	if p.path != r.path || r.to != "" && p.to != r.to || p.filter != r.filter.Text {
		if p.reader != nil {
			p.reader.Close()
		}
		return
	}
	if r.reader != nil {
		r.reader.Close()
	}
	r.planning, r.plan, r.reader, r.problem, r.to, r.choice = false, p.plan, p.reader, p.err, p.to, p.choice
	r.judged = p.judged
}

func (r *screen) start() tea.Cmd {
	ctx, stop := context.WithCancel(r.s.Context())
	live := &run{stop: stop}
	r.run, r.scroll = live, kit.Scroll{}
	o := paces[r.pace].o
	o.OnResult = live.took
	plan := r.plan
	return tea.Batch(r.tick(), func() tea.Msg {
		defer stop()
		report, err := replay.Run(ctx, plan, o)
		live.mu.Lock()
		live.report, live.err = &report, err
		live.mu.Unlock()
		return kit.Toast{Text: fmt.Sprintf("replay ended: sent %d of %d", report.Sent, report.Planned), Bad: report.Sent != report.Planned}
	})
}

func (l *run) took(res replay.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if (res.Err != nil || res.Different) && len(l.results) < keptResults {
		l.results = append(l.results, res)
	}
}
