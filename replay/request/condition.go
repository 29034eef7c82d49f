package request

import (
	"regexp"
	"sync"
)

// timing matches timing.x, and quoted texts and longer paths so that it is not
// found within them.
var timing = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[\w.]*\.)?\btiming\.(\w+)`)
})

// Condition is a condition of a saved request in the language of filters, which
// has no timing.total_ms: it is short for the attribute.
func Condition(text string) string {
	return timing().ReplaceAllStringFunc(text, func(m string) string {
		if len(m) > len("timing.") && m[:len("timing.")] == "timing." {
			return `number(attrs["iscope.timing.` + m[len("timing."):] + `"])`
		}
		return m
	})
}
