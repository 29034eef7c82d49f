package grpcapi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// edit is one replacement in a document.
type edit struct {
	from, to int // in the document that was given
	text     string
}

// withTimes writes out the moments that a person may give relative to now
// ("now", "now-1h", "now+5m", "now-7d") where the schema has a Timestamp. It
// returns what it replaced, in order. Documents with errors come back as they
// are, for the parser to explain.
func withTimes(doc []byte, md protoreflect.MessageDescriptor, now time.Time) ([]byte, []edit) {
	if !bytes.Contains(doc, []byte(`"now`)) {
		return doc, nil
	}
	var edits []edit
	eachString(doc, func(path []step, from, to int, s string) {
		moment, ok := relative(s, now)
		if !ok {
			return
		}
		_, fd := walk(md, path)
		if fd == nil || fd.Message() == nil || fd.Message().FullName() != "google.protobuf.Timestamp" {
			return
		}
		edits = append(edits, edit{from, to, strconv.Quote(moment.UTC().Format(time.RFC3339Nano))})
	})
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, doc[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, doc[at:]...), edits
}

// given is the place in the given document of an offset in the edited one.
func given(edits []edit, offset int) int {
	shift := 0 // edited minus given, so far
	for _, e := range edits {
		if offset < e.from+shift {
			break
		}
		if offset < e.from+shift+len(e.text) {
			return e.from
		}
		shift += len(e.text) - (e.to - e.from)
	}
	return offset - shift
}

// relative reads now, or now with a duration added or taken away.
func relative(s string, now time.Time) (time.Time, bool) {
	rest, ok := strings.CutPrefix(s, "now")
	if !ok || rest == "" {
		return now, ok
	}
	if rest[0] != '+' && rest[0] != '-' {
		return now, false
	}
	var by time.Duration
	text := rest[1:]
	if days, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return now, false
		}
		by, text = time.Duration(n)*24*time.Hour, after
	}
	if text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return now, false
		}
		by += d
	} else if rest == "+" || rest == "-" {
		return now, false
	}
	if rest[0] == '-' {
		by = -by
	}
	return now.Add(by), true
}

// eachString visits the strings of a document that are values, with the way to
// each and its bytes' place, up to the first error.
func eachString(doc []byte, visit func(path []step, from, to int, s string)) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var open []frame
	for {
		from := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			return
		}
		top := len(open) - 1
		switch t := token.(type) {
		case json.Delim:
			if t == '}' || t == ']' {
				open = open[:top]
				afterValue(open)
				continue
			}
		case string:
			if top >= 0 && open[top].wantKey {
				open[top].step.key, open[top].wantKey = t, false
				continue
			}
		}
		if top >= 0 && !open[top].object {
			open[top].step.index++
		}
		switch t := token.(type) {
		case json.Delim:
			open = append(open, frame{object: t == '{', wantKey: t == '{', step: step{index: -1}})
			continue
		case string:
			for from < len(doc) && doc[from] != '"' { // spaces, a colon or a comma
				from++
			}
			visit(steps(open), from, int(d.InputOffset()), t)
		}
		afterValue(open)
	}
}
