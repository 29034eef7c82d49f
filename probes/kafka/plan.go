package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// plan is a resolved query: what to read of which partition. Written as JSON it
// is the position a tail resumes from.
type plan struct {
	// Last is how many of the newest records before Next are still to be shown.
	Last  int        `json:"last,omitempty"`
	Until *time.Time `json:"until,omitempty"` // a time still to come
	// Whole says that all partitions are wanted, those made later too.
	Whole bool       `json:"whole,omitempty"`
	Parts []position `json:"parts"`
}

// position is what is left to read of a partition.
type position struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"`
	Stop      int64  `json:"stop"` // first offset not wanted; -1 none
}

func (p *position) part() part { return part{p.Topic, p.Partition} }

func (pl *plan) topics() []string {
	var out []string
	for i := range pl.Parts {
		if !slices.Contains(out, pl.Parts[i].Topic) {
			out = append(out, pl.Parts[i].Topic)
		}
	}
	return out
}

func (pl *plan) parts() []part {
	out := make([]part, len(pl.Parts))
	for i := range pl.Parts {
		out[i] = pl.Parts[i].part()
	}
	return out
}

func (pl *plan) resume() string {
	b, err := json.Marshal(pl)
	if err != nil {
		return "" // no field of plan can fail
	}
	return string(b)
}

func parseResume(s string) (*plan, error) {
	var pl plan
	if err := json.Unmarshal([]byte(s), &pl); err != nil {
		return nil, &fault{kind: probes.ErrUsage, err: fmt.Errorf("reading the position to resume from: %w", err)}
	}
	if len(pl.Parts) == 0 {
		return nil, &fault{kind: probes.ErrUsage, err: errors.New("the position to resume from names no partition")}
	}
	return &pl, nil
}

// subject is what a tail's subject names: topics, or one partition of one.
type subject struct {
	topics    []string
	partition int32 // -1 all
}

// parseSubject reads "orders", "orders,payments" and "orders/2". Topic names
// hold neither commas nor slashes.
func parseSubject(s string) (subject, error) {
	out := subject{partition: -1}
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(out.topics, name) {
			out.topics = append(out.topics, name)
		}
	}
	usage := func(err error, hint string) (subject, error) {
		return out, &fault{kind: probes.ErrUsage, err: err, hint: hint}
	}
	if len(out.topics) == 0 {
		return usage(errors.New("no topic given"), "name one, as in target/topic, or several separated by commas")
	}
	topic, number, ok := strings.Cut(out.topics[0], "/")
	if !ok {
		return out, nil
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 0 || len(out.topics) > 1 {
		return usage(fmt.Errorf("%q is no topic", s), "a single partition is written topic/2")
	}
	return subject{topics: []string{topic}, partition: int32(n)}, nil
}

// resolve turns a query into a plan, asking for offsets where needed. All
// positions are fixed when it returns.
func (p *probe) resolve(ctx context.Context, q probes.TailQuery) (*plan, error) {
	if q.Resume != "" {
		return parseResume(q.Resume)
	}
	sub, err := parseSubject(q.Subject)
	if err != nil {
		return nil, p.suggest(ctx, q.Subject, err)
	}
	c, err := p.known(ctx, sub.topics)
	if err != nil {
		return nil, err
	}
	pl := &plan{Whole: sub.partition < 0, Last: max(q.Last, 0)}
	for _, name := range sub.topics {
		for _, tp := range c.topic(name).Partitions {
			if sub.partition < 0 || sub.partition == tp.PartitionIndex {
				pl.Parts = append(pl.Parts, position{Topic: name, Partition: tp.PartitionIndex, Stop: -1})
			}
		}
	}
	if len(pl.Parts) == 0 {
		n := len(c.topic(sub.topics[0]).Partitions)
		return nil, &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no partition %d in topic %s", sub.partition, sub.topics[0]),
			hint: fmt.Sprintf("it has partitions 0 to %d", n-1)}
	}
	return pl, p.place(ctx, pl, q)
}

