package replay

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"iscope/probes"
)

// Reasons for leaving an item out. They are part of the output and stay as they
// are.
const (
	skipReplay    = "already a replay"
	skipNoRoute   = "no destination for its target"
	skipCut       = "body is not whole in the capture"
	skipFaulty    = "recorded with an error"
	skipRedacted  = "redacted, and nothing provides the value"
	skipSecret    = "recorded credentials stay in the capture, and the destination has none configured"
	skipNoRequest = "its request is not in the capture"
	skipUnended   = "a stream of requests whose end is not in the capture"
	skipUnknown   = "the destination has no such method"
	skipNoPublish = "the destination cannot be published to"
	skipNoInvoke  = "the destination cannot be called"
	skipWrites    = "may change something, and only reads were asked for"
)

// Marker is the header that replayed traffic carries: RUN/N.
const Marker = "x-iscope-replay"

// AttrConnection names the connection a request came over. Requests that were
// answered before the next one was sent over it keep that order in a replay.
const AttrConnection = "iscope.connection"

// use is what one recorded target sends along one route.
type use struct {
	from     string
	route    int
	subjects map[string]bool
	publish  int
	calls    int
	writes   int
}

type useKey struct {
	from  string
	route int
}

// call is a call being put together.
type call struct {
	step
	from, subject string
	skip          string
	ignored       bool // left out by Select
	requests      int
	conn          string
	ended         bool
}

// collector turns the records of a capture into steps.
type collector struct {
	p       *Plan
	methods *catalogues
	uses    map[useKey]*use
	calls   map[probes.Ref]*call // by target and call
	order   []*call
	lanes   map[string]uint32
	last    map[uint32]int64 // per lane of messages, the latest start
	ops     map[Operation]int32
	skips   map[string]int // index into Plan.Skips
	ends    map[outcome]int32
}

func newCollector(p *Plan) *collector {
	return &collector{p: p, methods: newCatalogues(), uses: map[useKey]*use{}, calls: map[probes.Ref]*call{},
		lanes: map[string]uint32{}, last: map[uint32]int64{}, ops: map[Operation]int32{}, skips: map[string]int{},
		ends: map[outcome]int32{}}
}

// take looks at one record. Events, gaps and notices are no stimuli.
func (c *collector) take(ctx context.Context, r *probes.Record, at spot) error {
	switch r.Kind {
	case probes.Message:
		if !c.wanted(r) {
			c.p.Unselected++
			return nil
		}
		return c.message(r, at)
	case probes.Request:
		c.request(r, at)
	case probes.Response, probes.End:
		c.answer(r)
	}
	return nil
}

func (c *collector) wanted(r *probes.Record) bool { return c.p.opt.Select == nil || c.p.opt.Select(r) }

func (c *collector) message(r *probes.Record, at spot) error {
	c.p.Planned++
	i, reason := c.judge(r)
	if reason == "" && !c.p.opt.To[i].Conn.Can("publish") {
		reason = skipNoPublish
	}
	if reason == "" && c.p.opt.ReadsOnly {
		reason = skipWrites
	}
	if reason != "" {
		c.skip(reason, r.Source, r.ID)
		return nil
	}
	rt := &c.p.opt.To[i]
	subject := r.Source.Subject
	if rt.Subject != "" {
		subject = rt.Subject
	}
	s := step{parts: []part{{spot: at}}, route: int32(i), want: -1, id: r.ID, lane: c.lane(messageLane(i, subject, r))}
	// A tail from the past sees everything at once: the message's own time is
	// the traffic's rhythm. Within a lane the order of the file rules.
	s.start = recordedAt(r.Time, r.Seen)
	s.start = max(s.start, c.last[s.lane])
	c.last[s.lane], s.end = s.start, s.start
	s.op = c.operation(Operation{From: r.Source.Target, Name: r.Source.Subject, To: probes.Ref{Target: rt.Conn.Target.Name, Subject: subject}.String(),
		Publish: true, Effect: probes.EffectWrite}, probes.Method{})
	c.add(s, r.Source, true)
	return nil
}

func recordedAt(first, second time.Time) int64 {
	for _, t := range []time.Time{first, second} {
		if n, ok := nanos(t); ok {
			return int64(n)
		}
	}
	return 0
}

// messageLane is what a broker keeps in order: the key, else the partition.
func messageLane(route int, subject string, r *probes.Record) string {
	if r.Key != nil {
		return fmt.Sprintf("m%d/%s/k%s", route, subject, r.Key)
	}
	part, _ := r.Attr(probes.AttrPartition)
	return fmt.Sprintf("m%d/%s/p%s", route, subject, part)
}

func (c *collector) lane(name string) uint32 {
	id, ok := c.lanes[name]
	if !ok {
		id = uint32(len(c.lanes) + 1)
		c.lanes[name] = id
	}
	return id
}

// judge looks at what messages and requests have in common: the way and the
// content. The reason is "" if both are fine.
func (c *collector) judge(r *probes.Record) (route int, reason string) {
	route = c.routeOf(r.Source.Target)
	switch {
	case hasMarker(r):
		reason = skipReplay
	case route < 0:
		reason = skipNoRoute
	case r.Cut > 0:
		reason = skipCut
	case r.Err != "":
		reason = skipFaulty
	case c.masked(r):
		reason = skipRedacted
	default:
		_, reason = c.p.headers(r, c.p.opt.To[route].Conn)
	}
	return route, reason
}

