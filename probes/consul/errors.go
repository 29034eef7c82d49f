package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"iscope/probes"
)

var (
	errNoLeader = errors.New("no cluster leader")
	errClosed   = errors.New("the target was closed")
	errNotAPI   = errors.New("the answer is not Consul's API")
)

// statusError is an answer other than 200. Consul explains itself in plain
// text.
type statusError struct {
	Code int
	Text string
}

func (e *statusError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("HTTP %d", e.Code)
	}
	return fmt.Sprintf("HTTP %d: %s", e.Code, e.Text)
}

// absent: the agent (or an older one, or a stand-in) does not have this path.
// An unknown kind of config entry is answered with 500 or 400.
func (e *statusError) absent() bool {
	return e.Code == http.StatusNotFound || e.Code == http.StatusMethodNotAllowed ||
		strings.Contains(e.Text, "invalid config entry kind") || strings.Contains(e.Text, "Connect must be enabled")
}

// aclDisabled: 401 "ACL support disabled".
func (e *statusError) aclDisabled() bool {
	return e.Code == http.StatusUnauthorized && strings.Contains(e.Text, "ACL support disabled")
}

// denied: the token is known but may not do this.
func (e *statusError) denied() bool {
	return e.Code == http.StatusForbidden && !e.unknownToken()
}

// unknownToken: Consul answers 403 both for a token it does not know ("ACL not
// found") and for one that lacks a permission ("Permission denied").
func (e *statusError) unknownToken() bool {
	return strings.Contains(e.Text, "ACL not found") || strings.Contains(e.Text, "Invalid token")
}

// fail turns an error of the client into the one that leaves the driver.
func (p *probe) fail(op string, err error) error {
	e := &probes.Error{Target: p.target.Name, Op: op, Err: err}
	e.Hint, e.Kind = classify(err, p.target.TLS.Enabled)
	return e
}

func classify(err error, secure bool) (hint string, kind error) {
	var st *statusError
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &st):
		return classifyStatus(st)
	case errors.Is(err, errNoLeader):
		return "the agent answers but its servers have no quorum; look at consul operator raft list-peers", probes.ErrUnreachable
	case errors.Is(err, errClosed):
		return "", probes.ErrUsage
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the agent speaks plain HTTP on this port: use consul://", probes.ErrTLS
	case errors.Is(err, errNotAPI), errors.As(err, &syntax), errors.As(err, &typ):
		return "is this the HTTP port of a Consul agent (8500, with TLS 8501)?", probes.ErrProtocol
	case errors.Is(err, context.Canceled):
		return "", probes.ErrTimeout
	}
	kind = probes.KindOfCause(err)
	switch kind {
	case nil:
		return "", probes.ErrProtocol
	case probes.ErrUnreachable:
		hint = "is the agent running and is this its HTTP port?"
	case probes.ErrTLS:
		if secure {
			hint = "tls.ca names the CA file, tls.server_name the name in the certificate"
		}
	}
	return hint, kind
}

func classifyStatus(st *statusError) (hint string, kind error) {
	text := strings.ToLower(st.Text)
	switch {
	case strings.Contains(text, "no cluster leader"), strings.Contains(text, "leadership lost"):
		return "the agent answers but its servers have no quorum", probes.ErrUnreachable
	case strings.Contains(text, "no path to datacenter"):
		return "the option datacenter names one that this agent does not know", probes.ErrNotFound
	case strings.Contains(text, "http request to an https server"):
		return "the agent speaks TLS on this port: use consul+tls://", probes.ErrTLS
	case st.Code == http.StatusUnauthorized, st.unknownToken():
		return "Consul does not know this token; auth.token holds it", probes.ErrAuth
	case st.Code == http.StatusForbidden:
		return "the token needs service:read and node:read", probes.ErrDenied
	case st.Code == http.StatusTooManyRequests, st.Code >= 500:
		return "", probes.ErrUnreachable
	case st.absent():
		return "is this the HTTP port of a Consul agent (8500, with TLS 8501)?", probes.ErrProtocol
	}
	return "", probes.ErrProtocol
}
