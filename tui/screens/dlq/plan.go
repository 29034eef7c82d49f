package dlq

import (
	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// plan is what a redrive would do, and the run once it has begun. It holds what
// was chosen when it was made.
type plan struct {
	ref    probes.Ref
	to     string // "" is each message's own origin
	how    string // what was chosen, in words
	read   int    // how many were read to choose from
	total  int    // how many a run will reach; 0 if that is not known
	what   string // those that are sent, in words
	recs   []*probes.Record
	where  map[string]int // chosen ones by destination
	why    map[string]int // and by reason
	lost   int            // of which nobody knows where to
	sifted kit.Sifted     // what the filter did
	more   bool           // there are or may be more than were read
	marked bool
	forced bool
	choice func() (*chosen, probes.RedriveQuery)

	run    *session.Redrive
	chosen *chosen // of the run, nil if it needs none
	scroll kit.Scroll
	rows   int
}

// noOrigin stands for the destination of a message that does not say where it
// came from.
const noOrigin = "unknown: name one (t)"

// makePlan chooses: what is marked, else what the filter leaves, else all.
func (d *screen) makePlan() tea.Cmd {
	if d.running() {
		d.level = onPlan
		return nil
	}
	m := &d.messages
	m.refresh(d.s)
	p := &plan{ref: m.place.ref, marked: len(m.marked) > 0, forced: m.forced, how: "all of them"}
	judge := kit.Judging(d.s.Context(), kit.Decoding(m.filter.In, d.s.EnvOf))
	shown := make([]*probes.Record, 0, len(m.recs))
	var marks []bool
	for i := range m.recs {
		r := &m.recs[i]
		if !isDead(r) {
			continue
		}
		on := m.marked[m.seq(i)]
		shown, marks = append(shown, r), append(marks, on)
		if p.marked && on || !p.marked && p.sifted.Record(judge, r) {
			p.recs = append(p.recs, r)
		}
	}
	// What is sent is judged with all schemas, whatever the time that takes.
	send := kit.Judging(d.s.Context(), kit.Decoding(m.filter.In, d.s.WaitingEnvOf))
	p.choice = func() (*chosen, probes.RedriveQuery) { return nil, probes.RedriveQuery{Select: selecting(send)} }
	switch {
	case p.marked:
		p.how = "the marked ones"
		p.choice = func() (*chosen, probes.RedriveQuery) {
			c := newChosen()
			for i, r := range shown {
				c.add(r, marks[i])
			}
			return c, probes.RedriveQuery{Select: c.Select, Limit: c.left}
		}
	case judge != nil:
		p.how = "those that match " + m.filter.Text
	}
	p.measure(m)
	p.redirect("")
	d.plan, d.level = p, onPlan
	return nil
}

// selecting makes a judge a choice: what cannot be judged is not sent. nil is all.
func selecting(j kit.Judge) func(*probes.Record) bool {
	if j == nil {
		return nil
	}
	return func(r *probes.Record) bool {
		ok, err := j(r)
		return ok && err == nil
	}
}

// measure says how many a run will reach, as far as that is known.
func (p *plan) measure(m *messages) {
	p.read, p.total, p.what = m.count(), len(p.recs), kit.Plural(len(p.recs), "dead letter")
	p.more = !p.marked && (p.read >= m.feed.Looked.Limit || m.place.Count > int64(p.read) || m.feed.Ring.Stats().Lost > 0)
	switch {
	case !p.more:
	case m.filter.In != nil:
		p.total, p.what = 0, "all dead letters that match"
	default:
		p.total, p.what = int(max(0, m.place.Count)), "all dead letters"
	}
}

// redirect names another destination, "" for each message's origin.
func (p *plan) redirect(to string) {
	p.to, p.where, p.why, p.lost = to, map[string]int{}, map[string]int{}, 0
	for _, r := range p.recs {
		where := to
		if where == "" {
			where, _ = r.Attr(probes.AttrDeadOrigin)
		}
		if where == "" {
			where = noOrigin
			p.lost++
		}
		p.where[where]++
		if why, ok := r.Attr(probes.AttrDeadReason); ok {
			p.why[why]++
		}
	}
}

// refusePlan says why no plan can be made.
func (d *screen) refusePlan() string {
	switch {
	case d.level == onPlaces:
		if _, ok := d.places.current(); !ok {
			return "there are no dead letters"
		}
		return ""
	case d.running():
		return ""
	case d.messages.reading():
		return "the messages are still being read"
	case d.messages.count() == 0:
		return "no dead letter has been read"
	case d.messages.stale:
		return "these were read before the redrive; R reads them again"
	}
	return ""
}

// refuseSend says why a plan cannot be carried out.
func (d *screen) refuseSend() string {
	p := d.plan
	switch {
	case p.run != nil && d.running():
		return "it is being sent; K stops it"
	case p.run != nil:
		return "this plan was carried out; esc goes back"
	case len(p.recs) == 0:
		return "nothing is chosen"
	case p.lost == len(p.recs):
		return "no message says where it came from; t names a destination"
	}
	if why := d.s.WriteRefusal(); why != "" {
		return why
	}
	if d.s.Redriving() != nil {
		return "another redrive is running"
	}
	return ""
}

// refuseRedrive is either, whichever r would do.
func (d *screen) refuseRedrive() string {
	if d.level == onPlan {
		return d.refuseSend()
	}
	return d.refusePlan()
}

// redrive goes on to the plan, or from the plan to the question.
func (d *screen) redrive() tea.Cmd {
	switch d.level {
	case onPlaces:
		if p, ok := d.places.current(); ok {
			return d.open(p, true)
		}
		return nil
	case onMessages:
		return d.makePlan()
	}
	p := d.plan
	env := d.s.Env()
	ask := kit.Ask{Title: "REDRIVE " + p.what + " of " + p.ref.String(), Yes: []kit.Answer{{Text: "send " + p.what, Run: func() tea.Cmd { return kit.Send(begin{d}) }}}}
	ask.Lines = []string{"In " + kit.Where(env) + ", to " + p.destinations() + ".", effects}
	if env.Class == probes.ClassProd || env.Class == probes.ClassUnknown {
		ask.Typed = env.Name
	}
	return kit.Send(ask)
}

// begin is the yes to the question.
type begin struct{ by *screen }

func (d *screen) start() tea.Cmd {
	p := d.plan
	if p == nil || d.level != onPlan || d.refuseSend() != "" {
		return nil
	}
	c, q := p.choice()
	q.To, q.Force = p.to, p.forced
	p.chosen, p.run, p.scroll = c, d.s.Redrive(p.ref, q), kit.Scroll{}
	clear(d.messages.marked)
	d.messages.stale = true
	return d.beat()
}

func (d *screen) running() bool {
	return d.plan != nil && d.plan.run != nil && !d.plan.run.Account().Over
}

func (d *screen) stop() tea.Cmd {
	d.plan.run.Stop()
	return kit.Say("stopping: what is under way may finish")
}
