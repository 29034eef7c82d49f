package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"iscope/config"
	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/replay/request"
)

type runOpts struct {
	vars      []string
	keepGoing bool
	junit     string
	noHistory bool
}

func runCmd(a *app) *cobra.Command {
	var o runOpts
	cmd := &cobra.Command{
		Use:   "run FILE...",
		Short: "make the calls of saved requests and check the answers",
		Long: `run makes the calls of files that invoke --save or import have written, or you
have: each with its variables, values taken from earlier answers, and conditions
in the language of filters (iscope help filter). A call without conditions has to
succeed.

  name: an order and its way
  target: shop-api
  variables: {sku: MUG-01, token: "${env:TOKEN}"}
  environments: {staging: {sku: BAG-01}}
  steps:
    - name: place it
      method: POST /orders
      header: {Authorization: "Bearer {{token}}"}
      document: {customer: cust-0007, lines: [{sku: "{{sku}}", quantity: 1}]}
      capture: {order: body.id}
      expect: [status == 201, body.total > 0]
    - name: find it again
      method: GET /orders/{id}
      params: {id: "{{order}}"}
      expect: ['body.id == {{order}}', took < duration("500ms")]

{{env.NAME}}, {{uuid}}, {{now}}, {{now-1h}} and {{now.unix}} are always there.
A file with one step has its keys at the top. timing.total_ms, body, header("x"),
status and whatever else filters know of the end and the last response can stand
in conditions; capture takes paths such as body.items[0].id, header("location")
and bodies[1].id, of the second answer of a stream.

Exit code 1: a condition did not hold.`,
		Example: "  iscope run requests/*.yaml\n  iscope run requests/order.yaml -e staging --var sku=BAG-02 --junit report.xml",
		Args:    args(1, -1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runSaved(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.vars, "var", nil, "variable, as `name=value`; comes before those of the file")
	f.BoolVar(&o.keepGoing, "keep-going", false, "make the steps after a failed one as well")
	f.StringVar(&o.junit, "junit", "", "write a JUnit report to this `FILE`")
	f.BoolVar(&o.noHistory, "no-history", false, "keep these calls out of the history")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return cmd
}

func (a *app) runSaved(ctx context.Context, paths []string, o runOpts) error {
	vars, err := pairsOf("--var", o.vars)
	if err != nil {
		return err
	}
	files := make([]*request.File, len(paths))
	for i, path := range paths { // what is wrong with one is said before any call is made
		if files[i], err = request.Load(path); err != nil {
			return err
		}
	}
	if err := a.knownEnvironment(files); err != nil {
		return err
	}
	s := &savedRun{a: a, opt: o, conns: map[string]*probes.Conn{}}
	defer s.close()
	runner := &request.Runner{Environment: s.environment(), Vars: vars, Getenv: s.getenv, Resolve: s.resolve,
		Call: s.call, Judge: s.judge, KeepGoing: o.keepGoing}
	var results []request.Result
	failed := false
	for _, f := range files {
		for res := range runner.Run(ctx, f) {
			if s.said == nil {
				s.said = res.Err
			}
			s.clean(&res)
			if err := s.print(&res); err != nil {
				return err
			}
			failed = failed || !res.OK
			res.Answer = nil // not kept for the report
			results = append(results, res)
		}
	}
	if o.junit != "" {
		if jerr := request.WriteJUnit(o.junit, results); jerr != nil {
			return jerr
		}
	}
	s.summary(results)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.said != nil:
		return s.said
	case failed:
		return errDifferent
	}
	return nil
}

// knownEnvironment refuses a name that neither the configuration nor a file has:
// the calls would be made with the wrong variables.
func (a *app) knownEnvironment(files []*request.File) error {
	if a.env == "" {
		return nil
	}
	var names []string
	if cfg, err := a.load(); err != nil {
		return err
	} else if cfg != nil {
		names = cfg.EnvironmentNames()
	}
	for _, f := range files {
		for _, e := range f.Environments {
			names = append(names, e.Name)
		}
	}
	if slices.Contains(names, a.env) {
		return nil
	}
	return &probes.Error{Target: a.env, Op: "choosing the environment", Kind: probes.ErrNotFound,
		Err: errors.New("neither the configuration nor a saved request has it"), Hint: probes.NearestHint(a.env, names)}
}

func pairsOf(flag string, given []string) (out []probes.Attr, err error) {
	for _, v := range given {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, &probes.Error{Op: "reading " + flag, Kind: probes.ErrUsage, Err: fmt.Errorf("%q is not of the form name=value", name)}
		}
		out = append(out, probes.Attr{Name: name, Value: value})
	}
	return out, nil
}

