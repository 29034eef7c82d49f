package aws

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"iscope/probes"
)

func checkOf(t *testing.T, target probes.Target) error {
	t.Helper()
	return openTarget(t, target).Check(within(t))
}

// wants checks an error's kind, words and hint, and that no secret is in it.
func wants(t *testing.T, err, kind error, text, hint string) {
	t.Helper()
	var e *probes.Error
	switch {
	case !errors.Is(err, kind), !errors.As(err, &e), e.Target == "", e.Op == "":
		t.Errorf("%v (kind %v), want %v", err, probes.KindOf(err), kind)
	case !strings.Contains(err.Error(), text), !strings.Contains(probes.HintOf(err), hint):
		t.Errorf("%v; hint %q; want %q, %q", err, probes.HintOf(err), text, hint)
	case strings.Contains(err.Error()+probes.HintOf(err), "never-shown"):
		t.Errorf("it shows a secret: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	canonical := "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been 'x-amz-security-token:" + plantedToken + "'"
	for name, c := range map[string]struct {
		status              int
		code, message       string
		kind                error
		text, hint          string
		onlyQueues, onlySNS bool
	}{
		"unknown key":   {403, "InvalidClientTokenId", "The security token included in the request is invalid.", probes.ErrAuth, "security token", "from the target's auth; is the access key", false, false},
		"expired":       {403, "ExpiredToken", "The security token included in the request is expired", probes.ErrAuth, "expired", "get new ones", false, false},
		"wrong secret":  {403, "SignatureDoesNotMatch", canonical, probes.ErrAuth, "does not match", "secret does not belong", false, false},
		"clock":         {403, "SignatureDoesNotMatch", "Signature expired: 20261122T000000Z is now earlier than 20261122T003000Z", probes.ErrAuth, "Signature expired", "set the clock", false, false},
		"throttled":     {400, "Throttling", "Rate exceeded", probes.ErrLimit, "Rate exceeded", "try again in some seconds", false, false},
		"queues slower": {400, "RequestThrottled", "Rate exceeded", probes.ErrLimit, "Rate exceeded", "try again", true, false},
		"broken":        {503, "ServiceUnavailable", "Service AWSSimpleQueueService is unavailable.", probes.ErrUnreachable, "unavailable", "", false, false},
		"unknown":       {400, "SomethingNew", "What is this", probes.ErrProtocol, "SomethingNew: What is this", "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, map[string]func(call, http.ResponseWriter){"ListQueues": refuses(c.status, c.code, c.message), "ListTopics": refuses(c.status, c.code, c.message)})
			wants(t, checkOf(t, s.target("sqs")), c.kind, c.text, c.hint)
			if !c.onlyQueues {
				wants(t, checkOf(t, s.target("sns")), c.kind, c.text, c.hint)
			}
		})
	}
}

// TestDeniedListing: credentials for one queue are good ones.
func TestDeniedListing(t *testing.T) {
	t.Parallel()
	denied := refuses(403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform: sqs:getqueueattributes")
	s := newScript(t, map[string]func(call, http.ResponseWriter){"ListQueues": denied, "ListTopics": denied, "GetQueueUrl": denied})
	for _, driver := range []string{"sqs", "sns"} {
		if err := checkOf(t, s.target(driver)); err != nil {
			t.Errorf("%s: %v", driver, err)
		}
	}
	_, err := peekAt(t, s.open(t, "sqs"), probes.PeekQuery{Subject: "orders"})
	wants(t, err, probes.ErrDenied, "not authorized to perform: sqs:getqueueattributes", "a policy that allows")
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	t.Parallel()
	s := newScript(t, map[string]func(call, http.ResponseWriter){"ListQueues": first(2, refuses(400, "RequestThrottled", "Rate exceeded"), answers(map[string]any{}))})
	if err := checkOf(t, s.target("sqs")); err != nil || s.count("ListQueues") != 3 {
		t.Errorf("%v after %d requests", err, s.count("ListQueues"))
	}
}

// TestSendsOnce: a message whose fate is not known is not sent a second time.
func TestSendsOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first func(call, http.ResponseWriter)
		kind  error
		calls int
	}{
		"hung up":   {hangUp, probes.ErrUnreachable, 1},
		"broken":    {refuses(500, "InternalFailure", "oh"), probes.ErrUnreachable, 1},
		"throttled": {refuses(400, "RequestThrottled", "Rate exceeded"), nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, map[string]func(call, http.ResponseWriter){
				"GetQueueUrl": answers(map[string]string{"QueueUrl": "http://us-east-1.127.0.0.1:1/000000000000/orders"}),
				"SendMessage": first(1, c.first, answers(map[string]string{"MessageId": "m", "MD5OfMessageBody": "92eb5ffee6ae2fec3ad71c777531578f"})),
			})
			_, err := publishTo(t, s.open(t, "sqs"), probes.Record{Source: probes.Ref{Subject: "orders"}, Body: []byte("b")})
			if !errors.Is(err, c.kind) || s.count("SendMessage") != c.calls {
				t.Errorf("%v after %d requests", err, s.count("SendMessage"))
			}
		})
	}
}

