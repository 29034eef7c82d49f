package consul

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"iscope/probes"
)

const (
	// pollWait is how long the agent may hold a poll. Shorter than Consul's
	// default of five minutes so that a connection cut in silence is noticed.
	pollWait = time.Minute
	// maxAnswer bounds one answer in memory.
	maxAnswer = 256 << 20
	// maxErrorText bounds what is quoted of an error answer.
	maxErrorText = 300
)

// client is the HTTP side: one agent, one datacenter, GET only.
type client struct {
	base    url.URL
	http    *http.Client
	auth    probes.Auth
	dc      string
	timeout time.Duration

	closing context.Context
	stop    context.CancelFunc
	mu      sync.Mutex // orders begin and close
	running sync.WaitGroup
}

func newClient(t probes.Target, addr string, tlsConfig *tls.Config) *client {
	scheme := "http"
	if tlsConfig != nil {
		scheme = "https"
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: t.RequestTimeout()}
	c := &client{base: url.URL{Scheme: scheme, Host: addr}, auth: t.Auth, dc: t.Options[optDatacenter],
		timeout: t.RequestTimeout(),
		http: &http.Client{Transport: transport,
			// A redirect would carry the token to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	c.closing, c.stop = context.WithCancel(context.Background())
	return c
}

// begin registers work that close must wait for. The context ends with either
// the caller's or the client's.
func (c *client) begin(ctx context.Context) (context.Context, func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing.Err() != nil {
		return nil, nil, errClosed
	}
	c.running.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(c.closing, cancel)
	return ctx, func() { unhook(); cancel(); c.running.Done() }, nil
}

func (c *client) close() error {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.running.Wait()
	c.http.CloseIdleConnections()
	return nil
}

// meta is what the headers of an answer say.
type meta struct {
	Index uint64 // X-Consul-Index; 0 if absent
	// Filtered: entries were left out because the token may not see them.
	Filtered bool
	// Streaming answers do not say whether they were filtered.
	Streaming bool
}

// read gets one path now.
func (c *client) read(ctx context.Context, path string, into any) (meta, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.get(ctx, path, nil, into)
}

// poll gets one path and lets the agent hold the answer until something is
// newer than index, or pollWait is over.
func (c *client) poll(ctx context.Context, path string, index uint64, into any) (meta, error) {
	if index == 0 {
		return c.read(ctx, path, into)
	}
	// The agent adds up to wait/16 of jitter of its own.
	ctx, cancel := context.WithTimeout(ctx, pollWait+pollWait/16+c.timeout)
	defer cancel()
	q := url.Values{"index": {strconv.FormatUint(index, 10)}, "wait": {pollWait.String()}}
	return c.get(ctx, path, q, into)
}

func (c *client) get(ctx context.Context, path string, q url.Values, into any) (meta, error) {
	resp, err := c.send(ctx, path, q)
	if err != nil {
		return meta{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorText))
		return meta{}, &statusError{Code: resp.StatusCode, Text: strings.TrimSpace(string(b))}
	}
	if ct := resp.Header.Get("Content-Type"); !strings.Contains(ct, "json") {
		return meta{}, fmt.Errorf("reading %s: %w (content type %q)", path, errNotAPI, ct)
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxAnswer)).Decode(into); err != nil {
		return meta{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return c.readMeta(resp.Header), nil
}

func (c *client) send(ctx context.Context, path string, q url.Values) (*http.Response, error) {
	if q == nil {
		q = url.Values{}
	}
	if c.dc != "" {
		q.Set("dc", c.dc)
	}
	u := c.base
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.URL.Path, err = url.PathUnescape(path)
	if err != nil {
		return nil, err
	}
	req.URL.RawPath = path
	if !c.auth.Token.IsZero() {
		name := c.auth.Header
		if name == "" {
			name = "X-Consul-Token"
		}
		req.Header.Set(name, c.auth.Token.Reveal())
	}
	if c.auth.Username != "" {
		req.SetBasicAuth(c.auth.Username, c.auth.Password.Reveal())
	}
	resp, err := c.http.Do(req)
	if ue := (*url.Error)(nil); errors.As(err, &ue) {
		err = ue.Err // the URL adds nothing to the target's name
	}
	return resp, err
}

func (c *client) readMeta(h http.Header) meta {
	index, _ := strconv.ParseUint(h.Get("X-Consul-Index"), 10, 64) // unreadable counts as absent
	m := meta{Index: index, Filtered: h.Get("X-Consul-Results-Filtered-By-ACLs") == "true",
		Streaming: h.Get("X-Consul-Query-Backend") == "streaming"}
	// Without a token the agent does not admit that it filtered (1.22.5).
	if c.auth.Token.IsZero() && h.Get("X-Consul-Default-ACL-Policy") == "deny" {
		m.Filtered = true
	}
	return m
}
