package rabbitmq

import (
	"bytes"
	"context"
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
	// pageSize is the largest page the management API hands out.
	pageSize = 500
	// maxAnswer bounds one answer in memory.
	maxAnswer = 256 << 20
	// maxErrorText bounds what is quoted of an error answer.
	maxErrorText = 300
	// guessTime bounds the look for an API at a guessed address.
	guessTime = 2 * time.Second
)

// httpClient speaks to the management API
// (https://www.rabbitmq.com/docs/http-api-reference).
type httpClient struct {
	http    *http.Client
	auth    probes.Auth
	bases   []string
	given   bool
	timeout time.Duration

	mu   sync.Mutex
	base string // the one that answered; "" until then
}

func newHTTP(t *probes.Target, s *settings) *httpClient {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: s.tls.Clone(),
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: t.RequestTimeout()}
	auth := t.Auth
	if auth.Username == "" && auth.Token.IsZero() && auth.Password.IsZero() {
		auth.Username, auth.Password = "guest", probes.NewSecret("guest")
	}
	return &httpClient{auth: auth, bases: s.management, given: s.given, timeout: t.RequestTimeout(),
		http: &http.Client{Transport: transport,
			// A redirect would carry the credentials to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (c *httpClient) close() { c.http.CloseIdleConnections() }

// noAPI says why the management API cannot be used.
type noAPI struct{ err error }

func (e *noAPI) Error() string { return "no management API: " + e.err.Error() }
func (e *noAPI) Unwrap() error { return e.err }

var errOff = errors.New("it is switched off by the option management")

// find returns the base URL that answers, or a *noAPI.
func (c *httpClient) find(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base != "" {
		return c.base, nil
	}
	limit := c.timeout
	if !c.given {
		limit = min(limit, guessTime)
	}
	err := errOff
	for _, b := range c.bases {
		tryCtx, stop := context.WithTimeout(ctx, limit)
		var who struct {
			Name string `json:"name"`
		}
		err = c.do(tryCtx, b, http.MethodGet, "/api/whoami", nil, &who)
		stop()
		if err == nil {
			c.base = b
			return b, nil
		}
		err = fmt.Errorf("%s: %w", b, err)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
	return "", &noAPI{err}
}

// get reads one path. Path segments must be escaped already (seg).
func (c *httpClient) get(ctx context.Context, path string, into any) error {
	return c.send(ctx, http.MethodGet, path, nil, into)
}

func (c *httpClient) put(ctx context.Context, path string, body any) error {
	return c.send(ctx, http.MethodPut, path, body, nil)
}

func (c *httpClient) send(ctx context.Context, method, path string, body, into any) error {
	base, err := c.find(ctx)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, c.timeout)
	defer stop()
	if err := c.do(ctx, base, method, path, body, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, strings.SplitN(path, "?", 2)[0], err)
	}
	return nil
}

func (c *httpClient) do(ctx context.Context, base, method, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, payload)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.auth.Token.IsZero() {
		req.SetBasicAuth(c.auth.Username, c.auth.Password.Reveal())
	} else {
		req.Header.Set("Authorization", "Bearer "+c.auth.Token.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the URL is in our own text already
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorText))
		return &statusError{Code: resp.StatusCode, Text: reasonIn(b)}
	}
	if into == nil {
		return nil
	}
	if ct := resp.Header.Get("Content-Type"); !strings.Contains(ct, "json") {
		return fmt.Errorf("the answer is not the management API's (content type %q)", ct)
	}
	return json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxAnswer)).Decode(into)
}

// reasonIn takes the API's own words out of an error answer.
func reasonIn(b []byte) string {
	var said struct {
		Reason json.RawMessage `json:"reason"`
	}
	var text string
	if json.Unmarshal(b, &said) == nil && json.Unmarshal(said.Reason, &text) == nil {
		return text
	}
	return strings.TrimSpace(string(b))
}

// statusError is an answer other than 2xx.
type statusError struct {
	Code int
	Text string
}

func (e *statusError) Error() string {
	if e.Text == "" {
		return "HTTP " + strconv.Itoa(e.Code)
	}
	return "HTTP " + strconv.Itoa(e.Code) + ": " + e.Text
}

// kind: 401 is what the API answers to wrong credentials and also to good ones
// that lack a tag.
func (e *statusError) kind() error {
	switch {
	case e.Code == http.StatusUnauthorized && containsFold(e.Text, "login failed"):
		return probes.ErrAuth
	case e.Code == http.StatusUnauthorized, e.Code == http.StatusForbidden:
		return probes.ErrDenied
	case e.Code == http.StatusNotFound:
		return probes.ErrNotFound
	case e.Code >= 500:
		return probes.ErrUnreachable
	}
	return probes.ErrProtocol
}

func isStatus(err error, code int) bool {
	var s *statusError
	return errors.As(err, &s) && s.Code == code
}

// seg escapes one segment of a path. "." and ".." would be resolved on the way,
// in whatever form they are written, so nothing can be done about those names.
func seg(s string) string { return url.PathEscape(s) }

// pages reads a listing page by page and hands each to add. query holds other
// parameters, or is "".
func pages[T any](ctx context.Context, c *httpClient, path, query string, add func([]T)) error {
	for page := 1; ; page++ {
		var answer struct {
			Items     []T `json:"items"`
			PageCount int `json:"page_count"`
		}
		q := fmt.Sprintf("?page=%d&page_size=%d&pagination=true", page, pageSize)
		if query != "" {
			q += "&" + query
		}
		err := c.get(ctx, path+q, &answer)
		if page > 1 && isStatus(err, http.StatusBadRequest) {
			return nil // the list has become shorter while it was read
		}
		if err != nil {
			return err
		}
		add(answer.Items)
		if page >= answer.PageCount {
			return nil
		}
	}
}
