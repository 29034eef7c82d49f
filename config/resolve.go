package config

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"iscope/config/yamltree"
	"iscope/probes"
)

// Target resolves a target by its name or an alias; "" as env is the default
// environment. It reads environment variables and files and runs commands as
// the target's references say, so it may block: ten seconds per command at most.
// An unknown name is an ErrNotFound with the nearest ones.
func (c *Config) Target(env, name string) (probes.Target, error) {
	e, err := c.environment(env)
	if err != nil {
		return probes.Target{}, err
	}
	for _, t := range e.Value.Targets {
		if t.Name.Raw == name || hasAlias(t.Value.Aliases, name) {
			r := resolver{state: c.s, target: t.Name.Raw}
			out := r.resolve(&t.Value)
			if r.err != nil {
				return probes.Target{}, r.err
			}
			out.Environment = e.rules()
			return out, nil
		}
	}
	return probes.Target{}, c.noTarget(e, name)
}

func hasAlias(aliases []text, name string) bool {
	for _, a := range aliases {
		if a.Raw == name {
			return true
		}
	}
	return false
}

// noTarget explains an unknown name; another environment may have it.
func (c *Config) noTarget(e envEntry, name string) error {
	err := &probes.Error{Target: name, Op: "looking up the target", Kind: probes.ErrNotFound,
		Err: fmt.Errorf("environment %q has no such target", e.Name.Raw)}
	var names []string
	for _, t := range e.Value.Targets {
		names = append(names, t.Name.Raw)
		for _, a := range t.Value.Aliases {
			names = append(names, a.Raw)
		}
	}
	err.Hint = probes.NearestHint(name, names)
	for _, other := range c.s.doc.Environments {
		for _, t := range other.Value.Targets {
			if t.Name.Raw == name || hasAlias(t.Value.Aliases, name) {
				err.Hint = "it is in environment " + other.Name.Raw + ": pass --env " + other.Name.Raw
				return err
			}
		}
	}
	return err
}

// resolver turns one target of the file into one to be opened. It stops at the
// first failure.
type resolver struct {
	*state
	target string
	err    error
}

func (r *resolver) resolve(t *target) probes.Target {
	out := probes.Target{Name: r.target, Options: map[string]string{}}
	raw := r.text("url", t.URL)
	out.Auth, out.TLS, out.Schemas = r.auth("", t.Auth), r.tls("", t.TLS), r.schemas(t.Schemas)
	for _, a := range t.Aliases {
		out.Aliases = append(out.Aliases, a.Raw)
	}
	if t.Timeout.Set {
		out.Timeout, _ = time.ParseDuration(t.Timeout.Raw) // checked by the decoder
	}
	if r.err == nil {
		r.options(r.endpoint(t, raw, &out), t, &out)
	}
	return out
}

// auth and tls resolve these parts of a target, or of what key leads to.
func (r *resolver) auth(key string, a authShape) probes.Auth {
	key += "auth."
	return probes.Auth{Mechanism: a.Mechanism.Raw,
		Username: r.text(key+"username", a.Username), Password: probes.NewSecret(r.text(key+"password", a.Password)),
		Token: probes.NewSecret(r.text(key+"token", a.Token)), Header: r.text(key+"header", a.Header)}
}

func (r *resolver) tls(key string, t *tlsShape) probes.TLS {
	if t == nil {
		return probes.TLS{}
	}
	key += "tls."
	return probes.TLS{Enabled: t.Enabled.or(true), CAFile: r.path(key+"ca", t.CA),
		CertFile: r.path(key+"cert", t.Cert), KeyFile: r.path(key+"key", t.Key),
		ServerName: t.Server.Raw, InsecureSkipVerify: t.Insecure.Value}
}

