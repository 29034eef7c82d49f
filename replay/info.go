package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"iscope/probes"
)

// Info is what a capture says about itself.
type Info struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	// Complete says that the capture was closed and that its index is intact.
	// Damage inside is found by reading.
	Complete    bool          `json:"complete"`
	Version     string        `json:"version"` // of the iscope that wrote it
	Environment string        `json:"environment"`
	Class       probes.Class  `json:"class"`
	Redaction   string        `json:"redaction"`
	Filter      string        `json:"filter,omitempty"` // of the capturing, "" kept everything
	Started     time.Time     `json:"started"`          // of the capturing
	Ended       time.Time     `json:"ended"`
	First       time.Time     `json:"first"` // of the records, by our clock
	Last        time.Time     `json:"last"`
	Records     uint64        `json:"records"`
	Channels    []ChannelInfo `json:"channels"`
	Targets     []TargetInfo  `json:"targets"`
}

// ChannelInfo counts the records of one subject.
type ChannelInfo struct {
	Target string `json:"target"`
	// Subject is "*" for what came after the first 1,024 subjects.
	Subject string `json:"subject"`
	Group   string `json:"group"` // "message", "call", "event" or "note"
	Driver  string `json:"driver,omitempty"`
	Records uint64 `json:"records"`
}

// Info returns what the capture says about itself.
func (r *Reader) Info() Info {
	i := r.info
	i.Channels, i.Targets = slices.Clone(i.Channels), slices.Clone(i.Targets)
	return i
}

// target returns what is known of a recorded target.
func (i *Info) target(name string) (TargetInfo, bool) {
	at := slices.IndexFunc(i.Targets, func(t TargetInfo) bool { return t.Name == name })
	if at < 0 {
		return TargetInfo{}, false
	}
	return i.Targets[at], true
}

// learn takes in one metadata record.
func (i *Info) learn(name string, m map[string]string) {
	switch name {
	case metaCapture:
		i.Version, i.Environment, i.Class = m["version"], m["environment"], probes.Class(m["class"])
		i.Redaction, i.Filter, i.Started = m["redaction"], m["filter"], parseTime(m["started"])
	case metaTarget:
		t := targetFrom(m)
		i.Targets = slices.DeleteFunc(i.Targets, func(o TargetInfo) bool { return o.Name == t.Name })
		i.Targets = append(i.Targets, t)
	case metaEnd:
		i.Ended = parseTime(m["ended"])
	}
}

func (r *Reader) fromSummary(p *packer) {
	s, i := r.sum, &r.info
	i.Complete, i.Records = true, s.records
	if s.records > 0 {
		i.First, i.Last = fromNanos(s.first), fromNanos(s.last)
	}
	for _, at := range s.metadata {
		name, pairs, ok := p.metaRecord(at)
		if !ok {
			i.Complete = false
			r.damage = append(r.damage, Damage{Offset: at.offset, Bytes: at.length, What: "metadata", Reason: "it is damaged"})
			continue
		}
		i.learn(name, pairs)
	}
	for _, ch := range s.channels {
		m := ch.Metadata
		i.Channels = append(i.Channels, ChannelInfo{Target: m["target"], Subject: m["subject"], Group: m["group"],
			Driver: m["driver"], Records: s.counts[ch.ID]})
	}
	i.sortChannels()
	r.places = s.attachments
}

// fromWalk finds everything out by reading the file.
func (r *Reader) fromWalk() error {
	i := &r.info
	counts := map[channelKey]uint64{}
	names := newChannels("") // the writer's rules for too many subjects
	in := interner{}
	v := visitor{metadata: i.learn, attachment: func(at place) { r.places = append(r.places, at) }}
	v.chunk = func(k *pack) bool {
		k.each(func(m message) bool {
			rec, err := decodeRecord(m.data, in)
			if err != nil {
				return true
			}
			if ch, _ := names.of(&rec); ch != nil {
				counts[channelKey{ch.Metadata["group"], ch.Metadata["target"], ch.Metadata["subject"]}]++
			}
			i.sawAt(fromNanos(m.logTime))
			return true
		})
		return true
	}
	w, err := r.walk(context.Background(), v)
	if err != nil {
		return err
	}
	for k, n := range counts {
		t, _ := i.target(k.target)
		i.Channels = append(i.Channels, ChannelInfo{Target: k.target, Subject: k.subject, Group: k.group, Driver: t.Driver, Records: n})
	}
	i.sortChannels()
	r.damage = w.loss.list
	return nil
}

func (i *Info) sawAt(t time.Time) {
	if i.Records == 0 || t.Before(i.First) {
		i.First = t
	}
	if i.Records == 0 || t.After(i.Last) {
		i.Last = t
	}
	i.Records++
}

func (i *Info) sortChannels() {
	slices.SortFunc(i.Channels, func(a, b ChannelInfo) int {
		return cmp.Or(strings.Compare(a.Target, b.Target), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Group, b.Group))
	})
}

func fromNanos(n uint64) time.Time { return time.Unix(0, int64(n)).UTC() }

// AttachedSchema is a contract stored in the capture.
type AttachedSchema struct {
	Target string
	probes.Schema
}

// Schemas returns the contracts stored in the capture. Damaged ones are left
// out and are in Damage.
func (r *Reader) Schemas() []AttachedSchema {
	p, err := newPacker(r.f, r.size, r.lim)
	if err != nil {
		return nil
	}
	defer p.close()
	w := walk{p: p}
	var out []AttachedSchema
	for _, at := range r.places {
		var a attachment
		data, err := w.attachmentData(at)
		if err == nil {
			err = json.Unmarshal(data, &a)
		}
		if err != nil {
			r.mu.Lock()
			d := Damage{Offset: at.offset, Bytes: at.length, What: "attachment", Reason: err.Error()}
			if !slices.Contains(r.damage, d) {
				r.damage = append(r.damage, d)
			}
			r.mu.Unlock()
			continue
		}
		out = append(out, AttachedSchema{a.Target, probes.Schema{Ref: a.Ref, Type: a.Type, Text: a.Text, Data: a.Data}})
	}
	return out
}
