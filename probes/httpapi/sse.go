package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// event is one server-sent event (WHATWG HTML §9.2).
type event struct {
	data   []byte
	name   string // "" is "message"
	id     string // the last one given, as the standard has it
	cut    int64  // bytes of data left out
	unsent bool   // the stream ended before the blank line that sends it
}

// eventReader splits a stream into events.
type eventReader struct {
	r     *bufio.Reader
	limit int // bytes of data kept of an event
	id    string
	begun bool
	// afterCR is set when a line ended with CR: an LF that follows belongs to
	// it. Waiting for it there would hold events back.
	afterCR bool
	taken   int64 // bytes read
}

func newEventReader(r io.Reader, limit int) *eventReader {
	if limit <= 0 || limit > keepAll {
		limit = keepAll
	}
	return &eventReader{r: bufio.NewReader(r), limit: limit}
}

// maxField bounds the fields of an event other than its data.
const maxField = 64 << 10

// next returns the next event that has data, or the error that ended the
// stream. An event cut off by the end comes first, marked.
func (e *eventReader) next() (event, error) {
	ev := event{}
	has := false
	for {
		line, cut, err := e.line()
		if err != nil {
			if has {
				ev.unsent = true
				if errors.Is(err, io.EOF) {
					return ev, nil // the next call reports the end
				}
			}
			return ev, err
		}
		if len(line) == 0 && cut == 0 {
			if has {
				ev.id = e.id
				return ev, nil
			}
			ev = event{}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			if has {
				value = append([]byte("\n"), value...)
			}
			has = true
			room := max(0, min(e.limit-len(ev.data), len(value)))
			ev.cut += cut + int64(len(value)-room)
			ev.data = append(orEmpty(ev.data), value[:room]...)
		case "event":
			ev.name = string(value[:min(len(value), maxField)])
		case "id":
			if !bytes.ContainsRune(value, 0) {
				e.id = string(value[:min(len(value), maxField)])
			}
		}
	}
}

// line reads one line, ended by LF, CR or CRLF, and keeps as much of it as an
// event may hold.
func (e *eventReader) line() (kept []byte, cut int64, err error) {
	room := e.limit + len("data: ")
	for {
		b, err := e.r.ReadByte()
		if err == nil {
			e.taken++
		}
		if err == nil && b != '\n' {
			e.afterCR = false
		}
		switch {
		case err != nil:
			// The standard drops an unfinished line; its bytes would be lost in
			// silence, so a last line counts.
			if errors.Is(err, io.EOF) && (len(kept) > 0 || cut > 0) {
				return kept, cut, nil
			}
			return nil, 0, err
		case b == '\n' && e.afterCR:
			e.afterCR = false
			continue
		case b == '\n' || b == '\r':
			e.afterCR = b == '\r'
			if !e.begun {
				e.begun = true
				kept = bytes.TrimPrefix(kept, []byte("\xef\xbb\xbf"))
			}
			return kept, cut, nil
		case len(kept) < room:
			kept = append(kept, b)
		default:
			cut++
		}
	}
}
