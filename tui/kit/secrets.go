package kit

import (
	"slices"
	"sync"
)

// Secrets are values that no screen may show: what references have stood for. They
// outlive a change of the environment, because a server may keep what it was sent
// and show it there. They are safe for concurrent use.
type Secrets struct {
	mu  sync.Mutex
	all []string
}

// Note keeps values.
func (s *Secrets) Note(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		if !slices.Contains(s.all, v) {
			s.all = append(s.all, v)
		}
	}
}

// All returns what has been kept so far. The caller must not change it.
func (s *Secrets) All() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}
