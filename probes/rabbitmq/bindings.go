package rabbitmq

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// planBindings says with which keys a queue of ours can be bound to an exchange
// so that everything is seen and no other queue gets a message more or less. It
// is an ErrRefused where that cannot be.
//
// Three things could go wrong. Exchanges that choose among their queues would
// choose ours. Exchanges with an alternate exchange would no longer send it what
// nobody else takes, so there only keys are used that others have bound already.
// An exchange that deletes itself with its last binding would do so when we
// leave.
func planBindings(f *exchangeFacts, keys []string) ([]string, error) {
	refuse := func(hint, format string, args ...any) ([]string, error) {
		return nil, &fault{kind: probes.ErrRefused, err: fmt.Errorf(format, args...), hint: hint}
	}
	if f.name == "" {
		return refuse("tail queue/NAME instead: it reads through the firehose, which sees what is sent straight to queues",
			"nothing can be bound to the default exchange")
	}
	switch f.kind {
	case amqp.ExchangeDirect, amqp.ExchangeTopic, amqp.ExchangeFanout, amqp.ExchangeHeaders:
	case "x-consistent-hash", "x-modulus-hash", "x-random", "x-local-random":
		return refuse("tail the queues behind it: queue/NAME",
			"an exchange of type %s shares its messages out among its queues: another queue would take some from the others", f.kind)
	default:
		return refuse("tail the queues behind it: queue/NAME",
			"it is not known whether another queue changes what an exchange of type %s sends to the others", f.kind)
	}
	if f.autoDelete && len(f.bindings) == 0 {
		return refuse("tail it when something is bound to it", "the exchange deletes itself with its last binding, and ours might be the only one")
	}
	bound := boundKeys(f)
	if f.alternate != "" || f.guarded {
		return withAlternate(f, keys, bound)
	}
	switch {
	case keys != nil && f.kind != amqp.ExchangeFanout && f.kind != amqp.ExchangeHeaders:
		return keys, nil
	case f.kind == amqp.ExchangeTopic:
		return []string{"#"}, nil
	case f.kind != amqp.ExchangeDirect:
		return []string{""}, nil
	case !f.managed:
		return nil, &fault{kind: probes.ErrUsage,
			err:  errors.New("a direct exchange is tapped key by key, and without the management API its keys are not known"),
			hint: "name them: " + kindExchange + "/" + f.name + "?key=KEY, or the option binding_key"}
	case len(bound) == 0:
		return nil, &fault{kind: probes.ErrUsage, err: errors.New("nothing is bound to this direct exchange, so there is no key to tap"),
			hint: "name one: " + kindExchange + "/" + f.name + "?key=KEY"}
	}
	return bound, nil
}

// withAlternate binds only what others have bound.
func withAlternate(f *exchangeFacts, keys, bound []string) ([]string, error) {
	refusal := &fault{kind: probes.ErrRefused, hint: "tail the alternate exchange too, or the queues behind both"}
	what := fmt.Sprintf("what nobody takes goes to the alternate exchange %q", f.alternate)
	if f.alternate == "" {
		what = "a policy that we are not shown may name an alternate exchange"
		refusal.hint = "the user needs the tag policymaker to see policies"
	}
	switch {
	case !f.managed || f.kind == amqp.ExchangeHeaders:
		refusal.err = fmt.Errorf("%s, and our binding might keep messages from it", what)
		return nil, refusal
	case len(bound) == 0:
		refusal.err = fmt.Errorf("%s, and nothing is bound here: ours would take all", what)
		return nil, refusal
	}
	if f.kind == amqp.ExchangeFanout {
		return []string{""}, nil
	}
	for _, k := range keys {
		if !slices.Contains(bound, k) {
			refusal.err = fmt.Errorf("%s, and nobody has bound the key %q: ours would keep its messages from there", what, k)
			refusal.hint = "bound are: " + strings.Join(bound[:min(8, len(bound))], ", ")
			return nil, refusal
		}
	}
	if keys != nil {
		return keys, nil
	}
	return bound, nil
}

// boundKeys are the distinct keys under which others have bound something.
func boundKeys(f *exchangeFacts) []string {
	var keys []string
	for _, b := range f.bindings {
		if !strings.HasPrefix(b.Dest, tapPrefix) {
			keys = append(keys, b.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
