package kit

import (
	"iscope/probes"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// HealthSign is a verdict as a glyph and its style. The glyphs differ, so that
// nothing is said by colour alone.
func HealthSign(t theme.Theme, h probes.Health) (string, theme.Style) {
	switch h {
	case probes.HealthOK:
		return t.Glyph(theme.OK), theme.Good
	case probes.HealthWarn:
		return t.Glyph(theme.Warning), theme.Warn
	case probes.HealthFail:
		return t.Glyph(theme.Failed), theme.Bad
	}
	return t.Glyph(theme.Unknown), theme.Dim
}

// PhaseSign is how a target is doing, in the same signs.
func PhaseSign(t theme.Theme, p session.Phase) (string, theme.Style) {
	switch p {
	case session.Well:
		return HealthSign(t, probes.HealthOK)
	case session.Partly:
		return HealthSign(t, probes.HealthWarn)
	case session.Failed:
		return HealthSign(t, probes.HealthFail)
	}
	return HealthSign(t, probes.HealthUnknown)
}
