package hint

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// explainRetryAfter reads Retry-After (RFC 9110 §10.2.3), in seconds or as a
// date, and the Retry-After-Ms that Azure and OpenAI send beside it.
func explainRetryAfter(c *call) {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if v, ok := c.first(name); ok {
			if ms, err := strconv.ParseUint(v, 10, 40); err == nil {
				c.retryAfter(name, time.Duration(ms)*time.Millisecond, "")
			}
		}
	}
	v, ok := c.first("Retry-After")
	if !ok {
		return
	}
	if d, ok := seconds(v); ok {
		c.retryAfter("Retry-After", d, "")
		return
	}
	t, ok := httpDate(v)
	if !ok {
		c.add(Hint{Topic: Retry, Source: "header Retry-After", Text: "the server says when to try again, but not in a form that RFC 9110 knows: " + quote(v)})
		return
	}
	d, ahead := c.in(t)
	switch {
	case ahead:
		c.retryAfter("Retry-After", d, " (at "+date(t)+")")
	case c.now.IsZero():
		c.add(Hint{Topic: Retry, Source: "header Retry-After", Text: "the server asks to try again no sooner than " + date(t)})
	default:
		c.add(Hint{Topic: Retry, Source: "header Retry-After", Calm: true, Text: "the moment the server names for another try, " + date(t) + ", has passed by its own clock: try again now"})
	}
}

func (c *call) retryAfter(name string, d time.Duration, at string) {
	text := "the server asks to wait " + span(d) + at + " before trying again"
	switch code := c.httpStatus(); {
	case d == 0:
		text = "the server says to try again at once"
	case code >= 300 && code < 400:
		text = "the server asks to wait " + span(d) + at + " before following the redirect"
	case code == 503:
		text = "the server is unavailable and expects to be back in " + span(d) + at
	case code == 429:
		text = "too many requests: the server asks to wait " + span(d) + at + " before the next"
	}
	c.add(Hint{Topic: Retry, Source: "header " + name, Text: text, Wait: d})
}

// explainGRPCHeaders reads what gRPC's retry design puts into metadata
// (proposal A6, client retries).
func explainGRPCHeaders(c *call) {
	if v, ok := c.first("grpc-retry-pushback-ms"); ok {
		switch ms, err := strconv.ParseInt(v, 10, 32); {
		case err != nil, ms < 0: // A6: a negative or unreadable value forbids retries
			c.add(Hint{Topic: Retry, Source: "trailer grpc-retry-pushback-ms", Text: "the server asks not to be tried again (pushback " + quote(v) + ")"})
		case ms == 0:
			c.add(Hint{Topic: Retry, Source: "trailer grpc-retry-pushback-ms", Text: "the server says to try again at once"})
		default:
			d := time.Duration(ms) * time.Millisecond
			c.add(Hint{Topic: Retry, Source: "trailer grpc-retry-pushback-ms", Wait: d, Text: "the server asks to wait " + span(d) + " before trying again"})
		}
	}
	previous, ok := c.first("grpc-previous-rpc-attempts")
	if !ok {
		previous, ok = c.sent("grpc-previous-rpc-attempts")
	}
	if n, err := strconv.Atoi(previous); ok && err == nil && n > 0 {
		c.add(Hint{Topic: Retry, Source: "header grpc-previous-rpc-attempts", Text: fmt.Sprintf("this answer came after %s that failed: the client library retried", count(n, "attempt"))})
	}
	if v, ok := c.first("grpc-server-stats-bin"); ok && v != "" {
		c.add(Hint{Topic: Timing, Source: "trailer grpc-server-stats-bin", Calm: true, Text: "the server sends its own latency in the trailers (census)"})
	}
}

// explainAttempts tells of retries that iscope or its library made.
func explainAttempts(c *call) {
	most := 0
	for i := range c.records {
		if v, ok := c.records[i].Attr(probes.AttrAttempt); ok {
			if n, err := strconv.Atoi(v); err == nil {
				most = max(most, n)
			}
		}
	}
	if most > 1 {
		c.add(Hint{Topic: Retry, Source: probes.AttrAttempt, Text: fmt.Sprintf("this call took %d attempts: %s failed and the connection was tried again, so the time is that of all of them", most, count(most-1, "attempt"))})
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if before, ok := strings.CutSuffix(what, "y"); ok {
		return fmt.Sprintf("%d %sies", n, before)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
