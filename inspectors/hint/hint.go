// Package hint says in plain words what the parts of a call mean that most
// people overlook: headers, trailers, statuses, error details and the bodies
// that proxies and client libraries write when they answer themselves.
//
// Each hint names its source, so that a reader can check it. Nothing is guessed
// without saying so ("looks like").
package hint

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"iscope/probes"
)

// Hint is one thing worth knowing about a call.
//
// Text and Source quote what servers sent: valid UTF-8 and of bounded length,
// but not safe for a terminal. Whoever prints them takes them through
// inspectors/safe.
type Hint struct {
	// Text is one sentence or two, in lower case and without a full stop.
	Text string `json:"text"`
	// Source is where it was read: "header Retry-After", "google.rpc.RetryInfo".
	Source string `json:"source"`
	Topic  Topic  `json:"topic"`
	// Wait is how long the server asks to wait before the next try; 0 if it
	// does not ask.
	Wait time.Duration `json:"wait_ns,omitempty"`
	// Calm marks what is told for information: nothing is wrong.
	Calm bool `json:"calm,omitempty"`
}

// Topic is what a hint is about, for grouping and for a list's column.
type Topic string

const (
	Status     Topic = "status"     // what the status means
	Retry      Topic = "retry"      // whether and when to try again, what was tried
	Limit      Topic = "limit"      // quotas and rate limits
	Breaker    Topic = "breaker"    // circuit breakers, bulkheads, load shedding
	Proxy      Topic = "proxy"      // what a proxy or gateway did or could not do
	Detail     Topic = "detail"     // error details of the server
	Auth       Topic = "auth"       // which credentials are asked for
	Cache      Topic = "cache"      // answers that the service did not give now
	Redirect   Topic = "redirect"   //
	Deprecated Topic = "deprecated" //
	Security   Topic = "security"   //
	Contract   Topic = "contract"   // violations
	Timing     Topic = "timing"     // where the server says the time went
)

// Limits on what is returned.
const (
	MaxHints = 32
	MaxText  = 600 // bytes
	maxQuote = 160 // bytes of a server's own words within a text
)

// Explain returns the hints for the records of one call, in the order of their
// importance: what went wrong, what to do, then what is good to know. Records of
// several calls give one mixed list.
func Explain(records []probes.Record) []Hint {
	c := newCase(records)
	for _, explain := range []func(*call){
		explainBodies, explainProxyStatus, explainDetails, explainStatus, explainRetryAfter, explainRateLimits, explainGRPCHeaders,
		explainEnvoy, explainMeshes, explainGateways, explainAuth, explainRedirect, explainAttempts, explainContract,
		explainTransport, explainDeprecation, explainCache, explainWarnings, explainServerTiming,
	} {
		explain(c)
	}
	return c.sorted()
}

// call is what is known of a call while it is explained.
type call struct {
	records []probes.Record
	request *probes.Record // the first one, nil if there is none
	last    *probes.Record // the last Response that has headers, nil if there is none
	end     *probes.Record // nil if there is none
	heads   []*probes.Record
	now     time.Time // by the server's clock where it tells, else ours; may be zero
	hints   []Hint
	said    map[string]bool
}

func newCase(records []probes.Record) *call {
	c := &call{records: records, said: map[string]bool{}}
	for i := range records {
		r := &records[i]
		switch r.Kind {
		case probes.Request:
			if c.request == nil {
				c.request = r
			}
			continue
		case probes.Response:
			if len(r.Header) > 0 || c.last == nil {
				c.last = r
			}
		case probes.End:
			c.end = r
		default:
			continue
		}
		if len(r.Header) > 0 {
			c.heads = append(c.heads, r)
		}
		c.now = clock(r, c.now)
	}
	return c
}

// clock is the time of an answer. A server's own Date makes its other dates
// right even where its clock is wrong.
func clock(r *probes.Record, before time.Time) time.Time {
	if v, ok := r.HeaderValue("Date"); ok {
		if t, ok := httpDate(string(v)); ok {
			return t
		}
	}
	if !before.IsZero() {
		return before
	}
	return r.Seen
}

// header returns the values of a header in all answers and trailers.
func (c *call) header(name string) (values []string) {
	for _, r := range c.heads {
		for _, f := range r.Header {
			if strings.EqualFold(f.Name, name) {
				values = append(values, string(f.Value))
			}
		}
	}
	return values
}

// first returns the first value of a header, the last answer's before those of
// redirects.
func (c *call) first(name string) (string, bool) {
	for i := len(c.heads) - 1; i >= 0; i-- {
		if v, ok := c.heads[i].HeaderValue(name); ok {
			return strings.TrimSpace(string(v)), true
		}
	}
	return "", false
}

// attr returns an attribute of the End, else of the last answer.
func (c *call) attr(name string) string {
	for _, r := range []*probes.Record{c.end, c.last} {
		if r == nil {
			continue
		}
		if v, ok := r.Attr(name); ok {
			return v
		}
	}
	return ""
}

// sent reports a header of the request.
func (c *call) sent(name string) (string, bool) {
	if c.request == nil {
		return "", false
	}
	v, ok := c.request.HeaderValue(name)
	return string(v), ok
}

// add keeps a hint unless the same was said before.
func (c *call) add(h Hint) {
	h.Text, h.Source = clip(h.Text, MaxText), clip(h.Source, maxQuote)
	if key := string(h.Topic) + h.Text; !c.said[key] {
		c.said[key] = true
		c.hints = append(c.hints, h)
	}
}

// sorted puts what is only for information last, and cuts.
func (c *call) sorted() []Hint {
	out := make([]Hint, 0, len(c.hints))
	for _, calm := range []bool{false, true} {
		for _, h := range c.hints {
			if h.Calm == calm {
				out = append(out, h)
			}
		}
	}
	if len(out) > MaxHints {
		rest := len(out) - MaxHints + 1
		out = append(out[:MaxHints-1], Hint{Text: fmt.Sprintf("%d more hints are left out", rest), Source: "iscope", Topic: Detail, Calm: true})
	}
	return out
}

// clip bounds a text to n bytes of valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if len(s) > 0 && s[len(s)-1] >= utf8.RuneSelf {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// quote is a server's own words within a text.
func quote(s string) string { return "“" + clip(oneLine(s), maxQuote) + "”" }

// oneLine folds white space; hints are lines.
func oneLine(s string) string {
	if len(s) > 4*maxQuote {
		s = s[:4*maxQuote]
	}
	return strings.Join(strings.Fields(s), " ")
}
