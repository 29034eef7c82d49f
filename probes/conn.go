package probes

import (
	"context"
	"fmt"
	"iter"
)

// Conn is an open target: the one place that asserts a probe's abilities and
// the one place that refuses writes. Never wrap a Probe to add behaviour: a
// wrapper hides abilities. Decorate records and sinks instead.
type Conn struct {
	Target Target
	Driver Driver
	probe  Probe
}

// Open opens a target with the driver it names.
func Open(ctx context.Context, drivers []Driver, t Target) (*Conn, error) {
	d, ok := FindDriver(drivers, t.Driver)
	if !ok {
		names := make([]string, len(drivers))
		for i, d := range drivers {
			names[i] = d.Name
		}
		return nil, &Error{Target: t.Name, Op: "opening", Kind: ErrUsage,
			Err: fmt.Errorf("unknown driver %q", t.Driver), Hint: NearestHint(t.Driver, names)}
	}
	p, err := d.Open(ctx, t)
	if err != nil {
		return nil, err
	}
	return &Conn{Target: t, Driver: d, probe: p}, nil
}

// Check proves that the target answers.
func (c *Conn) Check(ctx context.Context) error { return c.probe.Check(ctx) }

// Addresses are what the target's probe dials first (see Addresser); none where
// it does not say.
func (c *Conn) Addresses(ctx context.Context) ([]string, error) {
	if a, ok := c.probe.(Addresser); ok {
		return a.Addresses(ctx)
	}
	return nil, nil
}

// Close releases the target.
func (c *Conn) Close() error { return c.probe.Close() }

// Discoverer returns the ability or an ErrUnsupported.
func (c *Conn) Discoverer() (Discoverer, error) { return ability[Discoverer](c, "listing") }

// Tailer returns the ability or an ErrUnsupported.
func (c *Conn) Tailer() (Tailer, error) { return ability[Tailer](c, "tailing") }

// Schemer returns the ability or an ErrUnsupported.
func (c *Conn) Schemer() (Schemer, error) { return ability[Schemer](c, "reading schemas") }

// Former returns the ability or an ErrUnsupported.
func (c *Conn) Former() (Former, error) { return ability[Former](c, "describing requests") }

// Contracter returns the ability or an ErrUnsupported.
func (c *Conn) Contracter() (Contracter, error) {
	return ability[Contracter](c, "reading the contract")
}

// Publisher returns the ability, an ErrUnsupported, or an ErrRefused when the
// target is read-only.
func (c *Conn) Publisher() (Publisher, error) {
	p, err := ability[Publisher](c, "publishing")
	if err != nil {
		return nil, err
	}
	if err := c.Writable("publishing"); err != nil {
		return nil, err
	}
	return p, nil
}

// Peeker returns the ability, an ErrUnsupported, or an ErrRefused when the
// target is read-only.
func (c *Conn) Peeker() (Peeker, error) {
	p, err := ability[Peeker](c, "peeking")
	if err != nil {
		return nil, err
	}
	return p, c.Writable("peeking")
}

// DeadLetterer returns the ability or an ErrUnsupported. Whoever redrives asks
// Writable first.
func (c *Conn) DeadLetterer() (DeadLetterer, error) {
	return ability[DeadLetterer](c, "reading dead letters")
}

// Can reports which abilities the target has, for menus: "discover", "tail",
// "publish", "invoke", "schema", "form", "contract", "peek", "deadletter".
func (c *Conn) Can(ability string) bool {
	var ok bool
	switch ability {
	case "discover":
		_, ok = c.probe.(Discoverer)
	case "tail":
		_, ok = c.probe.(Tailer)
	case "publish":
		_, ok = c.probe.(Publisher)
	case "invoke":
		_, ok = c.probe.(Invoker)
	case "schema":
		_, ok = c.probe.(Schemer)
	case "form":
		_, ok = c.probe.(Former)
	case "contract":
		_, ok = c.probe.(Contracter)
	case "peek":
		_, ok = c.probe.(Peeker)
	case "deadletter":
		_, ok = c.probe.(DeadLetterer)
	}
	return ok
}

// Methods lists what can be called; ErrUnsupported where nothing can.
func (c *Conn) Methods(ctx context.Context) ([]Method, error) {
	inv, err := ability[Invoker](c, "invoking")
	if err != nil {
		return nil, err
	}
	return inv.Methods(ctx)
}

// Method looks one method up, in the list where the driver knows no shorter way.
// A list need not be all that can be called (HTTP takes any path), so a name that
// is not in it comes back as a Method of unknown effect together with the
// ErrNotFound; a driver that finds methods itself has the last word.
func (c *Conn) Method(ctx context.Context, name string) (Method, error) {
	if f, ok := c.probe.(MethodFinder); ok {
		return f.Method(ctx, name)
	}
	methods, err := c.Methods(ctx)
	if err != nil {
		return Method{}, err
	}
	names := make([]string, len(methods))
	for i, m := range methods {
		if m.Name == name {
			return m, nil
		}
		names[i] = m.Name
	}
	return Method{Name: name}, &Error{Target: c.Target.Name, Op: "finding the method", Kind: ErrNotFound,
		Err: fmt.Errorf("there is no method %s", name), Hint: NearestHint(name, names)}
}

// Invoke calls a method. Unless the target may be written to, only methods
// known to be reads are let through; a method not in the list counts as a
// write.
func (c *Conn) Invoke(ctx context.Context, m Method, in Invocation) iter.Seq2[Record, error] {
	inv, err := ability[Invoker](c, "invoking")
	if err == nil && m.Effect != EffectRead {
		err = c.Writable("calling " + in.Method)
	}
	if err != nil {
		return func(yield func(Record, error) bool) { yield(Record{}, err) }
	}
	return inv.Invoke(ctx, in)
}

// Writable returns nil when the target's environment allows writing, else the
// ErrRefused that says how to allow it.
func (c *Conn) Writable(op string) error {
	e := c.Target.Environment
	if e.Write {
		return nil
	}
	return &Error{Target: c.Target.Name, Op: op, Kind: ErrRefused,
		Err:  fmt.Errorf("environment %q (class %s) is read-only", e.Name, e.Class),
		Hint: "pass --write to allow writing for this command, or set write: true for the environment"}
}

func ability[T any](c *Conn, what string) (T, error) {
	a, ok := c.probe.(T)
	if !ok {
		return a, &Error{Target: c.Target.Name, Op: what, Kind: ErrUnsupported,
			Err: fmt.Errorf("driver %q has no such ability", c.Driver.Name)}
	}
	return a, nil
}