func hasMarker(r *probes.Record) bool {
	_, ok := r.HeaderValue(Marker)
	return ok
}

// masked reports placeholders outside headers.
func (c *collector) masked(r *probes.Record) bool {
	is := c.p.opt.IsRedacted
	return is != nil && (is(r.Body) || is(r.Key) || is([]byte(r.Source.Subject)))
}

func (c *collector) routeOf(target string) int {
	fallback := -1
	for i := range c.p.opt.To {
		switch c.p.opt.To[i].From {
		case target:
			return i
		case "":
			fallback = i
		}
	}
	return fallback
}

func (c *collector) request(r *probes.Record, at spot) {
	k := c.callOf(r)
	k.requests++
	t := recordedAt(r.Seen, r.Time)
	if k.requests == 1 {
		k.subject, k.start = r.Source.Subject, t
		k.conn, _ = r.Attr(AttrConnection)
		k.ignored = !c.wanted(r)
	}
	if k.ignored || k.skip != "" {
		return
	}
	var route int
	route, k.skip = c.judge(r)
	k.route = int32(route)
	k.parts = append(k.parts, part{at, max(0, t-k.start)})
}

// answer notes how the recorded call went.
func (c *collector) answer(r *probes.Record) {
	if r.Call == "" {
		return
	}
	k := c.callOf(r)
	if k.requests == 0 {
		k.ignored = !c.wanted(r)
	}
	if r.Kind != probes.End {
		return
	}
	k.ended, k.end = true, recordedAt(r.Seen, r.Time)
	o := outcomeOf(r)
	i, ok := c.ends[o]
	if !ok {
		i = int32(len(c.p.ends))
		c.p.ends = append(c.p.ends, o)
		c.ends[o] = i
	}
	k.want = i
}

func (c *collector) callOf(r *probes.Record) *call {
	key := probes.Ref{Target: r.Source.Target, Subject: r.Call}
	if k, ok := c.calls[key]; ok && r.Call != "" {
		return k
	}
	k := &call{from: r.Source.Target, subject: r.Source.Subject, step: step{id: r.Call, want: -1, end: math.MaxInt64}}
	c.calls[key] = k
	c.order = append(c.order, k)
	return k
}

// finish decides about the calls, now that all their records are known.
func (c *collector) finish(ctx context.Context) error {
	for _, k := range c.order {
		if k.ignored {
			c.p.Unselected++
			continue
		}
		c.p.Planned++
		m, err := c.judgeCall(ctx, k)
		if err != nil {
			return err
		}
		if k.skip != "" {
			c.skip(k.skip, probes.Ref{Target: k.from, Subject: k.subject}, k.id)
			continue
		}
		if k.conn != "" {
			k.lane = c.lane("c" + k.from + "/" + k.conn)
		}
		to := c.p.opt.To[k.route].Conn.Target.Name
		k.op = c.operation(Operation{From: k.from, Name: m.Name, To: to, Effect: m.Effect}, m)
		c.add(k.step, probes.Ref{Target: k.from, Subject: k.subject}, m.Effect != probes.EffectRead)
	}
	return nil
}

// judgeCall finds the destination's method for a call, or the reason to leave
// the call out.
func (c *collector) judgeCall(ctx context.Context, k *call) (probes.Method, error) {
	switch {
	case k.skip != "":
		return probes.Method{}, nil
	case k.requests == 0:
		k.skip = skipNoRequest
		return probes.Method{}, nil
	}
	conn := c.p.opt.To[k.route].Conn
	if !conn.Can("invoke") {
		k.skip = skipNoInvoke
		return probes.Method{}, nil
	}
	m, known, err := c.methods.find(ctx, conn, k.subject)
	switch {
	case err != nil:
		return m, err
	case !known:
		k.skip = skipUnknown
	case m.ClientStream && !k.ended:
		k.skip = skipUnended
	case c.p.opt.ReadsOnly && m.Effect != probes.EffectRead:
		k.skip = skipWrites
	}
	return m, nil
}

func (c *collector) operation(o Operation, m probes.Method) int32 {
	i, ok := c.ops[o]
	if !ok {
		i = int32(len(c.p.Operations))
		c.ops[o] = i
		c.p.Operations = append(c.p.Operations, o)
		c.p.names = append(c.p.names, o.Name)
		c.p.method = append(c.p.method, m)
	}
	c.p.Operations[i].Count++
	return i
}

func (c *collector) add(s step, from probes.Ref, write bool) {
	c.p.steps = append(c.p.steps, s)
	key := useKey{from.Target, int(s.route)}
	u, ok := c.uses[key]
	if !ok {
		u = &use{from: from.Target, route: int(s.route), subjects: map[string]bool{}}
		c.uses[key] = u
	}
	if c.p.Operations[s.op].Publish {
		u.publish++
		u.subjects[from.Subject] = true
	} else {
		u.calls++
	}
	if write {
		u.writes++
		c.p.Writes++
	} else {
		c.p.Reads++
	}
}

func (c *collector) skip(reason string, from probes.Ref, id string) {
	i, ok := c.skips[reason]
	if !ok {
		i = len(c.p.Skips)
		c.skips[reason] = i
		c.p.Skips = append(c.p.Skips, Reason{Reason: reason, Example: strings.TrimSuffix(from.String()+" "+id, " ")})
	}
	c.p.Skips[i].Count++
	c.p.Skipped++
}
