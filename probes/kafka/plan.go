package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	// Whole says that all partitions are wanted, those made later too, and what
	// other topics may come to be that are meant.
	Whole bool       `json:"whole,omitempty"`
	Of    selection  `json:"of,omitzero"`
	Parts []position `json:"parts"`
	// IDs tell whether a topic has been made anew under its name.
	IDs map[string]topicID `json:"ids,omitempty"`
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
		if t := pl.Parts[i].Topic; len(out) == 0 || out[len(out)-1] != t && !slices.Contains(out, t) {
			out = append(out, t)
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
	if len(pl.Parts) == 0 && len(pl.Of.Globs) == 0 {
		return nil, &fault{kind: probes.ErrUsage, err: errors.New("the position to resume from names no partition")}
	}
	if len(pl.Of.Topics)+len(pl.Of.Globs) == 0 {
		pl.Of.Topics = pl.topics()
	}
	return &pl, nil
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
	pl := &plan{Whole: sub.partition < 0, Last: max(q.Last, 0), Of: selection{sub.topics, sub.globs}, IDs: map[string]topicID{}}
	c, names, err := p.pick(ctx, &pl.Of)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		for _, tp := range c.topic(name).Partitions {
			if sub.partition < 0 || sub.partition == tp.PartitionIndex {
				pl.Parts = append(pl.Parts, position{Topic: name, Partition: tp.PartitionIndex, Stop: -1})
			}
		}
		if id := c.ids[name]; id != "" {
			pl.IDs[name] = id
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