// suggest adds the names there are to a complaint about no name at all.
func (p *probe) suggest(ctx context.Context, name string, err error) error {
	var f *fault
	if strings.TrimSpace(name) != "" || !errors.As(err, &f) {
		return err
	}
	c, cerr := p.cluster(ctx, nil)
	if cerr != nil {
		return err
	}
	return &fault{kind: f.kind, err: f.err, hint: f.hint + "; " + probes.NearestHint("", c.names())}
}

// place fixes where each partition is read from and to.
func (p *probe) place(ctx context.Context, pl *plan, q probes.TailQuery) error {
	ends, err := p.allOffsets(ctx, offsetsQuery{pl.parts(), atEnd, committed}, pl.topics())
	if err != nil {
		return err
	}
	if err := p.placeStart(ctx, pl, q, ends); err != nil {
		return err
	}
	switch {
	case q.Until.Kind == probes.PosLatest, pl.Last > 0 && !q.Follow && q.Until.Kind == probes.PosDefault:
		for i := range pl.Parts {
			pl.Parts[i].Stop = ends[pl.Parts[i].part()]
		}
	case q.Until.Kind == probes.PosOffset:
		for i := range pl.Parts {
			pl.Parts[i].Stop = q.Until.Offset
		}
	case q.Until.Kind == probes.PosEarliest:
		for i := range pl.Parts {
			pl.Parts[i].Stop = 0
		}
	case q.Until.Kind == probes.PosTime && q.Until.Time.After(time.Now()):
		pl.Until = &q.Until.Time
	case q.Until.Kind == probes.PosTime:
		stops, err := p.atTime(ctx, pl, q.Until.Time, ends)
		if err != nil {
			return err
		}
		for i := range pl.Parts {
			pl.Parts[i].Stop = stops[pl.Parts[i].part()]
		}
	}
	return nil
}

func (p *probe) placeStart(ctx context.Context, pl *plan, q probes.TailQuery, ends map[part]int64) (err error) {
	at := ends
	switch {
	case pl.Last > 0:
	case q.From.Kind == probes.PosEarliest:
		at, err = p.allOffsets(ctx, offsetsQuery{pl.parts(), atStart, committed}, pl.topics())
	case q.From.Kind == probes.PosOffset:
		at, err = p.atOffset(ctx, pl, q.From.Offset, ends)
	case q.From.Kind == probes.PosTime:
		at, err = p.atTime(ctx, pl, q.From.Time, ends)
	}
	for i := range pl.Parts {
		pl.Parts[i].Next = at[pl.Parts[i].part()]
	}
	return err
}

// atTime finds the first record of at least that time in each partition, or the
// end.
func (p *probe) atTime(ctx context.Context, pl *plan, t time.Time, ends map[part]int64) (map[part]int64, error) {
	// ListOffsets gives negative timestamps meanings of their own.
	found, err := p.allOffsets(ctx, offsetsQuery{pl.parts(), max(t.UnixMilli(), 0), committed}, pl.topics())
	for pt, off := range found {
		if off < 0 {
			found[pt] = ends[pt]
		}
	}
	return found, err
}

// atOffset checks an offset against what there is. With several partitions, it
// has to lie within at least one of them; the others are read from their nearest
// end.
func (p *probe) atOffset(ctx context.Context, pl *plan, offset int64, ends map[part]int64) (map[part]int64, error) {
	starts, err := p.allOffsets(ctx, offsetsQuery{pl.parts(), atStart, committed}, pl.topics())
	if err != nil {
		return nil, err
	}
	at := make(map[part]int64, len(starts))
	within := false
	var ranges []string
	for i := range pl.Parts {
		pt := pl.Parts[i].part()
		within = within || offset >= starts[pt] && offset <= ends[pt]
		at[pt] = min(max(offset, starts[pt]), ends[pt])
		ranges = append(ranges, fmt.Sprintf("%s has %d to %d", pt, starts[pt], ends[pt]))
	}
	if within {
		return at, nil
	}
	const few = 4
	if len(ranges) > few {
		ranges = append(ranges[:few], "…")
	}
	return nil, &fault{kind: probes.ErrUsage, err: fmt.Errorf("offset %d is out of range: partition %s", offset, strings.Join(ranges, ", ")),
		hint: "the last number is the end: what comes next will have it"}
}
