package httplink

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// ServerEvent is one server-sent event (WHATWG HTML §9.2).
type ServerEvent struct {
	Data   []byte
	Name   string // "" is "message"
	ID     string // the last one given, as the standard has it
	Cut    int64  // bytes of data left out
	Unsent bool   // the stream ended before the blank line that sends it
}

// EventReader splits a stream into events.
type EventReader struct {
	Taken int64 // bytes read so far

	r     *bufio.Reader
	limit int // bytes of data kept of an event
	id    string
	begun bool
	// afterCR is set when a line ended with CR: an LF that follows belongs to
	// it. Waiting for it there would hold events back.
	afterCR bool
}

// NewEventReader keeps up to limit bytes (0: KeepAll) of each event's data.
func NewEventReader(r io.Reader, limit int) *EventReader {
	if limit <= 0 || limit > KeepAll {
		limit = KeepAll
	}
	return &EventReader{r: bufio.NewReader(r), limit: limit}
}

// maxField bounds the fields of an event other than its data.
const maxField = 64 << 10

// Next returns the next event that has a data field, or the error that ended the
// stream. An event cut off by the end comes first, marked.
func (e *EventReader) Next() (ServerEvent, error) {
	ev := ServerEvent{}
	has := false
	for {
		line, cut, err := e.line()
		if err != nil {
			if has {
				ev.Unsent = true
				if errors.Is(err, io.EOF) {
					return ev, nil // the next call reports the end
				}
			}
			return ev, err
		}
		if len(line) == 0 && cut == 0 {
			if has {
				ev.ID = e.id
				return ev, nil
			}
			ev = ServerEvent{}
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
			room := max(0, min(e.limit-len(ev.Data), len(value)))
			ev.Cut += cut + int64(len(value)-room)
			ev.Data = append(ev.Data, value[:room]...)
			if ev.Data == nil {
				ev.Data = []byte{}
			}
		case "event":
			ev.Name = string(value[:min(len(value), maxField)])
		case "id":
			if !bytes.ContainsRune(value, 0) {
				e.id = string(value[:min(len(value), maxField)])
			}
		}
	}
}

// line reads one line, ended by LF, CR or CRLF, and keeps as much of it as an
// event may hold.
func (e *EventReader) line() (kept []byte, cut int64, err error) {
	room := e.limit + len("data: ")
	for {
		b, err := e.r.ReadByte()
		if err == nil {
			e.Taken++
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
