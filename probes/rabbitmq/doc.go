// Package rabbitmq watches RabbitMQ over AMQP 0-9-1: exchanges, bindings,
// queues, consumers, connections, and the messages themselves. What it creates
// to do so is its own, named iscope.tap.…, exclusive to its connection, and
// written into the ledger before it is made.
//
// How a subject is read:
//
//   - An exchange is tapped by an own queue with a bounded length, bound so that
//     no other queue gets a message more or less (bindings.go). What the bound
//     drops is counted: the queue's dead letters go to a second own queue, which
//     is emptied, and so counted, every now and then (losses.go).
//   - A stream is read as a stream: nothing in it is consumed (stream.go).
//   - Any other queue is read through the broker's firehose, which copies every
//     publication to the exchange amq.rabbitmq.trace (firehose.go). Switching it
//     on changes the broker, so the previous state is written to a file first
//     and put back, by the next start if need be (tracing.go).
//
// Peeking and redriving take messages from a queue and give them back; they are
// verbs of their own.
//
// The wire protocol is amqp091-go's, used without its recovery: a tail that
// breaks says so and ends. What the library cannot do is done here: give every
// call a deadline, and name the cause when a connection dies (link.go).
//
// The management API is used where it answers. Without it, types of exchanges
// and queues are found out by asking to declare them in a way that the broker
// must refuse (inspect.go).
package rabbitmq
