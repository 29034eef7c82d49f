package kafka

import (
	"context"
	"fmt"
	"strings"
	"time"

	"iscope/probes"
)

// place fixes where each partition is read from and to.
func (p *probe) place(ctx context.Context, pl *plan, q probes.TailQuery) error {
	ends, err := p.allOffsets(ctx, offsetsQuery{pl.parts(), atEnd, committed}, pl.topics())
	if err != nil {
		return err
	}
	if err := p.placeStart(ctx, pl, q, ends); err != nil {
		return err
	}
	if q.From.Kind == probes.PosTime && q.Until.Kind == probes.PosTime && q.Until.Time.Before(q.From.Time) {
		return &fault{kind: probes.ErrUsage, err: fmt.Errorf("it would end at %s, before it begins at %s",
			q.Until.Time.Format(time.RFC3339), q.From.Time.Format(time.RFC3339))}
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
		return pl.endsBeforeItBegins()
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

// endsBeforeItBegins refuses an end before every partition's beginning: nothing
// would be read, and nobody would be told why.
func (pl *plan) endsBeforeItBegins() error {
	var begins []string
	for i := range pl.Parts {
		pos := &pl.Parts[i]
		if pos.Stop >= pos.Next || pl.Last > 0 {
			return nil
		}
		begins = append(begins, fmt.Sprintf("%s at %d", pos.part(), pos.Next))
	}
	return &fault{kind: probes.ErrUsage, err: fmt.Errorf("it would end at offset %d, before it begins: %s", pl.Parts[0].Stop, fewOf(begins)),
		hint: "say where to begin: without that, a tail begins at the end"}
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
	return nil, &fault{kind: probes.ErrUsage, err: fmt.Errorf("offset %d is out of range: partition %s", offset, fewOf(ranges)),
		hint: "the last number is the end: what comes next will have it"}
}

// fewOf joins for a sentence that stays short.
func fewOf(words []string) string {
	const few = 4
	if len(words) > few {
		words = append(words[:few:few], "…")
	}
	return strings.Join(words, ", ")
}
