// Package kit is what screens are made of: the Screen interface, the Binding
// that is at once dispatch, hint, help and palette entry, the messages by which
// screens ask the router for something, and a few widgets.
//
// Rules for screens:
//   - Update does no I/O. Whatever blocks runs in a tea.Cmd.
//   - View is pure and returns exactly h lines of at most w cells. It looks only
//     at what is visible.
//   - Text from outside (names, payloads, errors) arrives as safe.Text.
//   - Screens never import screens; they send Go and the router opens it.
//   - Records of a stream never travel as messages. Screens hold a ring and are
//     told that it changed.
package kit
