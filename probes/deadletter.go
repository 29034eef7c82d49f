package probes

import (
	"context"
	"iter"
	"time"
)

// Peeker looks at messages of a queue by receiving and returning them. That is
// not without effect: delivery counts rise, messages are away for a moment, order
// may change. So it is an ability of its own and counts as a write.
type Peeker interface {
	// Peek yields at most q.Limit messages. What it is about to do, and how much
	// room there is before a message would be dead-lettered, is written to
	// q.Ledger before the first request. ErrRefused where a look could
	// dead-letter a message or starve a consumer; Force overrides that.
	Peek(ctx context.Context, q PeekQuery) iter.Seq2[Record, error]
}

// PeekQuery asks for a look into a queue.
type PeekQuery struct {
	Subject string
	Limit   int // messages; 0 means 10
	MaxBody int // as in TailQuery
	Force   bool
	Ledger  *Ledger
}

// DeadLetterer knows which queues and topics hold messages that could not be
// delivered or processed, and puts them back.
type DeadLetterer interface {
	// DeadLetters lists them, sorted by name.
	DeadLetters(ctx context.Context) ([]DeadLetter, error)
	// ShowDead yields the messages of one, with attributes that say why they are
	// there (AttrDeadReason and its kin). It removes nothing; where it cannot be
	// done without effect (a peek), the rules of Peeker hold.
	ShowDead(ctx context.Context, q PeekQuery) iter.Seq2[Record, error]
	// Redrive sends dead letters to where they came from, or to q.To. It yields
	// each message that Select chose: as stored at its new place, or as read and
	// with Err set when it could not be sent. A dead letter is acknowledged only
	// after the new copy is confirmed; where a system cannot remove it (a Kafka
	// topic), it stays, and a Notice at the end says so. Sent copies are marked
	// with the header HeaderRedriven.
	Redrive(ctx context.Context, q RedriveQuery) iter.Seq2[Record, error]
}

// DeadLetter is a queue or topic of dead letters.
type DeadLetter struct {
	Subject string `json:"subject"`
	// Origins are the queues and topics whose dead letters go here, as far as
	// the configuration or the messages tell.
	Origins []string `json:"origins,omitempty"`
	// Count is the number of messages in it, -1 if unknown.
	Count int64 `json:"count"`
	// Oldest is the time of the oldest message; zero if unknown.
	Oldest time.Time `json:"oldest,omitzero"`
	// Because says how it was recognised: "dead-letter-exchange of queue orders",
	// "named like one".
	Because string `json:"because"`
}

// RedriveQuery chooses dead letters and where they go.
type RedriveQuery struct {
	Subject string
	To      string // "" is each message's own origin
	// Select chooses; nil takes all. It must not keep the record.
	Select func(*Record) bool
	Limit  int // messages sent; 0 is all that were there at the start
	Force  bool
	Ledger *Ledger
}

// Attributes of a dead letter.
const (
	AttrDeadReason = "iscope.dead.reason" // "rejected", "expired", "maxlen", "delivery_limit", an exception
	AttrDeadOrigin = "iscope.dead.origin" // the queue or topic it died in
	AttrDeadCount  = "iscope.dead.count"  // how often it died or was delivered
	AttrDeadTime   = "iscope.dead.time"   // RFC 3339
)

// HeaderRedriven marks a copy made by Redrive. Its value is how often the
// message was redriven, and from where: "1 from orders.dlq".
const HeaderRedriven = "iscope-redriven"
