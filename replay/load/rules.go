package load

import (
	"fmt"

	"iscope/probes"
)

// Allow holds a load of one method to the rules of the target's environment and
// fills in what was left to it. They are those of replays, whose ceilings are for
// the same reason. note says what was lowered; "" if nothing was. The error is an
// ErrRefused.
func Allow(conn *probes.Conn, m *probes.Method, o Options) (_ Options, note string, err error) {
	env := conn.Target.Environment
	refuse := func(hint, format string, args ...any) (Options, string, error) {
		return o, "", &probes.Error{Target: conn.Target.Name, Op: "planning the load", Kind: probes.ErrRefused, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	if env.Class == probes.ClassProd && !env.ReplayToProd {
		return refuse("load another environment; only the environment's own configuration can allow this (replay_to: true), there is no flag",
			"environment %q is production", env.Name)
	}
	if m.Effect != probes.EffectRead {
		if err := conn.Writable("calling " + m.Name + " again and again"); err != nil {
			return o, "", err
		}
	}
	free := env.Class == probes.ClassLocal || env.Class == probes.ClassDev || env.Class == probes.ClassProd
	const hint = "environments of class local and dev have no ceiling; set the class in the configuration"
	switch {
	case free:
	case o.Rate > MaxRate:
		return refuse(hint, "%v calls a second are more than the %v that environment %q (class %s) allows", o.Rate, MaxRate, env.Name, env.Class)
	case o.Concurrency > MaxConcurrency:
		return refuse(hint, "%d calls at once are more than the %d that environment %q (class %s) allows", o.Concurrency, MaxConcurrency, env.Name, env.Class)
	case o.Rate == 0:
		o.Rate = MaxRate // as fast as they come could be any rate
		note = fmt.Sprintf("at most %v calls a second: environment %q is of class %s", MaxRate, env.Name, env.Class)
	}
	if o.Concurrency == 0 {
		o.Concurrency = 1
		if o.Rate > 0 {
			o.Concurrency = MaxConcurrency
		}
	}
	return o, note, nil
}
