package config

import (
	"fmt"
	"slices"
	"strings"

	"iscope/probes"
)

// Config is a file that has been read and found right. It is immutable and safe
// for concurrent use.
type Config struct {
	Path string // the file, "" when there is none
	s    *state // behind a pointer so that %v of a Config shows none of it
}

// state is what was read.
type state struct {
	at       Location
	dir      string // the file's folder, absolute
	doc      document
	drivers  []probes.Driver
	getenv   func(string) string
	warnings Problems
	literals bool // a secret stands in the file itself
}

// Captures is where captures go.
type Captures struct {
	Dir      string // "" is the working directory
	MaxBytes int64  // 0 is no limit
}

// UI is how the terminal interface looks.
type UI struct {
	ASCII   bool
	NoColor bool
	Mouse   bool
}

// String names the file and nothing in it.
func (c Config) String() string {
	if c.Path == "" {
		return "no configuration"
	}
	return "configuration " + c.Path
}

// GoString keeps %#v quiet.
func (c Config) GoString() string { return c.String() }

// Location returns the file and how it was found.
func (c *Config) Location() Location { return c.s.at }

// Warnings returns what is allowed and unwise, in the order of the file.
func (c *Config) Warnings() Problems { return slices.Clone(c.s.warnings) }

// UI returns the settings of the terminal interface.
func (c *Config) UI() UI {
	u := c.s.doc.UI
	return UI{ASCII: u.ASCII.Value, NoColor: u.Color.Raw == "never", Mouse: u.Mouse.Value}
}

// EnvironmentNames returns the environments in the order of the file.
func (c *Config) EnvironmentNames() []string {
	out := make([]string, len(c.s.doc.Environments))
	for i, e := range c.s.doc.Environments {
		out[i] = e.Name.Raw
	}
	return out
}

// DefaultEnvironment names the environment that "" stands for: the one the file
// says, else the only one, else "".
func (c *Config) DefaultEnvironment() string {
	d := c.s.doc
	if d.Default.Set {
		return d.Default.Raw
	}
	if len(d.Environments) == 1 {
		return d.Environments[0].Name.Raw
	}
	return ""
}

// Environment returns the rules of an environment; "" is the default one.
func (c *Config) Environment(name string) (probes.Environment, error) {
	e, err := c.environment(name)
	if err != nil {
		return probes.Environment{}, err
	}
	return e.rules(), nil
}

// TargetNames returns the targets of an environment in the order of the file;
// "" is the default environment. An environment that does not exist has none.
func (c *Config) TargetNames(env string) []string {
	e, err := c.environment(env)
	if err != nil {
		return nil
	}
	out := make([]string, len(e.Value.Targets))
	for i, t := range e.Value.Targets {
		out[i] = t.Name.Raw
	}
	return out
}

func (c *Config) environment(name string) (envEntry, error) {
	names := c.EnvironmentNames()
	if name == "" {
		name = c.DefaultEnvironment()
	}
	switch {
	case len(names) == 0:
		return envEntry{}, &probes.Error{Target: name, Op: "choosing the environment", Kind: probes.ErrNotFound,
			Err: fmt.Errorf("%s has no environments", c), Hint: c.firstStep()}
	case name == "":
		return envEntry{}, &probes.Error{Op: "choosing the environment", Kind: probes.ErrUsage,
			Err:  fmt.Errorf("there are %d: %s", len(names), strings.Join(names, ", ")),
			Hint: "pass --env, or set default: in " + c.Path}
	}
	for _, e := range c.s.doc.Environments {
		if e.Name.Raw == name {
			return envEntry(e), nil
		}
	}
	return envEntry{}, &probes.Error{Target: name, Op: "choosing the environment", Kind: probes.ErrNotFound,
		Err: fmt.Errorf("no such environment in %s", c.Path), Hint: probes.NearestHint(name, names)}
}

func (c *Config) firstStep() string {
	if c.Path == "" {
		return "write " + FileName + ", or name the system by its address: kafka://127.0.0.1:9092"
	}
	return "add one to " + c.Path
}

type envEntry entry[environment]

// rules applies the defaults of the class.
func (e envEntry) rules() probes.Environment {
	v := e.Value
	class := probes.Class(v.Class.Raw)
	if !v.Class.Set {
		class = probes.ClassUnknown
	}
	return probes.Environment{Name: e.Name.Raw, Class: class,
		Write:        v.Write.or(class.WritesByDefault()),
		Dial:         v.Dial.or(class == probes.ClassLocal || class == probes.ClassDev),
		ReplayToProd: v.ReplayTo.Value}
}

// Captures returns where captures go.
func (c *Config) Captures() Captures {
	v := c.s.doc.Captures
	out := Captures{MaxBytes: v.MaxBytes.Value}
	if v.Dir.Raw != "" {
		out.Dir = c.s.file(v.Dir.Raw)
	}
	return out
}
