package kafka

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

// signature is AWS Signature Version 4 of a presigned GET, written from its
// documentation and not from the library under test
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func signature(secret, path, host, service, region, payload string, query map[string]string) string {
	var pairs []string
	for k, v := range query {
		pairs = append(pairs, encode(k)+"="+encode(v))
	}
	slices.Sort(pairs)
	canonical := strings.Join([]string{"GET", path, strings.Join(pairs, "&"), "host:" + host, "", "host", payload}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	when := query["X-Amz-Date"]
	scope := strings.Join([]string{when[:8], region, service, "aws4_request"}, "/")
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", when, scope, hex.EncodeToString(hash[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, step := range []string{when[:8], region, service, "aws4_request", toSign} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(step))
		key = m.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// encode is AWS's UriEncode: everything but unreserved characters.
func encode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// TestVerifierAgainstThePublishedExample: the verifier of these tests has to agree
// with AWS's example of a presigned URL
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html).
func TestVerifierAgainstThePublishedExample(t *testing.T) {
	got := signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "/test.txt", "examplebucket.s3.amazonaws.com", "s3", "us-east-1", "UNSIGNED-PAYLOAD",
		map[string]string{"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
			"X-Amz-Date": "20130524T000000Z", "X-Amz-Expires": "86400", "X-Amz-SignedHeaders": "host"})
	if want := "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
}

// verifyMSK checks a client's message as MSK does and returns who it is from.
func verifyMSK(message []byte, host, region string, secrets map[string]string, now time.Time) (string, error) {
	var m map[string]string
	if err := json.Unmarshal(message, &m); err != nil {
		return "", err
	}
	names := map[string]string{"action": "Action", "x-amz-algorithm": "X-Amz-Algorithm", "x-amz-credential": "X-Amz-Credential", "x-amz-date": "X-Amz-Date",
		"x-amz-expires": "X-Amz-Expires", "x-amz-security-token": "X-Amz-Security-Token", "x-amz-signedheaders": "X-Amz-SignedHeaders"}
	query := map[string]string{}
	for k, v := range m {
		switch {
		case names[k] != "":
			query[names[k]] = v
		case k != "version" && k != "host" && k != "user-agent" && k != "x-amz-signature":
			return "", fmt.Errorf("unknown member %s", k)
		}
	}
	id, _, _ := strings.Cut(m["x-amz-credential"], "/")
	when, err := time.Parse("20060102T150405Z", m["x-amz-date"])
	switch {
	case m["version"] != "2020_10_22" || m["host"] != host || m["user-agent"] == "" || m["action"] != "kafka-cluster:Connect" || m["x-amz-signedheaders"] != "host":
		return "", fmt.Errorf("fields %v", m)
	case err != nil || now.Sub(when).Abs() > 15*time.Minute || m["x-amz-expires"] != "900":
		return "", fmt.Errorf("time %s, expires %s", m["x-amz-date"], m["x-amz-expires"])
	case m["x-amz-credential"] != id+"/"+m["x-amz-date"][:8]+"/"+region+"/kafka-cluster/aws4_request":
		return "", fmt.Errorf("credential %s", m["x-amz-credential"])
	}
	empty := sha256.Sum256(nil)
	if want := signature(secrets[id], "/", host, "kafka-cluster", region, hex.EncodeToString(empty[:]), query); m["x-amz-signature"] != want {
		return "", fmt.Errorf("signature %s, want %s", m["x-amz-signature"], want)
	}
	return id + m["x-amz-security-token"], nil
}

// mskBroker is a kfake that authenticates like MSK.
func mskBroker(t *testing.T, secrets map[string]string) (addr string, seen chan string) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	seen = make(chan string, 10)
	c.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		if r.(*kmsg.SASLHandshakeRequest).Mechanism != "AWS_MSK_IAM" {
			res.ErrorCode = 33
		}
		return res, nil, true
	})
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		res := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		id, err := verifyMSK(r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes, "127.0.0.1", "eu-central-1", secrets, time.Now())
		if err != nil {
			res.ErrorCode, res.ErrorMessage = 58, kmsg.StringPtr("Access denied: "+err.Error())
			return res, nil, true
		}
		seen <- id
		res.SASLAuthBytes = []byte(`{"version":"2020_10_22","request-id":"r-1"}`)
		return res, nil, true
	})
	return c.ListenAddrs()[0], seen
}

func TestMSK(t *testing.T) {
	secrets := map[string]string{"AKIDGIVEN": "s+cret/1", "AKIDENV": "env secret", "AKIDFILE": "file secret"}
	addr, seen := mskBroker(t, secrets)
	// The standard sources, and nothing of this machine.
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[shop]\naws_access_key_id=AKIDFILE\naws_secret_access_key=file secret\naws_session_token=tok\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	check := func(a probes.Auth, options map[string]string) error {
		a.Mechanism = "aws-msk-iam"
		return (&bed{addr: addr}).open(t, func(t *probes.Target) { t.Auth, t.Options = a, options }).Check(limit(t))
	}
	good := func(want string, a probes.Auth, options map[string]string) {
		t.Helper()
		if err := check(a, options); err != nil {
			t.Fatal(err)
		}
		if got := <-seen; got != want {
			t.Errorf("the broker saw %s, want %s", got, want)
		}
	}
	region := map[string]string{optRegion: "eu-central-1"}
	good("AKIDGIVEN", auth("", "AKIDGIVEN", "s+cret/1"), region)
	session := auth("", "AKIDGIVEN", "s+cret/1")
	session.Token = probes.NewSecret("session=/+")
	good("AKIDGIVENsession=/+", session, nil)
	good("AKIDFILEtok", probes.Auth{}, map[string]string{optProfile: "shop"})
	wantError(t, check(auth("", "AKIDGIVEN", planted), region), probes.ErrAuth, "clock")
	wantError(t, check(auth("", "AKIDGIVEN", "s+cret/1"), map[string]string{optRegion: "us-east-1"}), probes.ErrAuth, "region")
	wantError(t, check(probes.Auth{}, map[string]string{optProfile: "nobody"}), probes.ErrUsage, optProfile)
	wantError(t, check(probes.Auth{}, nil), probes.ErrAuth, "auth.username")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "env secret")
	good("AKIDENV", probes.Auth{}, nil)
	t.Setenv("AWS_REGION", "")
	wantError(t, check(probes.Auth{}, nil), probes.ErrUsage, optRegion)
}

func TestMSKRegionsInNames(t *testing.T) {
	for host, want := range map[string]string{
		"b-1.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com":        "eu-west-1",
		"boot-abc.c1.kafka-serverless.us-east-2.amazonaws.com":    "us-east-2",
		"b-2.shop.a1b2c3.c2.kafka.cn-north-1.amazonaws.com.cn":    "cn-north-1",
		"b-1-public.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com": "eu-west-1",
	} {
		m, err := newMSK(&probes.Target{Auth: auth("", "AKID", "secret")})
		if err != nil {
			t.Fatal(err)
		}
		_, first, err := m.Start(sasl.WithMetadata(limit(t), &sasl.Metadata{Host: host}))
		if err != nil {
			t.Fatal(err)
		}
		if id, err := verifyMSK(first, host, want, map[string]string{"AKID": "secret"}, time.Now()); id != "AKID" || err != nil {
			t.Errorf("%s: %s, %v", host, id, err)
		}
	}
}
