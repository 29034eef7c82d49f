package hint

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// quota is what a server tells of one limit. Strings are as sent, "" if absent.
type quota struct {
	name, unit               string // "default", "requests"
	limit, remaining, window string
	reset, source            string
}

// explainRateLimits reads the three generations of the IETF draft
// (draft-ietf-httpapi-ratelimit-headers: three headers up to 06, one list in 07,
// structured items with a policy since 08), and the X-RateLimit headers that came
// before and that every service spells in its own way.
func explainRateLimits(c *call) {
	var found []quota
	for _, v := range c.header("RateLimit") {
		found = append(found, combined(v, c.header("RateLimit-Policy"))...)
	}
	for _, prefix := range []string{"RateLimit", "X-RateLimit", "X-Rate-Limit"} {
		found = append(found, c.classic(prefix)...)
	}
	found = append(found, c.vendors()...)
	if len(found) == 0 {
		for _, v := range c.header("RateLimit-Policy") {
			c.policyOnly(v)
		}
	}
	for i := range found {
		c.quota(&found[i])
	}
}

// combined reads `RateLimit: limit=100, remaining=50, reset=30` (07) and
// `RateLimit: "default";r=50;t=30` (08 and later).
func combined(v string, policies []string) (out []quota) {
	list := items(v)
	old := quota{source: "header RateLimit"}
	for _, it := range list {
		name, value, ok := strings.Cut(it.value, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "limit":
			old.limit = value
		case "remaining":
			old.remaining = value
		case "reset":
			old.reset = value
		default:
			ok = false
		}
		if ok {
			continue
		}
		q := quota{name: it.value, source: "header RateLimit"}
		q.remaining, _ = it.param("r")
		q.reset, _ = it.param("t")
		q.limit, q.window, q.unit = policyFor(it.value, policies)
		if q.remaining != "" || q.reset != "" {
			out = append(out, q)
		}
	}
	if old.limit != "" || old.remaining != "" || old.reset != "" {
		_, old.window, _ = policyFor(old.limit, policies)
		out = append(out, old)
	}
	return out
}

// policyFor finds the quota, window and unit of a policy: `"default";q=100;w=60`,
// or `100;w=60` before draft 08, where the quota was the name.
func policyFor(name string, policies []string) (limit, window, unit string) {
	for _, v := range policies {
		for _, it := range items(v) {
			if it.value != name {
				continue
			}
			limit, _ = it.param("q")
			window, _ = it.param("w")
			unit, _ = it.param("qu")
			if limit == "" && allDigits(it.value) {
				limit = it.value
			}
			return limit, window, unit
		}
	}
	return "", "", ""
}

// classic reads PREFIX-Limit, -Remaining and -Reset, with whatever follows them:
// Kong has -Minute, OpenAI -Requests and -Tokens, Discord -Reset-After.
func (c *call) classic(prefix string) (out []quota) {
	by := map[string]*quota{}
	var order []string
	for _, r := range c.heads {
		for _, f := range r.Header {
			rest, ok := cutFold(f.Name, prefix+"-")
			if !ok || len(order) > 8 {
				continue
			}
			part, suffix, _ := strings.Cut(strings.ToLower(rest), "-")
			if part == "policy" || part == "resource" || part == "used" || part == "bucket" || part == "scope" {
				continue
			}
			after := suffix == "after"
			if after {
				suffix = ""
			}
			q := by[suffix]
			if q == nil {
				q = &quota{unit: suffix, source: "headers " + prefix + "-*"}
				by[suffix], order = q, append(order, suffix)
			}
			value := strings.TrimSpace(string(f.Value))
			switch part {
			case "limit":
				q.limit, q.window = limitAndWindow(value)
			case "remaining":
				q.remaining = value
			case "reset":
				if q.reset == "" || after {
					q.reset = value
				}
			}
		}
	}
	for _, name := range order {
		if q := by[name]; q.limit != "" || q.remaining != "" {
			if w := windowOf(q.unit); w != "" {
				q.window, q.unit = w, ""
			}
			out = append(out, *q)
		}
	}
	return out
}

