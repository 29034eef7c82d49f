package kit

// maxWrapped bounds the rows of one text.
const maxWrapped = 8

// Wrap breaks a text at blanks into at most eight pieces of about width cells.
// Wide letters may make a piece longer; it is cut when it is drawn.
func Wrap(s string, width int) (out []string) {
	width = max(16, width)
	runes := []rune(s)
	for len(runes) > width && len(out) < maxWrapped-1 {
		cut := width
		for cut > width/2 && runes[cut] != ' ' {
			cut--
		}
		if runes[cut] != ' ' {
			cut = width
		}
		out = append(out, string(runes[:cut]))
		runes = runes[cut:]
		if runes[0] == ' ' {
			runes = runes[1:]
		}
	}
	return append(out, string(runes))
}
