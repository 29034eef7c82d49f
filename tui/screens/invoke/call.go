package invoke

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"iscope/probes"
	"iscope/probes/tap"
	"iscope/replay/request"
	"iscope/tui/session"
)

const (
	bodyBytes   = 64 << 20           // kept of one response
	ringBytes   = bodyBytes + 16<<20 // kept of one call's records
	streamBytes = 16 << 20           // kept of a stream's
	keptRings   = 8                  // calls whose records are kept,
	keptBytes   = ringBytes + 64<<20 // as long as they are no more than this together
	keptCalls   = 200                // calls in the history
	queued      = 64                 // messages that wait to be sent
)

// call is one invocation, from the moment it is asked for.
type call struct {
	by     *screen
	ref    probes.Ref
	method probes.Method
	in     probes.Invocation // without Next, and without the trace of ours
	queue  chan []byte       // messages of a client's stream
	vault  vault             // of the references in all of these
	from   origin            // the saved request that it is
	inEnv  string            // name of the environment it was made in
	// prepare makes the document to begin with, in the background; nil: there is
	// none, or docs hold it.
	prepare func() ([]byte, error)
	traced  bool               // it begins a trace
	env     probes.Environment // that the target was in when it was checked

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	done    chan struct{} // closed when it has ended

	mu      sync.Mutex
	ring    *tap.Ring // nil once it is too old
	docs    [][]byte  // in the order in which they were given
	half    bool      // nothing more is sent
	stopped bool      // must not begin any more
	over    bool
	// cancelled: by the user, not by a failure.
	cancelled bool
	began     time.Time
	finished  time.Time
	header    []probes.Field // of the first response
	end       *probes.Record
	sent      int
	received  int
	bytes     int64
	err       string // the call could not be made, or was cut off
	hint      string
	trace     string // the id of the trace it is part of
	kind      error  // of err: probes.ErrUsage and the others
	wire      int64  // bytes of the answers on the wire, where the driver says so
	weighed   bool
	notes     []note // what is said about the exchange beside its messages
	hops      int    // answers that only point elsewhere
}

func (v *screen) newCall(ref probes.Ref, m *probes.Method, in probes.Invocation, docs [][]byte) *call {
	bytes := ringBytes
	if m.ClientStream || m.ServerStream {
		bytes = streamBytes
	}
	c := &call{by: v, ref: ref, method: *m, in: in, docs: docs, ring: tap.NewRing(bytes), done: make(chan struct{}), traced: v.traces, inEnv: v.s.Env().Name,
		vault: vault{all: v.values}}
	c.in.Method, c.in.MaxBody = m.Name, bodyBytes
	if m.ClientStream || m.ServerStream {
		c.in.Deadline = -1 // a person types, or watches; ctrl+c ends it
	}
	c.ctx, c.cancel = context.WithCancel(v.s.Context())
	c.queue = make(chan []byte, max(queued, len(docs)))
	for _, d := range docs {
		c.queue <- d
	}
	return c
}

// ready makes the first document, if it has to be made, and reports why it cannot.
func (c *call) ready() error {
	if c.prepare != nil {
		doc, err := c.prepare()
		if err != nil {
			return &probes.Error{Target: c.ref.Target, Op: "preparing the document", Kind: probes.ErrUsage, Err: err}
		}
		if doc != nil {
			c.give(doc)
		}
	}
	if err := c.resolves(); err != nil {
		return err
	}
	if !c.method.ClientStream {
		c.halfClose()
	}
	return nil
}

// resolves reports which reference has no value, before anything is sent.
func (c *call) resolves() error {
	_, err := c.vault.invocation(c.in)
	for _, doc := range c.documents() {
		if _, derr := c.vault.document(doc); err == nil {
			err = derr
		}
	}
	if err == nil {
		return nil
	}
	return &probes.Error{Target: c.ref.Target, Op: "filling in the request", Kind: probes.ErrUsage, Err: err,
		Hint: "set it where iscope is started, or write the value in its place"}
}

// next supplies the messages as they are given.
func (c *call) next(ctx context.Context) ([]byte, error) {
	select {
	case doc, ok := <-c.queue:
		if !ok {
			return nil, io.EOF
		}
		return c.vault.document(doc)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// give adds a message to the open stream. It reports why it cannot.
func (c *call) give(doc []byte) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.half {
		return "the stream takes no more messages"
	}
	select {
	case c.queue <- doc:
		c.docs = append(c.docs, doc)
		return ""
	default:
		return "the peer takes no messages: those given before still wait"
	}
}

// halfClose says that no more messages come.
func (c *call) halfClose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.half {
		c.half = true
		close(c.queue)
	}
}

