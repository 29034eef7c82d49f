package kafka

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
	"iscope/probes/probetest"
)

// unsigned is a token as Kafka's own unsecured validator takes it: a JWS without
// a signature.
func unsigned(subject string, life time.Duration) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	now := time.Now()
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, now.Unix(), now.Add(life).Unix())) + "."
}

// TestLoginsAtARealBroker: every mechanism, over plaintext and TLS, right and
// wrong.
func TestLoginsAtARealBroker(t *testing.T) {
	server := probetest.Need(t, "kafka")
	user, password := server.Addresses["username"], server.Addresses["password"]
	for listener, secured := range map[string]probes.TLS{"sasl": {}, "sasl_tls": {Enabled: true, CAFile: server.Addresses["ca"]}} {
		for name, c := range map[string]struct {
			auth  probes.Auth
			kind  error
			words string
		}{
			"plain":                {auth(`plain`, user, password), nil, ""},
			"scram-sha-256":        {auth("scram-sha-256", user, password), nil, ""},
			"scram-sha-512":        {auth("SCRAM-SHA-512", user, password), nil, ""},
			"oauthbearer":          {probes.Auth{Mechanism: "oauthbearer", Token: probes.NewSecret(unsigned(user, time.Hour))}, nil, ""},
			"a token alone":        {probes.Auth{Token: probes.NewSecret(unsigned(user, time.Hour))}, nil, ""},
			"plain, wrong":         {auth("plain", user, planted), probes.ErrAuth, "auth.password"},
			"scram-sha-256, wrong": {auth("scram-sha-256", user, planted), probes.ErrAuth, "auth.password"},
			"scram-sha-512, wrong": {auth("scram-sha-512", user, planted), probes.ErrAuth, "auth.password"},
			"an expired token":     {probes.Auth{Token: probes.NewSecret(unsigned(planted, -time.Hour))}, probes.ErrAuth, "may have expired"},
			"no token at all":      {probes.Auth{Token: probes.NewSecret(planted)}, probes.ErrAuth, "auth.token"},
			"nothing":              {probes.Auth{}, probes.ErrAuth, "set auth"},
			"not offered":          {auth("aws-msk-iam", user, password), probes.ErrAuth, "OAUTHBEARER"},
		} {
			t.Run(listener+"/"+name, func(t *testing.T) {
				b := &bed{addr: server.Addresses[listener]}
				p := b.open(t, func(t *probes.Target) {
					t.TLS, t.Auth, t.Options = secured, c.auth, map[string]string{optRegion: "eu-west-1"}
				})
				err := p.Check(limit(t))
				if c.kind == nil {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				e := wantError(t, err, c.kind, c.words)
				if probes.Transient(e) || strings.Contains(e.Error()+e.Hint, planted) {
					t.Errorf("transient, or shows the secret: %v", e)
				}
			})
		}
	}
}

func auth(mechanism, user, password string) probes.Auth {
	return probes.Auth{Mechanism: mechanism, Username: user, Password: probes.NewSecret(password)}
}

// TestAccessLists: what the user `reader` may not see or do is denied, by name.
func TestAccessLists(t *testing.T) {
	b := realBed(t)
	server := probetest.Need(t, "kafka")
	reader := "User:" + server.Addresses["reader_username"]
	hidden, shown, readable := b.topic(t, 1), b.topic(t, 1), b.topic(t, 1)
	// A list with anyone in it shuts out the others.
	b.allow(t, "User:somebody", hidden, kmsg.ACLOperationRead)
	b.allow(t, reader, shown, kmsg.ACLOperationDescribe)
	b.allow(t, reader, readable, kmsg.ACLOperationRead)
	b.numbered(t, readable, 1, 0, 3)
	b.addr = server.Addresses["sasl"]
	p := b.open(t, func(t *probes.Target) {
		t.Auth = auth("scram-sha-256", server.Addresses["reader_username"], server.Addresses["reader_password"])
	})
	if got := read(t, p, probes.TailQuery{Subject: readable, From: earliest, Until: latest}); len(got) != 3 {
		t.Errorf("read %d of 3", len(got))
	}
	tailError(t, p, probes.TailQuery{Subject: hidden}, probes.ErrDenied, "permission")
	tailError(t, p, probes.TailQuery{Subject: readable + "," + hidden, From: earliest}, probes.ErrDenied, hidden)
	tailError(t, p, probes.TailQuery{Subject: hidden + "," + readable[:len(readable)-1] + "*", From: earliest}, probes.ErrDenied, hidden)
	tailError(t, p, probes.TailQuery{Subject: shown, From: earliest}, probes.ErrDenied, "permission")
	_, err := p.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: readable}, Body: []byte("x")})
	wantError(t, err, probes.ErrDenied, "WRITE")
	for _, err := range p.Discover(limit(t), probes.DiscoverQuery{Subject: hidden}) {
		wantError(t, err, probes.ErrDenied, "")
	}
}

