package replay

import (
	"encoding/base64"
	"strings"

	"iscope/probes"
)

// Credential supplies a recorded credential's header from the destination's own
// configuration. It suits PlanOptions.Provide: a replay authenticates as the
// destination's user, never as the recorded one.
func Credential(c *probes.Conn, name string) (value []byte, ok bool) {
	a := c.Target.Auth
	switch {
	case a.Header != "" && !a.Token.IsZero():
		return []byte(a.Token.Reveal()), strings.EqualFold(name, a.Header)
	case !strings.EqualFold(name, "authorization"):
		return nil, false
	case !a.Token.IsZero():
		return []byte("Bearer " + a.Token.Reveal()), true
	case a.Username != "":
		pair := a.Username + ":" + a.Password.Reveal()
		return []byte("Basic " + base64.StdEncoding.EncodeToString([]byte(pair))), true
	}
	return nil, false
}
