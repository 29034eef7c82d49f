package kafka

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

var _ probes.DeadLetterer = (*probe)(nil)

const (
	// newestFew messages at the end of a partition tell whether a framework's
	// headers are on them: the very last may be a transaction's marker.
	newestFew = 5
	// defaultDead is how many dead letters are shown unless said.
	defaultDead = 10
)

// DeadLetters lists the topics that hold dead letters: those named like one, and
// those whose newest messages carry the headers of a framework that gave up on
// them. That reads the newest few messages of one partition of each topic.
func (p *probe) DeadLetters(ctx context.Context) ([]probes.DeadLetter, error) {
	ctx, stop := p.scope(ctx)
	defer stop()
	out, err := p.deadLetters(ctx)
	if err != nil {
		return nil, p.fail("looking for dead letters", err)
	}
	return out, nil
}

func (p *probe) deadLetters(ctx context.Context) ([]probes.DeadLetter, error) {
	c, err := p.cluster(ctx, nil)
	if err != nil {
		return nil, err
	}
	g := &graveyard{p: p, cluster: c, found: map[string]*deadTopic{}}
	if err := g.measure(ctx); err != nil {
		return nil, err
	}
	if err := g.sample(ctx); err != nil {
		return nil, err
	}
	return g.list(ctx), nil
}

// graveyard is one search for dead letters.
type graveyard struct {
	p            *probe
	cluster      *cluster
	starts, ends map[part]int64
	found        map[string]*deadTopic
}

// deadTopic is what the newest messages of a topic say.
type deadTopic struct {
	conventions, origins []string
}

// topics are those that people made and that can be read.
func (g *graveyard) topics() (out []*metadata.ResponseTopic) {
	for i := range g.cluster.topics {
		if t := &g.cluster.topics[i]; !t.IsInternal && !strings.HasPrefix(t.Name, "__") && t.ErrorCode == 0 {
			out = append(out, t)
		}
	}
	return out
}

func (g *graveyard) measure(ctx context.Context) error {
	var parts []part
	for _, t := range g.topics() {
		for i := range t.Partitions {
			parts = append(parts, part{t.Name, t.Partitions[i].PartitionIndex})
		}
	}
	// What cannot be asked has no count, and no sample is taken of it.
	g.starts, _ = g.p.offsets(ctx, g.cluster, offsetsQuery{parts, atStart, committed})
	g.ends, _ = g.p.offsets(ctx, g.cluster, offsetsQuery{parts, atEnd, committed})
	return ctx.Err()
}

// sample reads the newest few messages of each topic: of all partitions of those
// named like a dead-letter topic, of the fullest one of the others.
func (g *graveyard) sample(ctx context.Context) error {
	window := &plan{}
	for _, t := range g.topics() {
		var of []part
		for i := range t.Partitions {
			if pt := (part{t.Name, t.Partitions[i].PartitionIndex}); g.size(pt) > 0 && g.readable(pt) {
				of = append(of, pt)
			}
		}
		if !namedDead(t.Name) && len(of) > 1 {
			of = []part{slices.MaxFunc(of, func(a, b part) int { return cmp.Compare(g.size(a), g.size(b)) })}
		}
		for _, pt := range of {
			window.Parts = append(window.Parts, position{pt.topic, pt.id, max(g.starts[pt], g.ends[pt]-newestFew), g.ends[pt]})
		}
	}
	if len(window.Parts) == 0 {
		return nil // a stream of nothing would wait for its topics
	}
	all := conventions()
	mk := func(pt part) *maker { return newMaker(g.p.target.Name, pt, 1, true, false) }
	s := g.p.newStream(window, g.cluster, mk)
	s.sampled = true
	return s.run(ctx, func(it *item) bool {
		if d := deathOf(all, it.rec.Header); d.convention != nil {
			t := g.found[it.topic]
			if t == nil {
				t = &deadTopic{}
				g.found[it.topic] = t
			}
			t.conventions = addOnce(t.conventions, d.convention.name)
			t.origins = addOnce(t.origins, d.origin)
		}
		return true
	})
}

func (g *graveyard) size(pt part) int64 { return g.ends[pt] - g.starts[pt] }

// readable leaves out partitions without a leader: one would hold up the search.
func (g *graveyard) readable(pt part) bool {
	_, ok := g.cluster.leader(pt)
	return ok
}

func addOnce(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func (g *graveyard) list(ctx context.Context) []probes.DeadLetter {
	var out []probes.DeadLetter
	for _, t := range g.topics() {
		found, named := g.found[t.Name], namedDead(t.Name)
		if found == nil && !named {
			continue
		}
		d := probes.DeadLetter{Subject: t.Name, Count: -1}
		var because []string
		if named {
			because = append(because, "named like one")
		}
		if found != nil {
			because = append(because, "headers of "+strings.Join(found.conventions, " and ")+" on its newest messages")
			d.Origins = found.origins
		} else if o := originByName(t.Name); g.cluster.topic(o) != nil && o != t.Name {
			d.Origins = []string{o}
		}
		d.Because = strings.Join(because, "; ")
		d.Count, d.Oldest = g.contents(ctx, t)
		slices.Sort(d.Origins)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b probes.DeadLetter) int { return cmp.Compare(a.Subject, b.Subject) })
	return out
}

// contents counts a topic's messages and finds the time of the oldest.
func (g *graveyard) contents(ctx context.Context, t *metadata.ResponseTopic) (count int64, oldest time.Time) {
	var first []unread
	for i := range t.Partitions {
		pt := part{t.Name, t.Partitions[i].PartitionIndex}
		end, ok := g.ends[pt]
		start, ok2 := g.starts[pt]
		if !ok || !ok2 {
			return -1, time.Time{}
		}
		if count += end - start; end > start {
			first = append(first, unread{pt, start})
		}
	}
	for _, s := range g.p.stamps(ctx, g.cluster, first) {
		if at := time.UnixMilli(s.millis).UTC(); s.why == "" && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return count, oldest
}

// ShowDead yields the newest messages of a dead-letter topic, with what their
// headers say of their death. Like any tail, it changes nothing.
func (p *probe) ShowDead(ctx context.Context, q probes.PeekQuery) iter.Seq2[probes.Record, error] {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultDead
	}
	all := conventions()
	return func(yield func(probes.Record, error) bool) {
		for rec, err := range p.Tail(ctx, probes.TailQuery{Subject: q.Subject, Last: limit, MaxBody: q.MaxBody, Ledger: q.Ledger}) {
			if err == nil && rec.Kind == probes.Message {
				rec = withDeath(all, rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func withDeath(all []convention, rec probes.Record) probes.Record {
	d := deathOf(all, rec.Header)
	if more := d.attrs(rec.Time); len(more) > 0 {
		rec.Attrs = append(slices.Clip(rec.Attrs), more...)
	}
	return rec
}

// errNoOrigin is about one message: the others may say where they came from.
var errNoOrigin = fmt.Errorf("its headers do not say where it came from: name a topic to send it to")
