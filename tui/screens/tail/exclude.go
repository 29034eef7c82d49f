package tail

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
)

// refuseExclude says why no rows like the one under the cursor can be left out.
func (t *screen) refuseExclude() string {
	if why := t.idle(); why != "" {
		return why
	}
	r, ok := t.view().current()
	switch {
	case !ok:
		return "no record is under the cursor"
	case r.rec.Kind == probes.Gap || r.rec.Kind == probes.Notice:
		return "what is said about a stream is always shown"
	}
	return ""
}

// exclude adds to the filter that rows like the one under the cursor are not
// wanted: see alike.
func (t *screen) exclude() tea.Cmd {
	r, _ := t.view().current()
	for _, like := range t.alike(&r.rec) {
		for _, text := range joined(t.filter.Text, like) {
			if !t.leavesOut(text, &r.rec) {
				continue
			}
			if err := t.filter.Set(text); err != nil {
				continue
			}
			return tea.Batch(t.refilter(), kit.Say("left out: "+safe.Line(like.conditions(), 100).String()+"; f edits, esc lifts"))
		}
	}
	return kit.Send(kit.Toast{Text: "nothing about this record says of what kind it is; f writes a filter", Bad: true})
}

// leavesOut makes sure that a filter does what it was made for.
func (t *screen) leavesOut(text string, r *probes.Record) bool {
	f, err := filter.Compile(text)
	if err != nil {
		return false
	}
	ok, err := kit.Judging(t.s.Context(), kit.Decoding(f, t.env()))(r)
	return !ok && err == nil
}

// likeness is what rows have in common.
type likeness []likePart

type likePart struct{ field, value string }

func (l likeness) conditions() string {
	var parts []string
	for _, p := range l {
		parts = append(parts, p.field+" == "+strconv.Quote(p.value))
	}
	return strings.Join(parts, " && ")
}

// joined are the ways to add to a filter: behind an expression, else, behind words,
// as a word that must not occur.
func joined(old string, like likeness) (ways []string) {
	not := "not (" + like.conditions() + ")"
	if old == "" {
		return []string{not}
	}
	if last := like[len(like)-1].value; !strings.Contains(last, `"`) {
		ways = append(ways, fmt.Sprintf(`%s -"%s"`, old, last))
	}
	old = strings.TrimPrefix(old, "=")
	if strings.Contains(old, "||") || strings.Contains(old, " or ") || strings.Contains(old, "?") {
		old = "(" + old + ")" // && binds closer
	}
	return append([]string{old + " && " + not}, ways...)
}

// Where applications say what a message is: headers and fields of the body by
// their usual names, the plainest first.
var (
	kindHeaders = [...]string{"type", "ce_type", "ce-type", "event-type", "eventType", "event_type", "message-type", "x-event-type", "__TypeId__"}
	kindFields  = [...]string{"type", "eventType", "event_type", "event", "kind", "action", "op", "status", "level"}
)

// alike is what a record has in common with those of its kind, the best guess
// first: the operation and its outcome of a call, the type of a message, else its
// key.
func (t *screen) alike(r *probes.Record) (ways []likeness) {
	var base likeness
	if r.Source.Subject != t.feed.Ref.Subject && r.Source.Subject != "" {
		base = append(base, likePart{"subject", r.Source.Subject})
	}
	with := func(more ...likePart) {
		for _, p := range more {
			if !plain(p.value) {
				return
			}
		}
		ways = append(ways, append(base[:len(base):len(base)], more...))
	}
	var call likeness
	for _, f := range []struct{ field, attr string }{{"method", probes.AttrRPCMethod}, {"method", probes.AttrHTTPMethod}, {"route", probes.AttrHTTPRoute},
		{"status", probes.AttrRPCStatus}, {"status", probes.AttrHTTPStatus}, {"status", probes.AttrStatus}} {
		if v, ok := r.Attr(f.attr); ok {
			call = append(call, likePart{f.field, v})
		}
	}
	if len(call) > 0 {
		with(call...)
	}
	for _, name := range kindHeaders {
		if v, ok := r.HeaderValue(name); ok {
			with(likePart{"header(" + strconv.Quote(name) + ")", string(v)})
		}
	}
	for _, p := range t.bodyKind(r) {
		with(p)
	}
	if len(base) > 0 {
		ways = append(ways, base)
	}
	if len(r.Key) > 0 {
		with(likePart{"key", string(r.Key)})
	}
	return ways
}

// bodyKind looks for a type in the decoded body.
func (t *screen) bodyKind(r *probes.Record) (parts []likePart) {
	const most = 1 << 20 // of a body that is taken apart for a key press
	text, _, err := inspectors.Decode(t.s.Context(), r, t.reading().Env())
	if err != nil || len(text) > most {
		return nil
	}
	var doc map[string]json.RawMessage
	if json.Unmarshal(text, &doc) != nil {
		return nil
	}
	for _, name := range kindFields {
		var value string
		if json.Unmarshal(doc[name], &value) == nil && value != "" {
			parts = append(parts, likePart{"body." + name, value})
		}
	}
	return parts
}

// plain reports whether a value is short text that can be written in a filter.
func plain(s string) bool {
	const most = 100
	return s != "" && len(s) <= most && !kit.HasControl([]byte(s)) && !strings.ContainsAny(s, "\n\t\\")
}
