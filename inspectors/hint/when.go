package hint

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// httpDate reads the three date formats of RFC 9110 §5.6.7.
func httpDate(s string) (time.Time, bool) {
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(-d)
	case d < time.Millisecond:
		return d.String()
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return trimZero(d.Seconds()) + " s"
	case d < time.Hour:
		return joined(int(d.Minutes()), "min", int(d.Seconds())%60, "s")
	case d < 48*time.Hour:
		return joined(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func joined(a int, unit string, b int, small string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, small)
}

func trimZero(f float64) string { return strconv.FormatFloat(math.Round(f*1000)/1000, 'f', -1, 64) }

// date is a moment as people read it, in UTC.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// day leaves the time out where there is none.
func day(t time.Time) string {
	if t = t.UTC(); t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
		return t.Format("2006-01-02")
	}
	return date(t)
}

// in is the time from now until t, false where it is not known or has passed.
func (c *call) in(t time.Time) (time.Duration, bool) {
	if c.now.IsZero() {
		return 0, false
	}
	d := t.Sub(c.now).Round(time.Millisecond)
	return d, d > 0
}

// seconds reads a count of seconds, whole or not, within what a Duration holds.
func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1e9 {
		return 0, false
	}
	return time.Duration(f * float64(time.Second)), true
}

// Resets in headers are a moment or a span, and nothing says which. An epoch is
// larger than any sensible span: the smallest that counts, in seconds, is in
// 2001.
const (
	firstEpoch       = 1e9
	firstEpochMillis = 1e12
)

// reset reads the many forms of "X-RateLimit-Reset": seconds from now, a Unix
// time in seconds (GitHub, Twitter) or milliseconds, a date, a Go duration
// (OpenAI: "6m0s"). Said is how it was understood.
func (c *call) reset(s string) (wait time.Duration, said string, ok bool) {
	s = strings.TrimSpace(s)
	if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(f) {
		switch {
		case f >= firstEpochMillis && f < 1e14:
			return c.until(time.UnixMilli(int64(f)))
		case f >= firstEpoch && f < firstEpochMillis:
			return c.until(time.Unix(int64(f), 0))
		case f >= 0 && f < firstEpoch:
			d := time.Duration(f * float64(time.Second))
			return d, "in " + span(d), true
		}
		return 0, "", false
	}
	if t, ok := httpDate(s); ok {
		return c.until(t)
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return c.until(t)
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, "in " + span(d), true
	}
	return 0, "", false
}

func (c *call) until(t time.Time) (time.Duration, string, bool) {
	d, ahead := c.in(t)
	switch {
	case ahead:
		return d, fmt.Sprintf("in %s (%s)", span(d), date(t)), true
	case c.now.IsZero():
		return 0, "at " + date(t), true
	}
	return 0, "at " + date(t) + ", which has passed", true
}
