package kit

import "slices"

// History is what was typed into prompts of one kind, the newest last. Screens
// share it.
type History struct{ past []string }

const maxHistory = 100

// Add takes in what was entered.
func (h *History) Add(text string) {
	if text == "" {
		return
	}
	h.past = append(slices.DeleteFunc(h.past, func(old string) bool { return old == text }), text)
	if len(h.past) > maxHistory {
		h.past = h.past[1:]
	}
}

// Len is how many there are.
func (h *History) Len() int { return len(h.past) }

// At returns one of them; "" behind the newest, where nothing was entered yet.
func (h *History) At(i int) string {
	if i < 0 || i >= len(h.past) {
		return ""
	}
	return h.past[i]
}