// savedRun is what the steps of one run share: open targets, and the secrets
// that must not show.
type savedRun struct {
	a       *app
	opt     runOpts
	conns   map[string]*probes.Conn
	secrets []string
	said    error // the first call that could not be made
}

func (s *savedRun) close() {
	for _, c := range s.conns {
		c.Close()
	}
}

// environment is the name that the variables of an environment go by.
func (s *savedRun) environment() string {
	if s.a.env != "" {
		return s.a.env
	}
	if cfg, err := s.a.load(); err == nil && cfg != nil {
		return cfg.DefaultEnvironment()
	}
	return ""
}

// shortest is the length from which on a resolved value is taken out of all
// that is printed; shorter ones would take half of it along.
const shortest = 6

func (s *savedRun) resolve(file, text string) (string, error) {
	return config.Expand(file, text, s.getenv)
}

// getenv notes what it gives away: what comes from there is mostly a secret.
func (s *savedRun) getenv(name string) string {
	v := os.Getenv(name)
	if len(v) >= shortest {
		s.secrets = append(s.secrets, v)
	}
	return v
}

// scrub takes the resolved values out of a text.
func (s *savedRun) scrub(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "«redacted»")
	}
	return text
}

// conn opens a target once for all steps.
func (s *savedRun) conn(ctx context.Context, r *request.Request) (*probes.Conn, error) {
	key := r.Target
	set := make([]string, len(r.Options))
	for i, o := range r.Options {
		set[i] = o.Name + "=" + o.Value
		key += "\x00" + set[i]
	}
	if c := s.conns[key]; c != nil {
		return c, nil
	}
	t, _, err := s.a.target(r.Target)
	if err != nil {
		return nil, err
	}
	if u, uerr := url.Parse(r.Target); uerr == nil && t.Driver == "http" && probes.IsURL(r.Target) {
		// Beside a method, the path of a URL is the base of all paths.
		t.Address += strings.TrimRight(u.EscapedPath(), "/")
	}
	spot := s.a.spot
	spot.set = append(set, spot.set...)
	if err := spot.apply(s.a.drivers, &t); err != nil {
		return nil, err
	}
	c, err := probes.Open(ctx, s.a.drivers, t)
	if err != nil {
		return nil, err
	}
	s.conns[key] = c
	return c, nil
}

func (s *savedRun) call(ctx context.Context, r *request.Request, noTrace bool) (*request.Answer, error) {
	conn, err := s.conn(ctx, r)
	if err != nil {
		return nil, err
	}
	m, err := findMethod(ctx, conn, r.Method)
	if err != nil {
		return nil, err
	}
	in := r.Invocation()
	in.Method = m.Name
	c := newCall(s.a, conn, targetName(r.Target), m, in, invokeOpts{noTrace: noTrace, noHistory: s.opt.noHistory})
	c.hide = s.scrub
	answer := &request.Answer{}
	return answer, c.quietly(ctx, answer)
}

// judge evaluates a condition of the file. timing.x is short for the attribute.
func (s *savedRun) judge(ctx context.Context, condition string, r *probes.Record) (bool, error) {
	f, err := filter.Compile("=" + request.Condition(condition))
	if err != nil {
		var e *filter.Error
		if errors.As(err, &e) {
			err = errors.New(e.Message)
			if e.Hint != "" {
				err = fmt.Errorf("%s; %s", e.Message, e.Hint)
			}
		}
		return false, err
	}
	return reading(f, inspectors.Env{}).Match(ctx, r)
}
