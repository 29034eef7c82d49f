package graphql

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// probe is one GraphQL endpoint. It connects lazily.
type probe struct {
	link    *httplink.Link
	schemas *httplink.Shelf[*contract]
	depth   int
	ways    ways
	// poll is the time between two looks while watching.
	poll time.Duration

	mu    sync.Mutex
	found *url.URL // the endpoint; nil until it is known
}

var (
	_ probes.Probe        = (*probe)(nil)
	_ probes.Discoverer   = (*probe)(nil)
	_ probes.Invoker      = (*probe)(nil)
	_ probes.MethodFinder = (*probe)(nil)
	_ probes.Schemer      = (*probe)(nil)
	_ probes.Former       = (*probe)(nil)
	_ probes.Contracter   = (*probe)(nil)
)

func newProbe(t probes.Target) (*probe, error) {
	usage := func(err error, hint string) error {
		return &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err, Hint: hint}
	}
	base, err := endpointOf(&t)
	if err != nil {
		return nil, usage(err, "write it as graphql://host:port/graphql")
	}
	p := &probe{poll: 30 * time.Second}
	if err := p.setOptions(t.Options); err != nil {
		return nil, usage(err, "")
	}
	if p.link, err = httplink.New(t, base, ""); err != nil {
		return nil, usage(err, "")
	}
	p.link.Plain, p.link.Secure = "graphql://", "graphqls://"
	if base.Path != "" && base.Path != "/" {
		p.found = base
	}
	p.schemas = httplink.NewShelf(p.link.Life, p.load, nil)
	return p, nil
}

// Bounds of the option depth.
const (
	defaultDepth = 2
	maxDepth     = 10
)

func (p *probe) setOptions(opts map[string]string) (err error) {
	known := []string{optSchema, optDepth, optSubscriptions}
	p.depth = defaultDepth
	for _, name := range sortedKeys(opts) {
		value := opts[name]
		switch name {
		case optSchema:
			if _, err := os.Stat(schemaFile(value)); value != "" && err != nil {
				return fmt.Errorf("option schema: %w", err)
			}
		case optDepth:
			if value == "" {
				continue
			}
			if p.depth, err = strconv.Atoi(value); err != nil || p.depth < 1 || p.depth > maxDepth {
				return fmt.Errorf("option depth is %q; use a number from 1 to %d", value, maxDepth)
			}
		case optSubscriptions:
			if p.ways, err = parseWays(value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unknown option %q; %s", name, probes.NearestHint(name, known))
		}
	}
	return nil
}

func schemaFile(option string) string { return strings.TrimPrefix(option, "file:") }

// Check asks for __typename, which every GraphQL server answers and which
// executes nothing.
func (p *probe) Check(ctx context.Context) error {
	_, err := p.greet(ctx, "checking")
	return err
}

// greet asks the endpoint for __typename.
func (p *probe) greet(ctx context.Context, op string) (*reply, error) {
	u, first, err := p.endpoint(ctx, op)
	if err != nil || first != nil {
		return first, err
	}
	r, err := p.ask(ctx, op+" "+u.Path, u, "{__typename}")
	if err != nil {
		return nil, err
	}
	if r.problem != "" || !r.hasData && r.status >= 404 {
		return nil, p.noGraphQL(op+" "+u.Path, r)
	}
	return r, nil
}

// noGraphQL says what an endpoint answered instead.
func (p *probe) noGraphQL(op string, r *reply) error {
	why, kind := r.problem, probes.ErrProtocol
	if r.status >= 400 {
		why = "the server answered " + httplink.StatusText(r.status)
	}
	hint := "is that the path of the GraphQL endpoint, and nothing in between that answers in its place?"
	switch {
	case r.status == 404:
		kind, hint = probes.ErrNotFound, "there is no GraphQL endpoint at this path; the usual ones are "+strings.Join(usualPaths(), ", ")
	case r.status >= 500:
		kind, hint = probes.ErrUnreachable, ""
	}
	return p.link.Fail(op, kind, errors.New(why), hint)
}

// endpoint is the URL that takes operations. Where the target names none, the
// usual paths are tried once; first is then the answer of the one that was found.
func (p *probe) endpoint(ctx context.Context, op string) (u *url.URL, first *reply, err error) {
	p.mu.Lock()
	found := p.found
	p.mu.Unlock()
	if found != nil {
		return found, nil, nil
	}
	var worst *reply
	for _, path := range usualPaths() {
		u := &url.URL{Scheme: p.link.Base.Scheme, Host: p.link.Base.Host, Path: path}
		r, err := p.ask(ctx, op+" "+path, u, "{__typename}")
		if err != nil {
			return nil, nil, err
		}
		if r.problem == "" && (r.hasData || r.status < 404) {
			p.mu.Lock()
			p.found = u
			p.mu.Unlock()
			return u, r, nil
		}
		if worst == nil || worst.status == 404 {
			worst = r
		}
	}
	var e *probes.Error
	errors.As(p.noGraphQL(op, worst), &e)
	return nil, nil, p.link.Fail(op, e.Kind, fmt.Errorf("no GraphQL at %s: %w", strings.Join(usualPaths(), ", "), e.Err),
		"name the endpoint's path: graphql://host:port/path")
}

// Close cuts off calls, waits for a schema being loaded and drops idle
// connections.
func (p *probe) Close() error {
	p.link.End()
	p.schemas.Wait()
	p.link.Close()
	return nil
}

// Addresses is that of the endpoint's host.
func (p *probe) Addresses(context.Context) ([]string, error) {
	return []string{httplink.HostPort(p.link.Base)}, nil
}