// allow adds an entry to a topic's access list, until the test ends.
func (b *bed) allow(t *testing.T, who, topic string, op kmsg.ACLOperation) {
	t.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	c := kmsg.NewCreateACLsRequestCreation()
	c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, topic, kmsg.ACLResourcePatternTypeLiteral
	c.Principal, c.Host, c.Operation, c.PermissionType = who, "*", op, kmsg.ACLPermissionTypeAllow
	req.Creations = append(req.Creations, c)
	res, err := req.RequestWith(limit(t), b.Client)
	if err != nil || res.Results[0].ErrorCode != 0 {
		t.Fatal(err, res)
	}
	cl := b.Client
	t.Cleanup(func() {
		req := kmsg.NewPtrDeleteACLsRequest()
		f := kmsg.NewDeleteACLsRequestFilter()
		f.ResourceType, f.ResourceName, f.ResourcePatternType = c.ResourceType, &topic, c.ResourcePatternType
		f.Operation, f.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
		req.Filters = append(req.Filters, f)
		if _, err := req.RequestWith(limit(t), cl); err != nil {
			t.Error(err)
		}
	})
}

// TestTokensAreFoundAnew: a file is read for every connection, an endpoint asked
// again only when its token has worn out.
func TestTokensAreFoundAnew(t *testing.T) {
	server := probetest.Need(t, "kafka")
	b := &bed{addr: server.Addresses["sasl"]}
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(unsigned("iscope", -time.Minute))
	p := b.open(t, func(t *probes.Target) { t.Options = map[string]string{optTokenFile: file} })
	wantError(t, p.Check(limit(t)), probes.ErrAuth, file)
	write(unsigned("iscope", time.Hour))
	if err := p.Check(limit(t)); err != nil {
		t.Error(err)
	}
	p = b.open(t, func(t *probes.Target) { t.Options = map[string]string{optTokenFile: file + "x"} })
	wantError(t, p.Check(limit(t)), probes.ErrUsage, optTokenFile)

	var asked atomic.Int64
	life := time.Hour
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		id, secret, _ := r.BasicAuth()
		if id != "client" || secret != "s%2Fcret" || r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "kafka" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, unsigned("iscope", life), int(life.Seconds()))
	}))
	defer idp.Close()
	open := func(secret, scope, url string) *probe {
		return b.open(t, func(t *probes.Target) {
			t.Auth = auth("oauthbearer", "client", secret)
			t.Options = map[string]string{optTokenEndpoint: url, optTokenScope: scope}
		})
	}
	p = open("s/cret", "kafka", idp.URL)
	for range 2 {
		if l, err := p.dialer.connect(limit(t), b.addr); err != nil {
			t.Error(err)
		} else {
			l.close()
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times for a token that is good for an hour", n)
	}
	wantError(t, open(planted, "kafka", idp.URL).Check(limit(t)), probes.ErrAuth, "invalid_client")
	idp.Close()
	wantError(t, open("s/cret", "kafka", idp.URL).Check(limit(t)), probes.ErrUnreachable, "token")
}

