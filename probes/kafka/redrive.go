package kafka

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"iscope/probes"
)

// Redrive publishes copies of the dead letters that were there when it began; see
// probes.DeadLetterer. A copy has the key and the headers of the dead letter, less
// those that tell of its death, and the time at which it is sent.
func (p *probe) Redrive(ctx context.Context, q probes.RedriveQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		r := &redrive{p: p, q: q, all: conventions()}
		for rec, err := range p.Tail(ctx, probes.TailQuery{Subject: q.Subject, From: probes.Position{Kind: probes.PosEarliest},
			Until: probes.Position{Kind: probes.PosLatest}, Ledger: q.Ledger}) {
			if err != nil {
				yield(rec, err)
				return
			}
			if rec.Kind == probes.Message {
				rec = withDeath(r.all, rec)
				if q.Select != nil && !q.Select(&rec) {
					continue
				}
				if rec, err = r.send(ctx, rec); err != nil {
					yield(rec, err)
					return
				}
			}
			if !yield(rec, nil) {
				return
			}
			if q.Limit > 0 && r.sent >= q.Limit {
				break
			}
		}
		if r.sent > 0 {
			yield(r.remains(), nil)
		}
	}
}

// redrive is one run. Its range of offsets is fixed when it begins, so that no
// dead letter is sent twice, not even one that dies again meanwhile.
type redrive struct {
	p     *probe
	q     probes.RedriveQuery
	all   []convention
	sent  int
	noted []string // topics the ledger knows of
}

// send publishes one copy. What concerns this message alone is in the record's
// Err; an error ends the run.
func (r *redrive) send(ctx context.Context, dead probes.Record) (probes.Record, error) {
	to := r.q.To
	if to == "" {
		to, _ = dead.Attr(probes.AttrDeadOrigin)
	}
	switch {
	case to == "":
		dead.Err = errNoOrigin.Error()
		return dead, nil
	case to == dead.Source.Subject:
		dead.Err = "it came from this very topic: name another to send it to"
		return dead, nil
	}
	r.note(to)
	stored, err := r.p.Publish(ctx, r.copyOf(dead, to))
	if err != nil {
		if ctx.Err() != nil || probes.Transient(err) || probes.KindOf(err) == probes.ErrAuth {
			return probes.Record{}, err
		}
		dead.Err = err.Error()
		return dead, nil
	}
	r.sent++
	stored.Attrs = append(stored.Attrs, probes.Attr{Name: attrRedrivenFrom, Value: dead.Source.Subject + " " + dead.ID})
	return stored, nil
}

// note writes down which topic gets copies, before the first.
func (r *redrive) note(to string) {
	if !slices.Contains(r.noted, to) {
		r.noted = append(r.noted, to)
		r.q.Ledger.Note(probes.DeedCreated, fmt.Sprintf("copies of messages of %s in topic %s", r.q.Subject, to), "")
	}
}

func (r *redrive) copyOf(dead probes.Record, to string) probes.Record {
	out := probes.Record{Kind: probes.Message, Source: probes.Ref{Target: dead.Source.Target, Subject: to}, Key: dead.Key, Body: dead.Body}
	var drop []string
	if d := deathOf(r.all, dead.Header); d.convention != nil {
		drop = d.convention.prefixes
	}
	times := 1
	for _, h := range dead.Header {
		switch {
		case h.Name == probes.HeaderRedriven:
			times = 1 + redrivenBefore(h.Value)
		case !slices.ContainsFunc(drop, func(prefix string) bool { return strings.HasPrefix(h.Name, prefix) }):
			out.Header = append(out.Header, h)
		}
	}
	mark := fmt.Sprintf("%d from %s", times, dead.Source.Subject)
	out.Header = append(out.Header, probes.Field{Name: probes.HeaderRedriven, Value: []byte(mark)})
	return out
}

// redrivenBefore reads how often from "2 from orders.dlq".
func redrivenBefore(v []byte) int {
	count, _, _ := strings.Cut(string(v), " ")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// remains says what a redrive cannot do.
func (r *redrive) remains() probes.Record {
	return probes.Record{Kind: probes.Notice, Source: probes.Ref{Target: r.p.target.Name, Subject: r.q.Subject},
		Err: fmt.Sprintf("%d copies were sent; the dead letters stay in %s until its retention ends, as single messages cannot be taken out of a Kafka topic: redriving again sends them again",
			r.sent, r.q.Subject)}
}
