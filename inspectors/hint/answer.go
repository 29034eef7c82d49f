package hint

import (
	"strconv"
	"strings"
	"time"
)

// explainAuth says which credentials are asked for (RFC 9110 §11.6, RFC 6750).
func explainAuth(c *call) {
	asked := c.header("WWW-Authenticate")
	for _, v := range asked[:min(len(asked), 4)] {
		c.challenge("WWW-Authenticate", v)
	}
	for _, v := range c.header("Proxy-Authenticate") {
		c.challenge("Proxy-Authenticate", v)
	}
	if code := c.httpStatus(); code == 401 && len(asked) == 0 {
		text := "the server wants credentials and does not say which"
		if _, ok := c.sent("Authorization"); ok {
			text = "the server did not accept the credentials that were sent, and does not say which it wants"
		}
		c.add(Hint{Topic: Auth, Source: "status 401", Text: text})
	}
}

// challenge explains one header, which may hold several challenges: a part that
// begins with a word of its own begins the next.
func (c *call) challenge(header, v string) {
	var now asked
	for _, part := range cut(v, ',') {
		part = strings.TrimSpace(part)
		word, rest, ok := strings.Cut(part, " ")
		if ok && !strings.Contains(word, "=") || !strings.Contains(part, "=") {
			c.ask(header, &now)
			now = asked{scheme: word}
			part = rest
		}
		name, value, _ := strings.Cut(part, "=")
		now.set(strings.ToLower(strings.TrimSpace(name)), unquote(value))
	}
	c.ask(header, &now)
}

// asked is one challenge.
type asked struct{ scheme, realm, problem, why, scope, metadata string }

func (a *asked) set(name, value string) {
	switch name {
	case "realm":
		a.realm = value
	case "error":
		a.problem = value
	case "error_description":
		a.why = value
	case "scope":
		a.scope = value
	case "resource_metadata": // RFC 9728
		a.metadata = value
	}
}

func (c *call) ask(header string, a *asked) {
	if a.scheme == "" {
		return
	}
	text := "the server asks for " + schemeName(a.scheme)
	if header == "Proxy-Authenticate" {
		text = "a proxy on the way asks for " + schemeName(a.scheme)
	}
	if a.realm != "" {
		text += " for " + quote(a.realm)
	}
	switch a.problem {
	case "invalid_token":
		text += ": the token is expired, revoked or malformed"
	case "insufficient_scope":
		text += ": the token is good but does not allow this"
	case "invalid_request":
		text += ": the way the credentials were sent is wrong"
	case "":
	default:
		text += ": " + quote(a.problem)
	}
	if a.scope != "" {
		text += ", scope " + quote(a.scope)
	}
	if a.why != "" {
		text += " (" + quote(a.why) + ")"
	}
	if a.metadata != "" {
		text += "; where to get one: " + clip(oneLine(a.metadata), maxQuote)
	}
	c.add(Hint{Topic: Auth, Source: "header " + header, Text: text})
}

func schemeName(scheme string) string {
	switch strings.ToLower(scheme) {
	case "basic":
		return "a user and a password (Basic)"
	case "bearer":
		return "a token (Bearer)"
	case "digest":
		return "a user and a password (Digest)"
	case "negotiate":
		return "Kerberos or NTLM (Negotiate)"
	case "dpop":
		return "a token bound to a key (DPoP)"
	case "aws4-hmac-sha256":
		return "an AWS signature"
	}
	return quote(scheme) + " credentials"
}

// explainRedirect tells of a redirect that was not followed.
func explainRedirect(c *call) {
	code := c.httpStatus()
	if code < 300 || code > 399 || code == 304 || c.last == nil {
		return
	}
	v, ok := c.last.HeaderValue("Location")
	if !ok {
		if code != 300 && code != 305 && code != 306 {
			c.add(Hint{Topic: Redirect, Source: "status " + strconv.Itoa(code), Text: "a redirect that does not say where to"})
		}
		return
	}
	text := "not followed: the answer is at " + quote(string(v))
	switch code {
	case 301, 308:
		text += ", for good"
	case 303:
		text += ", to be asked for with GET"
	}
	if code == 307 || code == 308 {
		text += "; method and body stay the same"
	}
	c.add(Hint{Topic: Redirect, Source: "header Location", Text: text})
}

