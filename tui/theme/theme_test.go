package theme

import (
	"regexp"
	"testing"
)

// colour is an SGR parameter that sets a colour.
var colour = regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?[349][0-9](?:;[0-9]+)*m`)

func TestNoColorKeepsWeightOnly(t *testing.T) {
	plain := Theme{NoColor: true}
	for s := range looks {
		if got := plain.Paint(Style(s), "x"); colour.MatchString(got) {
			t.Errorf("style %d without colours is %q", s, got)
		}
	}
	if got := plain.Paint(Prod, "PROD"); got == "PROD" {
		t.Error("production does not stand out without colours")
	}
}

func TestColoursAreOfTheSixteen(t *testing.T) {
	for s := range looks {
		got := Theme{}.Paint(Style(s), "x")
		if regexp.MustCompile(`[34]8;[25]`).MatchString(got) {
			t.Errorf("style %d is not of the terminal's own palette: %q", s, got)
		}
	}
	if got := (Theme{}).Paint(Bad, "x"); !colour.MatchString(got) {
		t.Errorf("bad is %q", got)
	}
}

func TestEveryGlyphHasAnASCIITwin(t *testing.T) {
	for g := range glyphs {
		for _, c := range (Theme{ASCII: true}).Glyph(Glyph(g)) {
			if c > 0x7e {
				t.Errorf("glyph %d is %q", g, c)
			}
		}
	}
}
