package session

import (
	"context"
	"time"
)

// Patience bounds what a screen asks for in the background.
const Patience = 15 * time.Second

// Bounded is a context for one question, which ends with the session.
func Bounded(s *Session) (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, Patience)
}

// Context ends with the session.
func (s *Session) Context() context.Context { return s.ctx }