// windowOf is the window, in seconds, of a suffix of Kong's rate-limiting plugin.
func windowOf(suffix string) string {
	switch suffix {
	case "second":
		return "1"
	case "minute":
		return "60"
	case "hour":
		return "3600"
	case "day":
		return "86400"
	case "month":
		return "2592000"
	}
	return ""
}

// limitAndWindow reads "100" and "100, 100;w=60" (drafts 00 to 06).
func limitAndWindow(v string) (limit, window string) {
	list := items(v)
	if len(list) == 0 {
		return v, ""
	}
	for i := range list {
		if w, ok := list[i].param("w"); ok && (window == "" || list[i].value == list[0].value) {
			window = w
		}
	}
	return list[0].value, window
}

// vendors reads names that follow no prefix above.
func (c *call) vendors() (out []quota) {
	for _, what := range []string{"requests", "tokens", "input-tokens", "output-tokens"} {
		q := quota{unit: what, source: "headers anthropic-ratelimit-*"}
		q.limit, _ = c.first("anthropic-ratelimit-" + what + "-limit")
		q.remaining, _ = c.first("anthropic-ratelimit-" + what + "-remaining")
		q.reset, _ = c.first("anthropic-ratelimit-" + what + "-reset")
		if q.remaining != "" {
			out = append(out, q)
		}
	}
	if v, ok := c.first("X-Shopify-Shop-Api-Call-Limit"); ok { // "32/40"
		if used, of, ok := strings.Cut(v, "/"); ok {
			u, err1 := strconv.Atoi(used)
			l, err2 := strconv.Atoi(of)
			if err1 == nil && err2 == nil {
				out = append(out, quota{limit: of, remaining: strconv.Itoa(max(l-u, 0)), source: "header X-Shopify-Shop-Api-Call-Limit"})
			}
		}
	}
	return out
}

// quota says how much of a limit is left, and when it is full again.
func (c *call) quota(q *quota) {
	var b strings.Builder
	wait, said, resets := c.reset(q.reset)
	left, err := strconv.ParseFloat(q.remaining, 64)
	spent := err == nil && left <= 0
	b.WriteString("rate limit")
	if q.name != "" && q.name != "default" {
		b.WriteString(" " + quote(q.name))
	}
	if q.unit != "" {
		b.WriteString(" of " + clip(strings.ReplaceAll(oneLine(q.unit), "-", " "), 40))
	}
	b.WriteString(": ")
	switch {
	case spent:
		b.WriteString("used up")
	case q.remaining != "":
		b.WriteString(clip(oneLine(q.remaining), 40) + " left")
	default:
		b.WriteString("it is not said how much is left")
	}
	if q.limit != "" {
		b.WriteString(" of " + clip(oneLine(q.limit), 40))
	}
	if w, ok := seconds(q.window); ok && w > 0 {
		b.WriteString(" in " + span(w))
	}
	if resets {
		b.WriteString("; it starts again " + said)
	}
	h := Hint{Topic: Limit, Source: q.source, Text: b.String(), Calm: !spent}
	if spent {
		h.Wait = wait
	}
	c.add(h)
}

// policyOnly tells of limits whose state the server does not give.
func (c *call) policyOnly(v string) {
	for _, it := range items(v) {
		limit, window, unit := policyFor(it.value, []string{v})
		w, ok := seconds(window)
		if limit == "" || !ok {
			continue
		}
		if unit == "" {
			unit = "requests"
		}
		c.add(Hint{Topic: Limit, Source: "header RateLimit-Policy", Calm: true,
			Text: fmt.Sprintf("the server allows %s %s in %s", clip(limit, 40), clip(oneLine(unit), 40), span(max(w, time.Second)))})
	}
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
