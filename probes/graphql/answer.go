package graphql

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"iscope/probes/internal/httplink"
)

// answer is what a server says to one operation (GraphQL October 2021 §7.1).
type answer struct {
	hasData bool // not null
	errors  []answerError
	// problem says why it is no answer of GraphQL, "" if it is one.
	problem string
}

type answerError struct {
	path    string // "orders.0.total"; a place in the query, or "request"
	message string
	code    string
}

// answerIn reads the body of a response, which may be in a coding that was not
// undone.
func answerIn(resp *http.Response, dec *httplink.Decoder, body []byte) answer {
	if note := dec.Opaque(); note != "" {
		return answer{problem: note}
	}
	return readAnswer(resp.Header.Get("Content-Type"), body)
}

// readAnswer reads a body. What servers put beside the specification (errors
// that are texts, paths that are none) is kept as far as it goes.
func readAnswer(contentType string, body []byte) answer {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil {
		return answer{problem: notJSON(contentType, body, err)}
	}
	data, hasData := top["data"]
	errs, hasErrors := top["errors"]
	if !hasData && !hasErrors {
		return answer{problem: "the answer is JSON without data or errors: no GraphQL"}
	}
	a := answer{hasData: hasData && string(data) != "null"}
	a.errors = readErrors(errs)
	if !hasData && len(a.errors) == 0 {
		a.problem = "the answer has neither data nor errors that can be read"
	}
	return a
}

func readErrors(text json.RawMessage) (out []answerError) {
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil && len(text) > 0 && string(text) != "null" {
		list = []json.RawMessage{text} // one alone, as legacy WebSocket servers send it
	}
	for _, raw := range list {
		out = append(out, readError(raw))
	}
	return out
}

func readError(raw json.RawMessage) answerError {
	var e struct {
		Message    string
		Path       []any
		Locations  []struct{ Line, Column int }
		Extensions struct{ Code any }
	}
	if err := json.Unmarshal(raw, &e); err != nil && e.Message == "" {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		e.Message = text
	}
	out := answerError{path: "request", message: e.Message}
	out.code, _ = e.Extensions.Code.(string)
	if len(e.Path) > 0 {
		steps := make([]string, len(e.Path))
		for i, step := range e.Path {
			steps[i] = fmt.Sprint(step)
			if f, ok := step.(float64); ok {
				steps[i] = strconv.FormatFloat(f, 'f', -1, 64)
			}
		}
		out.path = strings.Join(steps, ".")
	} else if len(e.Locations) > 0 {
		out.path = fmt.Sprintf("query %d:%d", e.Locations[0].Line, e.Locations[0].Column)
	}
	if out.message == "" {
		out.message = "no message"
	}
	return out
}

// String is the form of AttrPath: "PATH: message (CODE)".
func (e answerError) String() string {
	text := e.path + ": " + e.message
	if e.code != "" && !strings.Contains(e.message, e.code) {
		text += " (" + e.code + ")"
	}
	return text
}

// stale recognises the complaint of a server whose schema is another than ours.
func (a *answer) stale() bool {
	for _, e := range a.errors {
		for _, words := range []string{"Cannot query field", "Unknown argument", "Unknown type", "is not defined by type"} {
			if strings.Contains(e.message, words) {
				return true
			}
		}
	}
	return false
}

// notJSON words an answer that is something else, mostly a page of a proxy.
func notJSON(contentType string, body []byte, err error) string {
	media := httplink.MediaType(contentType)
	if media == "" {
		media = "without a content type"
	}
	text := strings.TrimSpace(string(body[:min(len(body), 4096)]))
	switch {
	case text == "":
		return "the answer is empty: no GraphQL"
	case strings.HasPrefix(text, "<"):
		return "the answer is a page (" + media + "), no GraphQL" + titleOf(text)
	case strings.HasPrefix(text, "{"):
		return fmt.Sprintf("the answer is malformed JSON: %v", err)
	}
	return fmt.Sprintf("the answer is no GraphQL (%s): it begins %.40q", media, text)
}

// titleOf is the title of a page, in words.
func titleOf(page string) string {
	low := strings.ToLower(page)
	from := strings.Index(low, "<title>")
	if from < 0 || len(low) != len(page) {
		return ""
	}
	title, _, _ := strings.Cut(page[from+len("<title>"):], "<")
	return fmt.Sprintf(": %.60q", strings.TrimSpace(title))
}

// counted is "1 error", "2 errors".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

func itoa(n int) string { return strconv.Itoa(n) }
