package invoke

import (
	"fmt"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// messages is what was sent and received, in its order, each with the time since
// the one before.
func (v *screen) messages(c *call, p *progress, w, h int) (rows []string) {
	th := v.o.Theme
	say := func(text string) []string { return []string{kit.NewLine(th, w).Say(theme.Dim, "  "+text).String()} }
	if p.ring == nil {
		return say("the messages of older calls are not kept; r sends it again")
	}
	s := p.ring.Stats()
	next := v.resp.newest(s.Next)
	if s.Next == s.First {
		switch {
		case !p.over:
			return say("waiting for the first message; ctrl+c cancels")
		case p.err != "":
			return say("nothing was exchanged")
		}
		return say("the call had no messages")
	}
	if v.resp.held {
		rows = say(fmt.Sprintf("%s held: %d more have come; space goes on", th.Glyph(theme.Paused), s.Next-next))
	} else if s.Lost > 0 {
		rows = say(fmt.Sprintf("the oldest %d messages are not kept", s.Lost))
	}
	h -= len(rows)
	at := v.resp.at(c)
	from := s.First
	if at >= uint64(h/2) {
		from = max(from, at-uint64(h/2))
	}
	from = max(s.First, min(from, next-min(next, uint64(max(0, h)))))
	v.height[onResponse] = max(1, h)
	before := p.began
	if prev, ok := p.ring.At(from - 1); ok && from > s.First {
		before = prev.Seen
	}
	for seq := from; seq < next && h > 0; seq++ {
		rec, ok := p.ring.At(seq)
		if !ok {
			continue
		}
		l := v.message(&rec, before, w)
		before = rec.Seen
		h--
		if seq == at {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return rows
}

// arrows are the directions of messages.
func arrow(k probes.Kind, ascii bool) string {
	pair := [2]string{"·", "."}
	switch k {
	case probes.Request:
		pair = [2]string{"→", ">"}
	case probes.Response:
		pair = [2]string{"←", "<"}
	case probes.End:
		pair = [2]string{"■", "#"}
	}
	if ascii {
		return pair[1]
	}
	return pair[0]
}

func (v *screen) message(rec *probes.Record, before time.Time, w int) *kit.Line {
	th := v.o.Theme
	l := kit.NewLine(th, w).Say(theme.Accent, " "+arrow(rec.Kind, th.ASCII)+" ").Col(theme.Dim, kit.Text(rec.Kind.String()), 8)
	if w >= 60 {
		l.ColRight(theme.Dim, kit.Text("+"+between(before, rec.Seen)), 8)
	}
	bytes := safe.Text{}
	if rec.Kind != probes.End || len(rec.Body) > 0 {
		bytes = kit.Text(sizeOf(int64(len(rec.Body)) + rec.Cut))
	}
	l.ColRight(theme.Dim, bytes, 8)
	if rec.Kind == probes.End {
		return l.Put(theme.Plain, safe.Line(strings.TrimSpace(statusText(rec)+" "+withoutStatus(rec)), safe.Wide))
	}
	v.where(rec, l)
	summary := safe.Line(v.chain.Summary(rec, 4*l.Left()+64), max(0, l.Left()))
	if summary.Escaped() {
		l.Say(theme.Warn, "[esc] ")
	}
	return l.Put(theme.Plain, summary)
}

// withoutStatus is an end's error without the status it may begin with.
func withoutStatus(rec *probes.Record) string {
	text := strings.TrimPrefix(rec.Err, statusText(rec))
	return strings.TrimPrefix(strings.TrimSpace(text), ": ")
}

// where says of an HTTP message where it went, or with which status it came: a
// redirect is a request of its own.
func (v *screen) where(rec *probes.Record, l *kit.Line) {
	if code, ok := rec.Attr(probes.AttrHTTPStatus); ok && rec.Kind == probes.Response {
		l.Put(theme.Bold, safe.Line(code, 4)).Say(theme.Plain, " ")
		if to, ok := rec.HeaderValue("location"); ok && strings.HasPrefix(code, "3") {
			l.Say(theme.Dim, "to ").Put(theme.Plain, safe.LineBytes(to, l.Left()/2)).Say(theme.Plain, " ")
		}
	}
	if u, ok := rec.Attr(probes.AttrURL); ok && rec.Kind == probes.Request {
		method, _ := rec.Attr(probes.AttrHTTPMethod)
		room := l.Left() * 2 / 3
		if len(rec.Body) == 0 {
			room = l.Left() - len("(no body)") - len(method) - 2
		}
		l.Put(theme.Bold, safe.Line(method, 8)).Say(theme.Plain, " ").Put(theme.Plain, safe.Line(u, max(0, room))).Say(theme.Plain, " ")
	}
}

// between is a short distance in time.
func between(from, to time.Time) string {
	d := max(0, to.Sub(from))
	switch {
	case from.IsZero() || to.IsZero():
		return "?"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return kit.Age(d)
}
