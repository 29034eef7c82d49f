package redact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	phStart = "«redacted:"
	phEnd   = "»"
	// The same in a URL or form, where # and the quotes need escapes.
	phStartURL = "%C2%ABredacted:"
	phHashURL  = "%23"
	phEndURL   = "%C2%BB"

	hashDigits = 4
	maxName    = 32
)

// placeholder stands for a value that was masked.
func (p *Policy) placeholder(name string, value []byte) string {
	return phStart + cleanName(name) + "#" + p.hash(value) + phEnd
}

func (p *Policy) placeholderURL(name string, value []byte) string {
	return phStartURL + cleanName(name) + phHashURL + p.hash(value) + phEndURL
}

// hash is short on purpose: it tells values apart and gives nothing away, even
// of a value that has only a few possibilities, because the key is not kept.
func (p *Policy) hash(value []byte) string {
	var buf [512]byte
	sum := sha256.Sum256(append(append(buf[:0], p.key[:]...), value...))
	return hex.EncodeToString(sum[:hashDigits/2])
}

// cleanName keeps of a name what is valid in JSON, in a header and in a URL.
func cleanName(name string) string {
	clean := func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case isNameByte(r):
			return r
		}
		return -1
	}
	if len(name) > 4*maxName {
		name = name[:4*maxName]
	}
	name = strings.Map(clean, name)
	return name[:min(len(name), maxName)]
}

func isNameByte(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.'
}

// IsPlaceholder reports whether b holds a placeholder, alone or inside other
// text. Such bytes must not be sent: they are not what was recorded.
func IsPlaceholder(b []byte) bool { return len(Placeholders(b)) > 0 }

// Placeholders returns the names in the placeholders b holds, so that a person
// can be told which secrets have to be supplied.
func Placeholders(b []byte) []string {
	var names []string
	for _, form := range [...]struct{ start, hash, end string }{
		{phStart, "#", phEnd}, {phStartURL, phHashURL, phEndURL},
	} {
		for rest := b; ; {
			i := bytes.Index(rest, []byte(form.start))
			if i < 0 {
				break
			}
			rest = rest[i+len(form.start):]
			if name, ok := placeholderName(rest, form.hash, form.end); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// isWhole reports whether b is a placeholder and nothing else: what has been
// masked already.
func isWhole(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte(phStart))
	hash, end := "#", phEnd
	if !ok {
		rest, ok = bytes.CutPrefix(b, []byte(phStartURL))
		hash, end = phHashURL, phEndURL
	}
	if !ok {
		return false
	}
	name, ok := placeholderName(rest, hash, end)
	return ok && len(name)+len(hash)+hashDigits+len(end) == len(rest)
}

// placeholderName reads what follows the start of a placeholder.
func placeholderName(b []byte, hash, end string) (string, bool) {
	n := 0
	for n < len(b) && n <= maxName && isNameByte(rune(b[n])) {
		n++
	}
	rest, ok := bytes.CutPrefix(b[n:], []byte(hash))
	if !ok || len(rest) < hashDigits+len(end) || string(rest[hashDigits:hashDigits+len(end)]) != end {
		return "", false
	}
	for _, c := range rest[:hashDigits] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", false
		}
	}
	return string(b[:n]), true
}
