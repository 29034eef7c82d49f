// Package registry finds schemas in a schema registry with Confluent's REST API
// (https://docs.confluent.io/platform/current/schema-registry/develop/api.html).
// It only reads.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"iscope/inspectors/schema"
	"iscope/probes"
)

// Options say which registry, and how to use it.
type Options struct {
	// URL is http(s)://[user:password@]host[:port][/path].
	URL string
	// Auth is a user and password, or a token, sent as a bearer token or in
	// Auth.Header. It outranks what the URL says.
	Auth probes.Auth
	TLS  probes.TLS // Enabled is implied by https
	// Wait bounds how long Find blocks; 0 is two seconds. Requests may take
	// longer, and are then of use to the next one who asks.
	Wait time.Duration
	// Strategy finds schemas for bodies that name none; "" does not.
	Strategy Strategy
	// Records are the full names of the types by subject pattern that the
	// strategies with a record name need. The first match counts.
	Records []Record
	// Report is told once when the registry stops answering, and with nil when
	// it answers again. It must not block.
	Report func(error)
}

// Client finds schemas in one registry. It is safe for concurrent use.
type Client struct {
	o     Options
	base  *url.URL // without user information
	auth  probes.Auth
	http  *http.Client
	cache *schema.Cache
	gate  gate
	now   func() time.Time
}

const (
	defaultWait = 2 * time.Second
	// fetchTimeout bounds getting one schema with all it refers to.
	fetchTimeout = 15 * time.Second
	// requestTimeout bounds one request.
	requestTimeout = 5 * time.Second
	// grace is how long Find waits for a registry that did not answer before.
	grace = 100 * time.Millisecond

	maxCached = 1024
	// How long answers hold. Ids are for good: what they mean never changes.
	latestFor  = time.Minute
	missingFor = 15 * time.Second
	brokenFor  = 5 * time.Minute // schemas that do not compile, refused permissions
)

// Open prepares a client without connecting. Close it.
func Open(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &probes.Error{Op: "reading the schema registry's address", Kind: probes.ErrUsage,
			Err: errors.New("it is no http or https URL"), Hint: "write it as http://host:8081"}
	}
	c := &Client{o: o, auth: o.Auth, now: time.Now}
	if c.auth.IsZero() && u.User != nil {
		password, _ := u.User.Password()
		c.auth = probes.Auth{Username: u.User.Username(), Password: probes.NewSecret(password)}
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.RawPath = ""
	c.base = u
	o.TLS.Enabled = u.Scheme == "https"
	tlsConfig, err := o.TLS.Config()
	if err != nil {
		return nil, err
	}
	c.http = &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: requestTimeout},
		// A redirect would carry the credentials to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if c.o.Wait <= 0 {
		c.o.Wait = defaultWait
	}
	c.cache = schema.NewCache(maxCached, func() time.Time { return c.now() })
	c.gate.report = o.Report
	return c, nil
}

// String is the registry's address, without credentials.
func (c *Client) String() string { return c.base.String() }

// Close ends requests and waits for them.
func (c *Client) Close() error {
	c.cache.Close()
	c.http.CloseIdleConnections()
	return nil
}

// Check proves that the registry answers and accepts the credentials. It blocks
// until it knows, for up to five seconds.
func (c *Client) Check(ctx context.Context) error {
	var names []string
	err := c.get(ctx, "checking", "/schemas/types", &names)
	if errors.Is(err, probes.ErrNotFound) { // older than this endpoint
		err = c.get(ctx, "checking", "/subjects?limit=1", &names)
	}
	if errors.Is(err, probes.ErrLimit) {
		return nil // too many subjects are an answer, too
	}
	return err
}

// Find implements schema.Finder: by the id or GUID that the body names, or by
// subject where a strategy is set. It blocks up to Options.Wait for a registry
// that answers; one that has stopped answering is asked again in the
// background, at growing intervals.
func (c *Client) Find(ctx context.Context, q schema.Query) (schema.Found, error) {
	w, ok := c.want(q)
	if !ok {
		return schema.Found{}, schema.ErrNone
	}
	patience, down := c.o.Wait, c.gate.failure()
	if down != nil {
		patience = grace
	}
	found, err := c.cache.Get(ctx, w.path, patience, c.grace(down), func(ctx context.Context) (schema.Found, time.Duration, error) {
		return c.load(ctx, w)
	})
	if errors.Is(err, schema.ErrPending) && down != nil {
		return found, down
	}
	return found, err
}

// grace is how long to wait where the last answer was a failure.
func (c *Client) grace(down error) time.Duration {
	if down == nil {
		return c.o.Wait
	}
	return grace
}

// wanted is one schema to get.
type wanted struct {
	path   string // of the request
	what   string // for people: "schema id 31"
	latest bool   // it may change
}

func (c *Client) want(q schema.Query) (wanted, bool) {
	switch {
	case q.ID != 0:
		return wanted{path: fmt.Sprintf("/schemas/ids/%d", q.ID), what: fmt.Sprintf("schema id %d", q.ID)}, true
	case q.GUID != [16]byte{}:
		guid := guidText(q.GUID)
		return wanted{path: "/schemas/guids/" + guid, what: "schema " + guid}, true
	}
	subject := c.subject(q)
	if subject == "" {
		return wanted{}, false
	}
	return wanted{path: "/subjects/" + url.PathEscape(subject) + "/versions/latest", what: "subject " + subject, latest: true}, true
}

func (c *Client) load(ctx context.Context, w wanted) (schema.Found, time.Duration, error) {
	if left, err := c.gate.enter(c.now()); err != nil {
		return schema.Found{}, left, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	a, src, err := c.source(ctx, w)
	err = ofAll(err)
	left := c.gate.leave(ctx, c.now(), err)
	switch {
	case left > 0:
		return schema.Found{}, left, err
	case errors.Is(err, probes.ErrNotFound):
		return schema.Found{}, missingFor, err
	case err != nil:
		return schema.Found{}, brokenFor, err
	}
	compiled, err := schema.Compile(ctx, src)
	if err != nil {
		return schema.Found{}, brokenFor, c.fail("compiling "+w.what, probes.ErrProtocol, err)
	}
	found := schema.Found{Schema: compiled, From: strings.TrimPrefix(w.what, "schema ")}
	if w.latest {
		found.From = fmt.Sprintf("%s version %d, id %d", a.Subject, a.Version, a.ID)
		return found, latestFor, nil
	}
	return found, 0, nil
}

// ofAll takes out of a failure which schema it was met with, if it is one that
// every other schema would meet: it is told of those, too.
func ofAll(err error) error {
	var e *probes.Error
	if !isDown(err) || !errors.As(err, &e) {
		return err
	}
	all := *e
	all.Op = ""
	return &all
}

func (c *Client) fail(op string, kind, err error) *probes.Error {
	return &probes.Error{Target: "registry " + c.String(), Op: op, Kind: kind, Err: err}
}
