package tuitest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// one matches an escape sequence (ECMA-48 §5.3 and §5.6), in its 7-bit form.
// One that is not finished matches its ESC alone.
var one = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|[PX^_][^\x1b]*\x1b\\\\|[ -/]*[0-OQ-WYZ`-~\\\\])?")

// allowed are the sequences a program on the alternate screen needs. What else
// leaves came from outside.
var allowed = []*regexp.Regexp{
	regexp.MustCompile(`^\x1b\[[0-9;:]*m$`),                                  // SGR
	regexp.MustCompile("^\x1b\\[[0-9;]*[A-HJ-MPSTXZ`abdefgr@]$"),             // moves, tabs, erasing, inserting, scrolling, repeating
	regexp.MustCompile(`^\x1b\[\?5W$`),                                       // a tab stop every eight columns
	regexp.MustCompile(`^\x1b(M|D|7|8|H)$`),                                  // index, cursor, tab stop
	regexp.MustCompile(`^\x1b\[\?(7|25|1004|1007|1049|2004|2026|2027)[hl]$`), // modes
	regexp.MustCompile(`^\x1b\[\?(2026|2027)\$p$`),                           // which modes are known
	regexp.MustCompile(`^\x1b\[[<>=?][0-9;]*u$`),                             // kitty keyboard
	regexp.MustCompile(`^\x1b\[>4(;[0-9])?m$`),                               // modifyOtherKeys
	regexp.MustCompile(`^\x1b\[[0-9]* q$`),                                   // cursor shape
	regexp.MustCompile(`^\x1b\]2;iscope[ A-Z]*(\x07|\x1b\\)$`),               // our title
	regexp.MustCompile(`^\x1b\]2;(\x07|\x1b\\)$`),                            // and none, at the end
	regexp.MustCompile(`^\x1b\]1[01];\?(\x07|\x1b\\)$`),                      // which colours
	regexp.MustCompile(`^\x1b\[>?0?[cq]$`),                                   // which terminal
}

var (
	clipboard = regexp.MustCompile(`^\x1b\]52;c;[A-Za-z0-9+/=]*(\x07|\x1b\\)$`)
	mouse     = regexp.MustCompile(`^\x1b\[\?(1000|1002|1006)[hl]$`)
)

// May says what else a run was allowed to send.
type May struct{ Copy, Mouse bool }

// Foreign returns what is in the output of a program and must not be.
func Foreign(out []byte, may May) (foreign []string) {
	s := string(out)
	add := func(what string) {
		if !slices.Contains(foreign, what) {
			foreign = append(foreign, what)
		}
	}
	at := 0
	for _, m := range one.FindAllStringIndex(s, -1) {
		plain(s[at:m[0]], add)
		at = m[1]
		seq := s[m[0]:m[1]]
		ok := slices.ContainsFunc(allowed, func(p *regexp.Regexp) bool { return p.MatchString(seq) }) ||
			may.Copy && clipboard.MatchString(seq) || may.Mouse && mouse.MatchString(seq)
		if !ok {
			add(fmt.Sprintf("%q", seq))
		}
	}
	plain(s[at:], add)
	return foreign
}

// plain looks at what is between the sequences: text, and the four controls that
// move the cursor.
func plain(s string, add func(string)) {
	for i, c := range s {
		switch {
		case c == utf8.RuneError && !strings.HasPrefix(s[i:], string(c)):
			add(fmt.Sprintf("the byte %#x", s[i]))
		case c == '\n' || c == '\r' || c == '\b' || c == '\t':
		case c < 0x20, c >= 0x7f && c < 0xa0, strings.ContainsRune(invisible, c):
			add(fmt.Sprintf("%U", c))
		}
	}
}

// invisible are characters that change or hide their neighbours.
const invisible = "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad"

var setMode = regexp.MustCompile(`\x1b\[\?([0-9]+)([hl])`)

// leftOn names the modes that are not as a terminal has them after the output.
func leftOn(out []byte) (wrong []string) {
	on := map[string]bool{"25": true, "7": true} // the cursor is visible, lines wrap
	var order []string
	for _, m := range setMode.FindAllSubmatch(out, -1) {
		mode := string(m[1])
		if !slices.Contains(order, mode) {
			order = append(order, mode)
		}
		on[mode] = string(m[2]) == "h"
	}
	for _, mode := range order {
		if normal := mode == "25" || mode == "7"; on[mode] != normal {
			wrong = append(wrong, fmt.Sprintf("mode %s is %v", mode, on[mode]))
		}
	}
	return wrong
}

var sgr = regexp.MustCompile(`\x1b\[([0-9;:]*)m`)

// Colours returns the SGR sequences that set a colour (ECMA-48 §8.3.117: 30-39,
// 40-49, and the bright ones).
func Colours(out []byte) (found []string) {
	for _, m := range sgr.FindAllSubmatch(out, -1) {
		for p := range strings.FieldsFuncSeq(string(m[1]), func(r rune) bool { return r == ';' || r == ':' }) {
			n := 0
			fmt.Sscan(p, &n)
			if n >= 30 && n <= 49 && n != 39 && n != 49 || n >= 90 && n <= 107 {
				found = append(found, fmt.Sprintf("%q", m[0]))
				break
			}
		}
	}
	return found
}