// TestSessionsThatEnd: brokers end sessions with their tokens (KIP-368); links are
// replaced before that.
func TestSessionsThatEnd(t *testing.T) {
	server := probetest.Need(t, "kafka")
	b := newBed(t, server.Addresses["bootstrap"])
	topic := b.topic(t, 1)
	p := (&bed{addr: server.Addresses["sasl"]}).open(t, func(t *probes.Target) {
		t.Auth.Token = probes.NewSecret(unsigned("iscope", time.Hour))
	})
	l, err := p.dialer.connect(limit(t), p.boot[0])
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if left := time.Until(l.until); left <= 0 || left > time.Hour {
		t.Errorf("the session ends in %v", left)
	}
	// One that has worn out is not used again.
	b.put(t, topic, 0, "a")
	f := follow(t, p, probes.TailQuery{Subject: topic, From: earliest})
	f.want("a")
	p.mu.Lock()
	for _, links := range p.idle {
		for _, l := range links {
			l.until = time.Now().Add(-time.Second)
		}
	}
	p.mu.Unlock()
	if got, fresh, err := p.borrow(limit(t), p.boot[0]); err != nil || !fresh {
		t.Errorf("fresh %v, %v", fresh, err)
	} else {
		got.close()
	}
	b.put(t, topic, 0, "b")
	f.want("b")
}

func TestOAuthOptionsThatMakeNoSense(t *testing.T) {
	for name, c := range map[string]struct {
		options map[string]string
		auth    probes.Auth
		words   string
	}{
		"no token":      {nil, probes.Auth{Mechanism: "oauthbearer"}, "auth.token"},
		"no URL":        {map[string]string{optTokenEndpoint: "idp"}, auth("oauthbearer", "u", "p"), optTokenEndpoint},
		"no client":     {map[string]string{optTokenEndpoint: "http://h/t"}, probes.Auth{Mechanism: "oauthbearer"}, "id and secret"},
		"bad extension": {map[string]string{optExtensions: "cluster"}, probes.Auth{Token: probes.NewSecret("t")}, "name=value"},
		"half a key":    {nil, probes.Auth{Mechanism: "aws-msk-iam", Username: "AKID"}, "or neither"},
	} {
		target := (&bed{addr: "127.0.0.1:1"}).target()
		target.Auth, target.Options = c.auth, c.options
		_, err := open(limit(t), target)
		if e := wantError(t, err, probes.ErrUsage, c.words); e == nil {
			t.Error(name)
		}
	}
	m, err := newBearer(&probes.Target{Auth: probes.Auth{Token: probes.NewSecret("tok")}, Options: map[string]string{optExtensions: "logicalCluster=lkc-1, identityPoolId=pool-2"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, first, err := m.Start(limit(t)); err != nil || string(first) != "n,,\x01auth=Bearer tok\x01logicalCluster=lkc-1\x01identityPoolId=pool-2\x01\x01" {
		t.Errorf("%q, %v", first, err)
	}
}

func TestTargetsAsURLs(t *testing.T) {
	for raw, want := range map[string]string{
		"kafka://u:p@h:1/orders?mechanism=scram-sha-512":   "orders scram-sha-512 map[]",
		"kafka://h:1/orders.??":                            "orders.??  map[]",
		"kafka://h:1/orders.*,payments":                    "orders.*,payments  map[]",
		"kafka://h:1/a?aws_region=x&mechanism=aws-msk-iam": "a aws-msk-iam map[aws_region:x]",
		"kafka://h:1/orders/2":                             "orders/2  map[]",
		"kafka+tls://h:1/__consumer_offsets":               "__consumer_offsets  map[]",
	} {
		target, subject, err := probes.ParseURL([]probes.Driver{Driver()}, raw)
		if got := fmt.Sprintf("%s %s %v", subject, target.Auth.Mechanism, target.Options); err != nil || got != want {
			t.Errorf("%s: %s, %v", raw, got, err)
		}
	}
}