// stop cancels the call and keeps it from beginning.
func (c *call) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.cancel()
}

// begin reports whether the call may begin; if so, running has to be told of its
// end.
func (c *call) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return false
	}
	c.running.Add(1)
	return true
}

// run makes the call and blocks until it has ended. before are the answers to the
// other steps of the file it is from.
func (c *call) run(s *session.Session, before map[int]*request.Answer) {
	if !c.begin() {
		c.refuse(errors.New("cancelled before it began"))
		return
	}
	defer c.running.Done()
	defer c.cancel()
	err := c.exchange(s)
	c.explain()
	c.expects(before)
	c.ends(err)
	c.remember()
	close(c.done)
}

// ends notes how the exchange ended.
func (c *call) ends(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over, c.finished = true, c.by.o.Now()
	if err != nil {
		c.err, c.hint, c.kind = c.by.clean(c.vault.scrub(err.Error())), keysOf(c.by.clean(c.vault.scrub(probes.HintOf(err)))), probes.KindOf(err)
		if c.ctx.Err() != nil && c.kind == nil {
			c.cancelled, c.err, c.hint = true, "cancelled from here", ""
			if c.received > 0 {
				c.err += "; what had arrived until then is kept"
			}
		}
	}
}

// keysOf words a hint for who has keys and no flags.
func keysOf(hint string) string { return strings.ReplaceAll(hint, "pass --force", "press !") }

func (c *call) exchange(s *session.Session) error {
	conn, err := s.Conn(c.ctx, c.ref.Target)
	if err != nil {
		return err
	}
	in, err := c.vault.invocation(c.in)
	if err != nil {
		return err
	}
	if c.traced {
		id := in.WithTrace()
		c.mu.Lock()
		c.trace = id
		c.mu.Unlock()
	}
	if c.method.ClientStream || len(c.documents()) > 0 {
		in.Next = c.next
	}
	for rec, err := range conn.Invoke(c.ctx, c.method, in) {
		if err != nil {
			return err
		}
		c.took(rec)
	}
	return nil
}

// took keeps one record.
func (c *call) took(rec probes.Record) {
	if rec.Seen.IsZero() {
		rec.Seen = c.by.o.Now()
	}
	size := int64(len(rec.Body)) // as it came
	c.vault.record(&rec)
	c.mu.Lock()
	c.noteAbout(&rec)
	switch rec.Kind {
	case probes.Request:
		c.sent++
	case probes.Response:
		if c.received == 0 {
			c.header = rec.Header
		}
		c.received++
		c.bytes += size + rec.Cut
		c.weigh(&rec)
	case probes.End:
		c.end = &rec
	}
	ring := c.ring
	c.mu.Unlock()
	if ring != nil {
		ring.Write(c.ctx, rec)
	}
}

// progress is what is known of a call at one moment.
type progress struct {
	over, half      bool
	cancelled       bool
	began, finished time.Time
	header          []probes.Field
	end             *probes.Record
	sent, received  int
	bytes, wire     int64
	weighed         bool
	err, hint       string
	kind            error
	ring            *tap.Ring
	trace           string
	notes           []note
	hops            int
}

func (c *call) progress() progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return progress{over: c.over, half: c.half, cancelled: c.cancelled, began: c.began, finished: c.finished, header: c.header, end: c.end, sent: c.sent,
		received: c.received, bytes: c.bytes, wire: c.wire, weighed: c.weighed, err: c.err, hint: c.hint, kind: c.kind, ring: c.ring,
		trace: c.trace, notes: c.notes[:len(c.notes):len(c.notes)], hops: c.hops}
}

func (c *call) inFlight() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.over
}

// open reports whether messages can be added.
func (c *call) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.over && !c.half
}

// documents are the messages given so far.
func (c *call) documents() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.docs[:len(c.docs):len(c.docs)]
}

// trailers are what of the end's header did not come with the first response:
// some systems list both with the end.
func (p *progress) trailers() []probes.Field {
	if p.end == nil {
		return nil
	}
	all := p.end.Header
	if len(p.header) == 0 || len(p.header) > len(all) {
		return all
	}
	for i := range p.header {
		if p.header[i].Name != all[i].Name || string(p.header[i].Value) != string(all[i].Value) {
			return all
		}
	}
	return all[len(p.header):]
}

// forget drops the records of a call that is too old.
func (c *call) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		c.ring = nil
	}
}
