package schema

import (
	"context"
	"errors"
)

// Query is what is known about a body whose schema is wanted.
type Query struct {
	ID   uint32   // in the registry, of the body's frame; 0: none
	GUID [16]byte // the same in the newer frame; zero: none
	// Subject is the topic, exchange or queue.
	Subject string
	// Key says that it is the key of a record rather than its value.
	Key bool
	// Ref is Record.Schema: a message's full name, or what a Schemer resolves.
	Ref string
}

// Framed reports whether the body itself names its schema.
func (q *Query) Framed() bool { return q.ID != 0 || q.GUID != [16]byte{} }

// Found is a schema and what people call it.
type Found struct {
	*Schema
	From string // "id 31", "orders-value version 4", "order.avsc"
}

// Finder knows schemas. It is safe for concurrent use.
type Finder interface {
	// Find returns the schema of a body. ErrNone says that this finder has
	// nothing to say about it, ErrPending that asking again soon may help; any
	// other error is why the body cannot be decoded, and for people to read.
	//
	// It may block for as long as its constructor says, and returns
	// ErrPending once ctx has ended.
	Find(ctx context.Context, q Query) (Found, error)
}

var (
	// ErrNone: no schema is known or assigned.
	ErrNone = errors.New("no schema is assigned")
	// ErrPending: it is being fetched.
	ErrPending = errors.New("the schema is being fetched")
)

// First asks finders in turn until one does not answer ErrNone.
type First []Finder

// Find implements Finder.
func (f First) Find(ctx context.Context, q Query) (Found, error) {
	for _, finder := range f {
		found, err := finder.Find(ctx, q)
		if !errors.Is(err, ErrNone) {
			return found, err
		}
	}
	return Found{}, ErrNone
}
