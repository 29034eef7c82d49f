package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"iscope/inspectors/emit"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// answer is a schema as the registry gives it.
type answer struct {
	Subject    string      `json:"subject"`
	Version    int         `json:"version"`
	ID         int         `json:"id"`
	Schema     string      `json:"schema"`
	SchemaType string      `json:"schemaType"` // absent: AVRO
	References []reference `json:"references"`
}

type reference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

const (
	maxAnswer     = 8 << 20
	maxReferences = 200
	maxErrorText  = 4 << 10
)

// source gets a schema and all it refers to.
func (c *Client) source(ctx context.Context, w wanted) (answer, schema.Source, error) {
	var a answer
	if err := c.get(ctx, "fetching "+w.what, w.path, &a); err != nil {
		return a, schema.Source{}, c.worded(err, w)
	}
	if a.Schema == "" {
		return a, schema.Source{}, c.fail("fetching "+w.what, probes.ErrProtocol, errors.New("the answer holds no schema"))
	}
	src := schema.Source{Type: schema.Avro, Text: a.Schema}
	if a.SchemaType != "" {
		src.Type = schema.Type(strings.ToUpper(a.SchemaType))
	}
	r := resolver{c: c, seen: map[reference]bool{}, what: w.what}
	err := r.follow(ctx, a.References)
	src.Refs = r.refs
	return a, src, err
}

// worded makes a 404 say what was looked for, and where.
func (c *Client) worded(err error, w wanted) error {
	var e *probes.Error
	if errors.As(err, &e) && e.Kind == probes.ErrNotFound && e.Hint == "" {
		e.Err = fmt.Errorf("%s is not in registry %s", w.what, c)
		e.Target, e.Op = "", ""
		e.Hint = "check that this is the registry the producer uses"
	}
	return err
}

// resolver collects references, each before what needs it.
type resolver struct {
	c    *Client
	seen map[reference]bool
	refs []schema.Ref
	what string
}

func (r *resolver) follow(ctx context.Context, refs []reference) error {
	for _, ref := range refs {
		if r.seen[ref] {
			continue
		}
		if len(r.seen) >= maxReferences {
			return r.c.fail("fetching "+r.what, probes.ErrLimit, fmt.Errorf("more than %d references", maxReferences))
		}
		r.seen[ref] = true
		var a answer
		// A reference stays needed after its subject was deleted.
		path := "/subjects/" + url.PathEscape(ref.Subject) + "/versions/" + strconv.Itoa(ref.Version) + "?deleted=true"
		if err := r.c.get(ctx, fmt.Sprintf("fetching %s, reference %s", r.what, ref.Name), path, &a); err != nil {
			return err
		}
		if err := r.follow(ctx, a.References); err != nil {
			return err
		}
		r.refs = append(r.refs, schema.Ref{Name: ref.Name, Text: a.Schema})
	}
	return nil
}

// get asks for one path and reads the JSON answer. Errors are *probes.Error.
func (c *Client) get(ctx context.Context, op, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String()+path, nil)
	if err != nil {
		return c.fail(op, probes.ErrUsage, errors.New("the address does not work in a request"))
	}
	req.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(op, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unreached(op, err)
	case resp.StatusCode != http.StatusOK:
		return c.refused(op, resp, b[:min(len(b), maxErrorText)])
	case len(b) > maxAnswer:
		return c.fail(op, probes.ErrLimit, fmt.Errorf("the answer is larger than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(b, into); err != nil {
		e := c.fail(op, probes.ErrProtocol, errors.New("the answer is not that of a schema registry"))
		e.Hint = "check the address: " + c.String()
		return e
	}
	return nil
}

func (c *Client) authorize(req *http.Request) {
	switch {
	case !c.auth.Token.IsZero() && c.auth.Header != "":
		req.Header.Set(c.auth.Header, c.auth.Token.Reveal())
	case !c.auth.Token.IsZero():
		req.Header.Set("Authorization", "Bearer "+c.auth.Token.Reveal())
	case c.auth.Username != "" || !c.auth.Password.IsZero():
		req.SetBasicAuth(c.auth.Username, c.auth.Password.Reveal())
	}
}

// unreached words a request that got no answer. net/http repeats the address,
// which Target already holds.
func (c *Client) unreached(op string, err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	kind := probes.KindOfCause(err)
	if kind == nil {
		kind = probes.ErrUnreachable
	}
	e := c.fail(op, kind, err)
	if kind == probes.ErrUnreachable {
		e.Hint = "bodies that need it are shown undecoded meanwhile; it is asked again"
	}
	return e
}

// refused words an answer that is no success.
func (c *Client) refused(op string, resp *http.Response, body []byte) error {
	var said struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	isRegistry := json.Unmarshal(body, &said) == nil && said.Code != 0
	cause := fmt.Errorf("HTTP %s", resp.Status)
	if said.Message != "" {
		cause = fmt.Errorf("HTTP %s: %s", resp.Status, said.Message)
	}
	e := c.fail(op, probes.ErrProtocol, cause)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		e.Kind, e.Hint = probes.ErrAuth, "check user and password, or the token, of the schema registry"
	case resp.StatusCode == http.StatusForbidden:
		e.Kind = probes.ErrDenied
	case resp.StatusCode == http.StatusNotFound && isRegistry:
		e.Kind = probes.ErrNotFound
	case resp.StatusCode == http.StatusNotFound:
		e.Kind, e.Hint = probes.ErrNotFound, "the answer is not that of a schema registry; check the address: "+c.String()
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		e.Kind = probes.ErrUnreachable
	}
	return e
}

func guidText(g [16]byte) string { return emit.UUID(g[:]) }
