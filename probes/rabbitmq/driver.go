package rabbitmq

import (
	"context"
	"errors"
	"strings"

	"iscope/probes"
)

const driverDoc = `Exchanges, queues, bindings, consumers and connections of one vhost of RabbitMQ. Subjects are
exchange/NAME and queue/NAME (or just NAME where only one of them has it). exchange/NAME?key=K taps
only routing key K; queue/NAME?offset=first|last|next|N|@TIME|1h says where in a stream to start. The
vhost is in the URL's path, as the AMQP URI specification has it (amqp://host/vhost), and a subject may
follow: amqp://host/%2f/exchange/orders, or amqp://host/vhost?subject=exchange/orders. Exchanges are
tapped through an own exclusive queue; streams are read as they are; other queues through the firehose,
if the option firehose or a writable environment allows it. Auth: username and password (SASL PLAIN),
a token as password (OAuth 2), or a client certificate (EXTERNAL) where no username is given. The
headers content-type and content-encoding are the AMQP properties of that name. A redriven message
loses its x-death headers and gets the headers iscope-redriven and iscope-routing-key. A user id that is not ours is left out
when publishing: the broker refuses it.`

const driverImpact = "Tapping an exchange creates an own exclusive queue and bindings to it, removed at the end. " +
	"Reading a stream changes nothing. Reading any other queue needs the firehose, which is switched back at the end."

// Names of the target's options.
const (
	optManagement = "management"
	optVhost      = "vhost"
	optKey        = "binding_key"
	optMaxLength  = "max_length"
	optPrefetch   = "prefetch"
	optFirehose   = "firehose"
)

// Driver is the RabbitMQ driver.
func Driver() probes.Driver {
	return probes.Driver{
		Name:       "rabbitmq",
		Doc:        strings.ReplaceAll(driverDoc, "\n", " "),
		Impact:     driverImpact,
		Schemes:    []probes.Scheme{{Name: "amqp"}, {Name: "amqps", TLS: true}},
		Columns:    columns(),
		Options:    options(),
		Open:       open,
		URLSubject: urlSubject,
	}
}

func columns() []probes.Column {
	return []probes.Column{
		{Title: "OFFSET", Attr: attrOffset, Width: 8, Right: true},
		{Title: "EXCHANGE", Attr: probes.AttrDestination, Width: 18},
		{Title: "ROUTING KEY", Attr: "key", Width: 24},
		{Title: "SIZE", Attr: "size", Width: 8, Right: true},
		{Title: "SUMMARY", Attr: "summary", Width: 60},
	}
}

func options() []probes.Option {
	return []probes.Option{
		{Name: optManagement, Type: "string", Doc: "URL of the management API, or off; by default port 15672 (with TLS 15671) of the broker is tried"},
		{Name: optVhost, Type: "string", Default: "/", Doc: "virtual host, unless the URL's path names it"},
		{Name: optKey, Type: "string", Doc: "binding key of taps, instead of one that gets every message"},
		{Name: optMaxLength, Type: "int", Default: "10000", Doc: "messages the broker may hold for a tap; more are dropped and counted"},
		{Name: optPrefetch, Type: "int", Default: "500", Doc: "messages under way to a tail before it has taken them; fewer if they are large"},
		{Name: optFirehose, Type: "bool", Doc: "whether tracing of the vhost may be switched on to tail a queue; by default where writing is allowed"},
	}
}

// open validates the target. It does not connect.
func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	s, err := readSettings(&t)
	if err == nil {
		s.tls, err = t.TLS.Config()
	}
	if err == nil {
		s.sasl, err = mechanisms(&t)
	}
	if err == nil {
		return newProbe(t, s), nil
	}
	var e *probes.Error
	if errors.As(err, &e) {
		named := *e
		named.Target = t.Name
		return nil, &named
	}
	out := &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err}
	var f *fault
	if errors.As(err, &f) {
		out.Hint = f.hint
	}
	return nil, out
}
