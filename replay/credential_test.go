package replay

import (
	"testing"

	"iscope/probes"
)

func TestAReplayAuthenticatesAsTheDestinationsUser(t *testing.T) {
	for _, c := range []struct {
		auth       probes.Auth
		name, want string
	}{
		{probes.Auth{Token: probes.NewSecret("t")}, "Authorization", "Bearer t"},
		{probes.Auth{Username: "u", Password: probes.NewSecret("p")}, "authorization", "Basic dTpw"},
		{probes.Auth{Token: probes.NewSecret("t"), Header: "X-Api-Key"}, "x-api-key", "t"},
		{probes.Auth{Token: probes.NewSecret("t"), Header: "X-Api-Key"}, "authorization", ""},
		{probes.Auth{Token: probes.NewSecret("t")}, "cookie", ""},
		{probes.Auth{}, "authorization", ""},
	} {
		value, ok := Credential(&probes.Conn{Target: probes.Target{Auth: c.auth}}, c.name)
		if ok != (c.want != "") || ok && string(value) != c.want {
			t.Errorf("%s for %+v: %q, %v", c.name, c.auth, value, ok)
		}
	}
}
