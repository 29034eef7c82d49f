package rabbitmq

import (
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestSuite runs what every driver must do: on a stream, which has a past, and
// on an exchange and a queue, which have none.
func TestSuite(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "orders", "topic", nil)
	b.queue(t, "billing", nil)
	b.queue(t, "log", amqp.Table{"x-queue-type": "stream"})
	b.bind(t, "billing", "order.#", "orders")
	n := 0
	produce := func(exchange, key string) func(*testing.T, int) [][]byte {
		return func(t *testing.T, count int) [][]byte {
			var out [][]byte
			for range count {
				n++
				out = append(out, fmt.Appendf(nil, "message %d", n))
			}
			b.publish(t, exchange, key, out...)
			return out
		}
	}
	suite := probetest.Suite{Driver: Driver(), Target: b.target()}
	run := func(t *testing.T, tail *probetest.TailCase) { suite.RunParts(t, probetest.Suite{Tail: tail}) }
	full := suite
	full.Discover = &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeExchange, probes.NodeQueue, probes.NodeBroker},
		Subject: "billing", Unknown: "queue/no-such-thing"}
	full.Tail = &probetest.TailCase{Subject: "queue/log", Unknown: "queue/no-such-queue", Produce: produce("", "log")}
	probetest.Run(t, full)
	t.Run("exchange", func(t *testing.T) {
		run(t, &probetest.TailCase{Subject: "exchange/orders", Unknown: "exchange/no-such", Live: true, Produce: produce("orders", "order.x")})
	})
	t.Run("queue", func(t *testing.T) {
		run(t, &probetest.TailCase{Subject: "queue/billing", Unknown: "no-such", Live: true, Produce: produce("", "billing")})
	})
}