// explainDeprecation reads Deprecation (RFC 9745, and the drafts before it) and
// Sunset (RFC 8594).
func explainDeprecation(c *call) {
	if v, ok := c.first("Deprecation"); ok && !strings.EqualFold(v, "false") {
		text := "this is deprecated"
		if at, ok := deprecated(v); ok {
			text = "this has been deprecated since " + day(at)
			if d, ahead := c.in(at); ahead {
				text = "this will be deprecated on " + day(at) + ", in " + span(d)
			}
		}
		c.add(Hint{Topic: Deprecated, Source: "header Deprecation", Text: text + c.link("deprecation")})
	}
	v, ok := c.first("Sunset")
	if !ok {
		return
	}
	at, ok := httpDate(v)
	if !ok {
		c.add(Hint{Topic: Deprecated, Source: "header Sunset", Text: "this will go away: " + quote(v)})
		return
	}
	text := "this is meant to go away on " + day(at)
	if d, ahead := c.in(at); ahead {
		text += ", in " + span(d)
	} else if !c.now.IsZero() {
		text = "this was meant to be gone since " + day(at)
	}
	c.add(Hint{Topic: Deprecated, Source: "header Sunset", Text: text + c.link("sunset")})
}

// deprecated reads RFC 9745's "@1688169599", and the HTTP date of the drafts.
func deprecated(v string) (time.Time, bool) {
	if rest, ok := strings.CutPrefix(v, "@"); ok {
		n, err := strconv.ParseInt(rest, 10, 64)
		if err != nil || n < 0 || n > 1e11 {
			return time.Time{}, false
		}
		return time.Unix(n, 0), true
	}
	return httpDate(v)
}

// link returns where a Link header points for a relation (RFC 8288).
func (c *call) link(rel string) string {
	for _, v := range c.header("Link") {
		for _, part := range cut(v, ',') {
			pieces := cut(part, ';')
			target := strings.TrimSpace(pieces[0])
			for _, p := range pieces[1:] {
				name, value, _ := strings.Cut(p, "=")
				if strings.EqualFold(strings.TrimSpace(name), "rel") && strings.EqualFold(unquote(value), rel) {
					return "; see " + clip(strings.Trim(target, "<>"), maxQuote)
				}
			}
		}
	}
	return ""
}

// explainCache tells that an answer is a stored one: Age (RFC 9111), Cache-Status
// (RFC 9211) and what caches wrote before there was one.
func explainCache(c *call) {
	var parts []string
	for _, v := range c.header("Cache-Status") {
		for _, it := range items(v) {
			if _, hit := it.param("hit"); hit {
				parts = append(parts, quote(it.value))
			}
		}
	}
	source := "header Cache-Status"
	for _, name := range []string{"X-Cache", "CF-Cache-Status", "X-Cache-Status", "X-Proxy-Cache", "X-Varnish-Cache"} {
		if v, ok := c.first(name); ok && len(parts) == 0 && strings.Contains(strings.ToLower(v), "hit") {
			parts, source = append(parts, quote(v)), "header "+name
		}
	}
	age, ok := c.first("Age")
	old, fine := seconds(age)
	if ok && fine && len(parts) == 0 && old > 0 {
		source = "header Age"
	}
	if len(parts) == 0 && (!ok || !fine || old == 0) {
		return
	}
	text := "the answer came from a cache"
	if len(parts) > 0 {
		text += " (" + strings.Join(parts[:min(len(parts), 3)], ", ") + ")"
	}
	if fine && ok {
		text += ", " + span(old) + " old"
	}
	c.add(Hint{Topic: Cache, Source: source, Text: text + ": the service has not been asked now", Calm: true})
}

// explainWarnings reads Warning, which RFC 9111 has retired but Kubernetes and
// others still send.
func explainWarnings(c *call) {
	for _, v := range c.header("Warning") {
		code, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
		_, text, ok := strings.Cut(rest, " ")
		if !ok {
			text, code = v, "?"
		}
		switch code {
		case "110", "112":
			c.add(Hint{Topic: Cache, Source: "header Warning", Text: "the answer is stale: a cache gave what it had (" + quote(unquote(text)) + ")"})
		default:
			c.add(Hint{Topic: Detail, Source: "header Warning", Text: "the server warns: " + quote(unquote(text))})
		}
	}
}

// explainServerTiming reads where the server says its time went
// (https://www.w3.org/TR/server-timing/).
func explainServerTiming(c *call) {
	var parts []string
	for _, v := range c.header("Server-Timing") {
		for _, it := range items(v) {
			name := it.value
			if d, ok := it.param("desc"); ok && d != "" {
				name = d
			}
			dur, ok := it.param("dur")
			if _, fine := seconds(dur); !ok || !fine || len(parts) >= 8 {
				continue
			}
			parts = append(parts, clip(oneLine(name), 40)+" "+clip(dur, 16)+" ms")
		}
	}
	if len(parts) > 0 {
		c.add(Hint{Topic: Timing, Source: "header Server-Timing", Calm: true, Text: "the server says its time went to " + strings.Join(parts, ", ")})
	}
}