func TestDamagedMessage(t *testing.T) {
	t.Parallel()
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"GetQueueUrl": answers(map[string]string{"QueueUrl": "http://x/0/orders"}),
		"SendMessage": answers(map[string]string{"MessageId": "m", "MD5OfMessageBody": "00000000000000000000000000000000"}),
	})
	_, err := publishTo(t, s.open(t, "sqs"), probes.Record{Source: probes.Ref{Subject: "orders"}, Body: []byte("b")})
	wants(t, err, probes.ErrProtocol, "damaged on the way", "")
}

// TestClockIsCorrected: the library signs again by the server's clock.
func TestClockIsCorrected(t *testing.T) {
	t.Parallel()
	ahead := time.Now().Add(3 * time.Hour).UTC()
	s := newScript(t, map[string]func(call, http.ResponseWriter){"ListQueues": func(c call, w http.ResponseWriter) {
		w.Header().Set("Date", ahead.Format(http.TimeFormat))
		if at, err := time.Parse("20060102T150405Z", c.Header.Get("X-Amz-Date")); err != nil || ahead.Sub(at) > 5*time.Minute {
			refuses(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")(c, w)
			return
		}
		answers(map[string]any{})(c, w)
	}})
	if err := checkOf(t, s.target("sqs")); err != nil || s.count("ListQueues") != 2 {
		t.Errorf("%v after %d requests", err, s.count("ListQueues"))
	}
}

func TestStrangers(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte("Bad Request"))
	}))
	defer plain.Close()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"QueueUrls":["`))
		for chunk := bytes.Repeat([]byte("a"), 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	for name, url := range map[string]string{"no AWS": plain.URL, "endless": endless.URL, "redirect": elsewhere.URL} {
		target := (&script{Server: &httptest.Server{URL: url}}).target("sqs")
		t.Run(name, func(t *testing.T) { wants(t, checkOf(t, target), probes.ErrProtocol, "", "") })
	}
}

func TestTLS(t *testing.T) {
	s := &script{}
	secure := httptest.NewTLSServer(s)
	defer secure.Close()
	clear := newScript(t, nil)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	must(t, 0, os.WriteFile(authority, pemOf(secure), 0o600))
	target := func(address string, tls probes.TLS) probes.Target {
		p := clear.target("sqs")
		p.Address, p.TLS = address, tls
		return p
	}
	host := strings.TrimPrefix(secure.URL, "https://")
	if err := checkOf(t, target(host, probes.TLS{Enabled: true, CAFile: authority})); err != nil {
		t.Error(err)
	}
	wants(t, checkOf(t, target(host, probes.TLS{Enabled: true})), probes.ErrTLS, "", "tls.ca")
	// A TLS server explains itself and hangs up; which of both comes first is a
	// matter of luck.
	err := checkOf(t, target(host, probes.TLS{}))
	if !errors.Is(err, probes.ErrTLS) && !errors.Is(err, probes.ErrUnreachable) || !strings.Contains(probes.HintOf(err), "+tls") {
		t.Errorf("%v; hint %q", err, probes.HintOf(err))
	}
	wants(t, checkOf(t, target(strings.TrimPrefix(clear.URL, "http://"), probes.TLS{Enabled: true})), probes.ErrTLS, "", "without +tls")
	t.Setenv("AWS_CA_BUNDLE", authority)
	if err := checkOf(t, target(host, probes.TLS{Enabled: true})); err != nil {
		t.Errorf("AWS_CA_BUNDLE: %v", err)
	}
}

// TestChain gets credentials where AWS's own tools get them.
func TestChain(t *testing.T) {
	var signer string
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"ListQueues": func(c call, w http.ResponseWriter) {
			_, after, _ := strings.Cut(c.Header.Get("Authorization"), "Credential=")
			signer = strings.Join(strings.Split(after, "/")[:3:3], "/")
			signer = signer[:strings.Index(signer, "/")] + " " + strings.Split(after, "/")[2]
			answers(map[string]any{})(c, w)
		},
		"AssumeRole": func(c call, w http.ResponseWriter) {
			w.Write([]byte(`<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>OFROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>` +
				`<SessionToken>t</SessionToken><Expiration>` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`))
		},
	})
	dir := t.TempDir()
	must(t, 0, os.WriteFile(filepath.Join(dir, "config"), []byte("[default]\nregion = eu-north-1\n[profile prod]\nregion = eu-central-1\n[profile other]\n"), 0o600))
	must(t, 0, os.WriteFile(filepath.Join(dir, "credentials"), []byte("[prod]\naws_access_key_id = OFPROFILE\naws_secret_access_key = secret-never-shown\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	metadata := newScript(t, nil)
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	target := func(options map[string]string) probes.Target {
		p := s.target("sqs")
		p.Auth, p.Options, p.Timeout = probes.Auth{}, options, 5*time.Second
		return p
	}
	ok := func(want string, p probes.Target) {
		t.Helper()
		if err := checkOf(t, p); err != nil || signer != want {
			t.Errorf("signed by %q, want %q: %v", signer, want, err)
		}
	}
	ok("OFPROFILE eu-central-1", target(map[string]string{optProfile: "prod"}))
	ok("OFPROFILE us-west-2", target(map[string]string{optProfile: "prod", optRegion: "us-west-2"}))
	ok("OFROLE eu-central-1", target(map[string]string{optProfile: "prod", optRole: "arn:aws:iam::123456789012:role/reader"}))
	wants(t, checkOf(t, target(map[string]string{optProfile: "prdo"})), probes.ErrUsage, `no profile "prdo"`, "list-profiles")
	wants(t, checkOf(t, target(nil)), probes.ErrAuth, "there are no credentials", "imds: true")
	if n := len(metadata.ops()); n > 0 {
		t.Errorf("instance metadata was asked %d times", n)
	}
	_ = checkOf(t, target(map[string]string{optIMDS: "true"}))
	if len(metadata.ops()) == 0 {
		t.Error("instance metadata was not asked")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "OFENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-never-shown")
	ok("OFENV eu-north-1", target(nil))
	s.on["ListQueues"] = refuses(403, "InvalidClientTokenId", "invalid")
	wants(t, checkOf(t, target(nil)), probes.ErrAuth, "invalid", "from the environment (AWS_ACCESS_KEY_ID)")
	s.on["AssumeRole"] = refuses(403, "AccessDenied", "not authorized to perform: sts:AssumeRole")
	wants(t, checkOf(t, target(map[string]string{optRole: "arn:aws:iam::123456789012:role/reader"})), probes.ErrDenied, "sts:AssumeRole", "cannot be assumed")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "none"))
	p := target(nil)
	p.Address = regionOfChain
	wants(t, checkOf(t, p), probes.ErrUsage, "names a region", "AWS_REGION")
}

func TestUnknownRegion(t *testing.T) {
	t.Parallel()
	p := newScript(t, nil).target("sqs")
	// A name that no resolver has: it ends in .invalid (RFC 2606).
	p.Address, p.Options[optRegion] = "queues.invalid:80", "us-east-1"
	wants(t, checkOf(t, p), probes.ErrUnreachable, "", "endpoint's name")
	s := &session{region: "us-eats-1", keys: &keys{}}
	err := s.explain(&net.DNSError{Err: "no such host", Name: "sqs.us-eats-1.amazonaws.com", IsNotFound: true})
	var f *fault
	if !errors.As(err, &f) || !strings.Contains(f.hint, `is "us-eats-1" a region`) {
		t.Errorf("%v %+v", err, f)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for _, d := range []probes.Driver{SQS(), SNS()} {
		conn, err := probes.Open(context.Background(), []probes.Driver{d}, newScript(t, nil).target(d.Name))
		must(t, 0, err)
		must(t, 0, conn.Close())
		wants(t, conn.Check(within(t)), probes.ErrUsage, "closed", "")
	}
}
