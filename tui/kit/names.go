package kit

import "strings"

// Names is a filter of names as it is typed: every word has to occur in one of a
// thing's texts, whatever the case of ASCII letters. It copies nothing, so that
// a list of thousands is filtered within a key press.
type Names struct{ words [][]byte }

// NewNames makes a filter; of nothing, one that lets everything through.
func NewNames(typed string) Names {
	var n Names
	for w := range strings.FieldsSeq(typed) {
		n.words = append(n.words, []byte(strings.ToLower(w)))
	}
	return n
}

// All reports whether everything passes.
func (n Names) All() bool { return len(n.words) == 0 }

// Match reports whether every word occurs.
func (n Names) Match(texts ...string) bool {
	for _, w := range n.words {
		if !among(texts, w) {
			return false
		}
	}
	return true
}

func among(texts []string, word []byte) bool {
	for _, t := range texts {
		if foldIndex(t, word) {
			return true
		}
	}
	return false
}

// foldIndex is containsFold for strings.
func foldIndex(s string, word []byte) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if lower(s[i]) != word[0] {
			continue
		}
		j := 1
		for j < len(word) && lower(s[i+j]) == word[j] {
			j++
		}
		if j == len(word) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
