package safe

import "unicode"

// isPlain recognises the bulk of the world's text without the tables: letters
// that neither combine nor hide. It answers false for everything it is not
// sure of.
func isPlain(r rune) bool {
	switch {
	case r >= 0x4e00 && r <= 0x9fff: // CJK ideographs
	case r >= 0xac00 && r <= 0xd7a3: // Hangul syllables
	case r >= 0x3041 && r <= 0x3096, r >= 0x30a1 && r <= 0x30fa: // kana
	case r >= 0xa1 && r <= 0xac, r >= 0xae && r <= 0x24f: // Latin; 0xad is the soft hyphen
	case r >= 0x400 && r <= 0x482: // Cyrillic
	default:
		return false
	}
	return true
}

// isHidden recognises characters that count as graphic but show nothing:
// ignorable fillers (Hangul fillers, combining grapheme joiner) and variation
// selectors.
func isHidden(r rune) bool {
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// isKeycap reports whether r is the base of a keycap emoji such as 1️⃣.
func isKeycap(r rune) bool { return r >= '0' && r <= '9' || r == '#' || r == '*' }

// isEmoji reports the Emoji property, ASCII excepted.
func isEmoji(r rune) bool { return r >= 0xa9 && unicode.Is(emoji, r) }

// isJoining reports whether r is a letter or mark (a virama) of a script whose
// letters change shape beside a joiner.
func isJoining(r rune) bool {
	return r >= 0x600 && unicode.In(r, joiningScripts...) && unicode.In(r, unicode.L, unicode.M)
}

var joiningScripts = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mandaic, unicode.Mongolian, unicode.Phags_Pa,
	unicode.Manichaean, unicode.Psalter_Pahlavi, unicode.Hanifi_Rohingya, unicode.Sogdian, unicode.Adlam,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil,
	unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar,
	unicode.Javanese, unicode.Balinese,
}

// scriptFlags says what a kept character adds to the tags of its row.
func scriptFlags(r rune) flags {
	switch {
	case r < 0x80:
		if r|0x20 >= 'a' && r|0x20 <= 'z' {
			return flagLatin
		}
		return 0
	case r >= 0x4e00 && r <= 0xd7ff: // CJK, Yi, Hangul and neighbours hold none of these
		if r >= 0xa640 && r <= 0xa69f {
			return flagLookalike
		}
		if !unicode.Is(unicode.Latin, r) {
			return 0
		}
		return flagLatin
	case isRTL(r):
		return flagRTL
	case unicode.Is(unicode.Latin, r):
		return flagLatin
	case unicode.In(r, unicode.Cyrillic, unicode.Greek):
		return flagLookalike
	}
	return 0
}

// isRTL reports letters of bidi class R or AL. Those classes fill these blocks
// (DerivedBidiClass.txt gives them to unassigned code points there, too).
func isRTL(r rune) bool {
	return (r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff ||
		r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff) && unicode.IsLetter(r)
}
