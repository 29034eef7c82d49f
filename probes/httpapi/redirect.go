package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// hop is how far a call has been redirected.
type hop struct {
	n       int
	note    string          // what was changed on the way
	strayed bool            // it has left the target: no credentials any more
	away    *http.Transport // to other hosts, which get no certificate of ours
}

// transport is that of the target, or the one to other hosts.
func (h *hop) transport(p *probe) http.RoundTripper {
	if h.away != nil {
		return h.away
	}
	return p
}

func (h *hop) release() {
	if h.away != nil {
		h.away.CloseIdleConnections()
	}
}

// location is where a redirect leads, nil if the answer is none (RFC 9110 §15.4).
func (x *exchange) location() *url.URL {
	switch x.resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	raw := x.resp.Header.Get("Location")
	if raw == "" {
		return nil
	}
	to, err := x.req.URL.Parse(raw)
	if err != nil {
		return nil
	}
	return to
}

// follows is where to go next, nil if the answer is the last.
func (x *exchange) follows() *url.URL {
	to := x.location()
	if to == nil || x.hop.n >= x.in.Redirects || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil
	}
	return to
}

// notFollowed says on the End what a redirect was not followed for.
func (x *exchange) notFollowed() string {
	to := x.location()
	switch {
	case to == nil || x.draft.call.socket:
		return ""
	case to.Scheme != "http" && to.Scheme != "https":
		return "the redirect leads to another protocol, " + to.Scheme + ", and was not followed"
	case x.in.Redirects == 0:
		return "the redirect was not followed: --redirects N follows at most N"
	}
	return fmt.Sprintf("the redirect was not followed: %d were, which is the limit", x.hop.n)
}

// redirect makes the next request. A POST becomes a GET, as clients have always
// done it, unless the status forbids that (RFC 9110 §15.4).
func (x *exchange) redirect(ctx context.Context, to *url.URL) error {
	last := x.req
	method, body := last.Method, x.draft.wire
	if s := x.resp.StatusCode; s == http.StatusSeeOther && method != "HEAD" || s <= http.StatusFound && method == "POST" {
		method, body = "GET", nil
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), nil)
	if err != nil {
		return x.p.Fail(x.op(), probes.ErrProtocol, fmt.Errorf("following the redirect to %s: %w", to.Redacted(), err), "")
	}
	req.Header = x.draft.header.Clone()
	if body == nil {
		for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language"} {
			req.Header.Del(name)
		}
	} else {
		setBody(req, body)
	}
	x.hop.n++
	x.hop.note = fmt.Sprintf("redirect %d", x.hop.n)
	if method != last.Method {
		x.hop.note += ", " + last.Method + " became " + method
	}
	if x.hop.strayed || to.Host != x.p.Base.Host || to.Scheme != x.p.Base.Scheme {
		if err := x.stray(req); err != nil {
			return err
		}
	} else {
		req.Host = x.draft.host
		x.p.Dress(req, x.draft.secured.credentials...)
	}
	x.req = req
	x.subject = x.lineOf(req)
	return nil
}

// stray sends a request to another host: without anything that tells who we are.
func (x *exchange) stray(req *http.Request) error {
	names := []string{"Authorization", "Cookie", "Proxy-Authorization"}
	if c := x.p.Auth; c != nil {
		names = append(names, c.Name)
	}
	for _, k := range x.draft.secured.keys {
		if k.in == "header" {
			names = append(names, k.name)
		}
	}
	for _, name := range names {
		req.Header.Del(name)
	}
	x.hop.note += ", to another host: without credentials"
	if x.hop.away == nil {
		// A private authority may sign for the other host too; a client
		// certificate or a changed server name is for the target only.
		rt, err := httplink.NewTransport(probes.TLS{Enabled: true, CAFile: x.p.Target.TLS.CAFile}, "")
		if err != nil {
			return x.p.Fail(x.op(), probes.ErrUsage, err, "")
		}
		x.hop.away = rt
	}
	x.hop.strayed = true
	x.p.Dress(req)
	return nil
}

// lineOf is the request line of a hop: relative to the base where it can be
// called again as such.
func (x *exchange) lineOf(req *http.Request) string {
	u := *req.URL
	u.RawQuery, _ = hideQuery(u.RawQuery, x.secrets(), true)
	if x.hop.strayed {
		return req.Method + " " + u.Redacted()
	}
	path := strings.TrimPrefix(u.EscapedPath(), x.p.Base.EscapedPath())
	return req.Method + " " + withQuery("/"+strings.TrimPrefix(path, "/"), u.RawQuery)
}