func (r *resolver) schemas(s *schemasShape) (out probes.Schemas) {
	if s == nil {
		return out
	}
	const key = "schemas."
	out = probes.Schemas{Registry: r.text(key+"registry", s.Registry), Auth: r.auth(key, s.Auth), TLS: r.tls(key, s.TLS), Strategy: s.Strategy.Raw}
	for _, f := range s.Files {
		topic, file, named := strings.Cut(f.Raw, "=")
		if !named {
			topic, file = "*", f.Raw
		}
		out.Files = append(out.Files, topic+"="+r.file(file))
	}
	for _, f := range s.Imports {
		out.Imports = append(out.Imports, r.file(f.Raw))
	}
	for _, f := range s.Records {
		out.Records = append(out.Records, f.Raw)
	}
	return out
}

func (r *resolver) endpoint(t *target, raw string, out *probes.Target) probes.Driver {
	e, err := parseEndpoint(r.drivers, raw)
	if err != nil {
		if hasReference(t.URL.Raw) && !errors.Is(err, errPassword) && !errors.Is(err, errNoHost) {
			err = errors.New("with its references filled in, it is no valid target") // err may repeat a secret
		}
		r.fail("url", t.URL.At, err)
		return e.driver
	}
	out.Driver, out.Address = e.driver.Name, e.address
	out.TLS.Enabled = out.TLS.Enabled || e.secure
	if e.username != "" {
		out.Auth.Username = e.username
	}
	return e.driver
}

func (r *resolver) options(d probes.Driver, t *target, out *probes.Target) {
	for _, o := range t.Options {
		if r.err != nil {
			return
		}
		name, v := o.Name.Raw, o.Value
		resolved := hasReference(v.Raw)
		v.Raw = r.value("options."+name, v.Raw, v.At)
		if resolved {
			v.Kind = plainKind(v.Raw)
		}
		if decl, err := optionError(d, name, v); err != nil && !(resolved && decl.Type == "string") {
			r.fail("options", o.Name.At, err)
			return
		}
		if strings.HasPrefix(v.Raw, "./") || strings.HasPrefix(v.Raw, "../") || strings.HasPrefix(v.Raw, "~/") {
			v.Raw = r.file(v.Raw)
		}
		out.Options[name] = v.Raw
	}
}

// plainKind is the type YAML would give to a resolved value.
func plainKind(s string) yamltree.Kind {
	if s == "true" || s == "false" {
		return yamltree.Bool
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return yamltree.Int
	}
	return yamltree.Text
}

func (r *resolver) fail(key string, at yamltree.Pos, err error) {
	if r.err != nil {
		return
	}
	e := &probes.Error{Target: r.target, Op: "resolving " + key, Kind: probes.ErrUsage,
		Err: fmt.Errorf("%s:%d:%d: %w", r.at.Path, at.Line, at.Column, err)}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Kind = probes.ErrTimeout
	}
	r.err = e
}

func (r *resolver) text(key string, t text) string { return r.value(key, t.Raw, t.At) }

// path resolves a file name against the folder of the configuration.
func (r *resolver) path(key string, t text) string {
	if v := r.text(key, t); v != "" {
		return r.file(v)
	}
	return ""
}

func (r *resolver) value(key, raw string, at yamltree.Pos) string {
	if r.err != nil || !hasReference(raw) {
		return raw
	}
	parts, err := parseParts(raw)
	if err != nil {
		r.fail(key, at, err)
		return ""
	}
	var b strings.Builder
	for _, p := range parts {
		if p.ref == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := r.lookup(*p.ref)
		if err != nil {
			r.fail(key, at, err)
			return ""
		}
		b.WriteString(v)
	}
	return b.String()
}

func (r *resolver) lookup(ref reference) (string, error) {
	switch ref.scheme {
	case refEnv:
		if v := r.getenv(ref.arg); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("environment variable %s is not set", ref.arg)
	case refFile:
		return readSecret(r.file(ref.arg))
	}
	if !r.at.Trusted() {
		return "", errors.New("commands are not run for a configuration found in the working directory")
	}
	v, err := runCommand(context.Background(), ref.arg, r.dir)
	if err == nil && trimLineEnd(v) == "" {
		err = errors.New("the command printed nothing")
	}
	return trimLineEnd(v), err
}
