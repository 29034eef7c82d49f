package rabbitmq

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// losses counts what a tap's queue drops. AMQP does not tell: delivery tags have
// no holes. So the queue dead-letters what it drops to a second queue, and
// purging that one says how many there were. Only if that queue overflows too
// before it is purged is the count a lower bound; a third queue of length one
// notices it.
//
// Dead letters go by the default exchange, or where the user may not write to
// that, by an own one, which deletes itself with its queues.
type losses struct {
	tap      *tapQueue
	exchange string
	name     string
	more     string
}

// maxLost is how many lost messages are kept to be counted.
const maxLost = 1_000_000

func newLosses(ctx context.Context, b *tapQueue, exchange string) (*losses, error) {
	s := &losses{tap: b, exchange: exchange, name: b.name + ".lost", more: b.name + ".more"}
	what := fmt.Sprintf("queues %s and %s on vhost %s, exclusive", s.name, s.more, b.set.vhost)
	if exchange != "" {
		what += fmt.Sprintf(", and exchange %s, which deletes itself with them", exchange)
	}
	b.query.Ledger.Note(probes.DeedCreated, what+": they count what the tap's queue drops", untilEnd)
	return s, b.link.try(ctx, s.declare)
}

func (s *losses) declare(ch *amqp.Channel) error {
	if s.exchange != "" {
		if err := ch.ExchangeDeclare(s.exchange, amqp.ExchangeDirect, false, true, true, false, nil); err != nil {
			return err
		}
	}
	if err := s.queue(ch, s.more, s.bounded(1, s.tap.name+".void")); err != nil {
		return err
	}
	return s.queue(ch, s.name, s.bounded(maxLost, s.more))
}

func (s *losses) queue(ch *amqp.Channel, name string, args amqp.Table) error {
	if _, err := ch.QueueDeclare(name, false, false, true, false, args); err != nil || s.exchange == "" {
		return err
	}
	return ch.QueueBind(name, name, s.exchange, false, nil)
}

// bounded are the arguments of a queue that holds so many messages, and sends
// those it drops to another queue. That one is named even where there is none:
// otherwise a policy that matches our queue could name an application's.
func (s *losses) bounded(length int, then string) amqp.Table {
	return amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeClassic, amqp.QueueMaxLenArg: int32(length), amqp.QueueMaxLenBytesArg: int64(maxBytes),
		amqp.QueueOverflowArg: amqp.QueueOverflowDropHead, "x-dead-letter-exchange": s.exchange, "x-dead-letter-routing-key": then}
}

// queues are the queues to remove.
func (s *losses) queues() []string {
	if s == nil {
		return nil
	}
	return []string{s.name, s.more}
}

// count returns how many messages were dropped since the last count, or unknown.
func (s *losses) count(ctx context.Context, ch *amqp.Channel) (lost int64, err error) {
	l := s.tap.link
	purge := func(name string) (n int) {
		if err == nil {
			err = l.call(ctx, func() error { n, err = ch.QueuePurge(name, false); return err })
		}
		return n
	}
	lost = int64(purge(s.name))
	if lost > 0 && purge(s.more) > 0 {
		lost = unknown
	}
	return lost, err
}
