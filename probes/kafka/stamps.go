package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// unread is the first message of a partition that a group has not read.
type unread struct {
	part
	offset int64
}

// stamp is the time of such a message, or why it is not known.
type stamp struct {
	millis int64
	why    string
}

const (
	// stampsPerRound bounds the messages looked at for lags in seconds in one
	// round, and stampBytes what is asked of each: together a megabyte.
	stampsPerRound = 128
	stampBytes     = 8 << 10
	// keepStamps is how many are remembered: a group that stands still is not
	// looked up again.
	keepStamps = 4096
)

const (
	whyRetention = "retention removed the first unread message"
	whyTooMany   = "more partitions are behind than are looked at in one round"
)

// stamps looks up when messages were written, each with a fetch of one. It asks
// for little and remembers what it learned.
func (p *probe) stamps(ctx context.Context, c *cluster, wanted []unread) map[unread]stamp {
	out := make(map[unread]stamp, len(wanted))
	var ask []unread
	p.mu.Lock()
	for _, u := range wanted {
		if ms, ok := p.stamped[u]; ok {
			out[u] = stamp{millis: ms}
		} else if _, twice := out[u]; !twice {
			out[u] = stamp{why: whyTooMany}
			ask = append(ask, u)
		}
	}
	p.mu.Unlock()
	ask = ask[:min(len(ask), stampsPerRound)]
	for len(ask) > 0 {
		// A request can ask for each partition once; groups may stand at several
		// places of it.
		byLeader, now, rest := map[string][]fetchPart{}, map[part]unread{}, []unread(nil)
		for _, u := range ask {
			addr, ok := c.leader(u.part)
			_, taken := now[u.part]
			switch {
			case !ok:
				out[u] = stamp{why: fmt.Sprintf("partition %s has no leader", u.part)}
			case taken:
				rest = append(rest, u)
			default:
				now[u.part] = u
				byLeader[addr] = append(byLeader[addr], fetchPart{part: u.part, offset: u.offset, maxBytes: stampBytes, now: true})
			}
		}
		for addr, parts := range byLeader {
			for pt, s := range p.stampsOf(ctx, addr, parts, now) {
				out[now[pt]] = s
			}
		}
		ask = rest
	}
	p.remember(out)
	return out
}

// stampsOf asks one broker.
func (p *probe) stampsOf(ctx context.Context, addr string, parts []fetchPart, at map[part]unread) map[part]stamp {
	out := map[part]stamp{}
	var got []fetched
	err := p.onLink(ctx, addr, func(ctx context.Context, l *link) (err error) {
		req := fetchRequest(parts)
		req.IsolationLevel, req.MaxBytes = uncommitted, stampsPerRound*stampBytes
		got, _, err = l.fetch(ctx, req, parts)
		return err
	})
	for _, fp := range parts {
		out[fp.part] = stamp{why: "the broker sent nothing of the first unread message"}
		if err != nil {
			out[fp.part] = stamp{why: err.Error()}
		}
	}
	for i := range got {
		f := &got[i]
		switch {
		case f.code == codeOffsetOutOfRange:
			out[f.part] = stamp{why: whyRetention}
		case f.code != 0:
			out[f.part] = stamp{why: brokerError(f.code, "").Error()}
		default:
			if ms, ok := stampIn(f.records, at[f.part].offset); ok {
				out[f.part] = stamp{millis: ms}
			}
		}
	}
	return out
}

// stampIn finds the time of the message at an offset, or of the next one there
// is. Of a batch that is compressed or cut off before the message, it takes the
// nearest time before.
func stampIn(set []byte, offset int64) (int64, bool) {
	for len(set) > 0 {
		b, rest, _, err := cutBatch(set)
		if err == errTruncated && len(set) >= batchHead && b.magic == 2 {
			b.raw, b.last = set, b.base+int64(binary.BigEndian.Uint32(set[23:]))
			rest, err = nil, nil
		}
		if err != nil || b.magic < 2 {
			return 0, false
		}
		if b.last >= offset {
			return b.stampAt(offset), true
		}
		set = rest
	}
	return 0, false
}

// stampAt is the time of the record at an offset within a batch that may be cut
// off.
func (b *batch) stampAt(offset int64) int64 {
	be := binary.BigEndian
	attrs, first, newest := be.Uint16(b.raw[attrsAt:]), int64(be.Uint64(b.raw[27:])), int64(be.Uint64(b.raw[35:]))
	if attrs&attrAppend != 0 || be.Uint32(b.raw[57:]) == 0 {
		return newest
	}
	if attrs&attrCodec != 0 {
		return first
	}
	at := first
	rr := recordReader{b: b.raw[batchHead:], left: int(be.Uint32(b.raw[57:])), base: b.base, time: first}
	for r := (rawRecord{}); ; {
		ok, err := rr.next(&r)
		if !ok || err != nil {
			return at
		}
		if at = r.time; r.offset >= offset {
			return at
		}
	}
}

// remember keeps what was learned, for as long as there is room.
func (p *probe) remember(found map[unread]stamp) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stamped == nil || len(p.stamped) > keepStamps {
		p.stamped = map[unread]int64{}
	}
	for u, s := range found {
		if s.why == "" {
			p.stamped[u] = s.millis
		}
	}
}

// lag is how far a group is behind in a partition.
type lag struct {
	messages int64
	seconds  float64
	why      string // seconds are not known
}

// lagOf compares a group's commit with the end; not ok where it has committed
// nothing or the end is not known.
func (s *survey) lagOf(g *group, pt part) (lag, bool) {
	at, committed := g.committed[pt]
	end, known := s.ends[pt]
	if !committed || at < 0 || !known {
		return lag{}, false
	}
	l := lag{messages: max(0, end-at)}
	if l.messages > 0 {
		st, ok := s.stamps[unread{pt, at}]
		if l.why = st.why; ok && st.why == "" {
			l.seconds = max(0, s.at.Sub(time.UnixMilli(st.millis)).Seconds())
		}
	}
	return l, true
}

// behind lists the messages whose time says how late groups are.
func (s *survey) behind() (out []unread) {
	for _, g := range s.groups {
		for pt, at := range g.committed {
			if end, ok := s.ends[pt]; ok && at >= 0 && at < end {
				out = append(out, unread{pt, at})
			}
		}
	}
	return out
}
