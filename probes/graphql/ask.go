package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// accept is what GraphQL over HTTP (draft, §6) asks clients to take.
const accept = "application/graphql-response+json, application/json;q=0.9"

// maxOwn bounds the answers to our own questions. GitHub's introspection is
// three megabytes.
const maxOwn = 64 << 20

// reply is the answer to a question of ours.
type reply struct {
	status int
	server string // header
	body   []byte
	answer
}

// ask sends a query of ours and blocks until the answer is there. An answer of
// any kind is a reply, except one that says we asked in the wrong way: 401, 403,
// or plain HTTP to a TLS port.
func (p *probe) ask(ctx context.Context, op string, u *url.URL, query string) (*reply, error) {
	limited := p.link.Bound(ctx, p.link.Target.RequestTimeout())
	defer limited.Release()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil, p.link.Fail(op, probes.ErrUsage, err, "")
	}
	req, err := http.NewRequestWithContext(limited, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, p.link.Fail(op, probes.ErrUsage, err, "")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", httplink.Codings)
	p.link.Dress(req, p.link.Auth)
	watch := httplink.NewStopwatch()
	resp, err := p.link.HTTP.RoundTrip(watch.Attach(req.WithContext(limited)))
	if err != nil {
		return nil, p.link.Explain(limited, op, watch, err)
	}
	defer resp.Body.Close()
	dec := httplink.NewDecoder(resp)
	defer dec.Close()
	text, cut, err := httplink.ReadBody(dec, 0, maxOwn)
	switch {
	case err != nil:
		return nil, p.link.Explain(limited, op, watch, fmt.Errorf("reading the answer: %w", err))
	case cut > 0:
		return nil, p.link.Fail(op, probes.ErrLimit, fmt.Errorf("the answer is larger than %d MiB", maxOwn>>20), "")
	case httplink.IsTLSMixUp(resp, text):
		return nil, p.link.SpeaksTLS(op)
	}
	r := &reply{status: resp.StatusCode, server: resp.Header.Get("Server"), body: text, answer: answerIn(resp, dec, text)}
	return r, p.refusal(op, r)
}

// refusal is the error of an answer that refuses us: by the status, or by the
// code that servers of Apollo's kind give.
func (p *probe) refusal(op string, r *reply) error {
	code := ""
	if len(r.errors) > 0 && !r.hasData {
		code = strings.ToUpper(r.errors[0].code)
	}
	words := fmt.Errorf("the server answered %s", httplink.StatusText(r.status))
	if code != "" {
		words = fmt.Errorf("the server answered %s, %s", httplink.StatusText(r.status), r.errors[0].message)
	}
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusProxyAuthRequired, code == "UNAUTHENTICATED":
		return p.link.Fail(op, probes.ErrAuth, words, "check the target's auth")
	case r.status == http.StatusForbidden, code == "FORBIDDEN":
		return p.link.Fail(op, probes.ErrDenied, words, "check what these credentials may do")
	}
	return nil
}
