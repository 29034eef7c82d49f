package aws

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"us-east-1": "us-east-1 ", "default": " ", "127.0.0.1:4566": " http://127.0.0.1:4566", "localhost": " http://localhost",
		"https://sqs.example": " https://sqs.example", "sqs.example": " http://sqs.example",
	} {
		s, err := readSettings(&probes.Target{Address: address}, sharedOptions())
		if err != nil || s.region+" "+s.endpoint != want {
			t.Errorf("%s: %+v %v", address, s, err)
		}
	}
	auth := probes.Auth{Username: "k", Password: probes.NewSecret("never-shown")}
	for want, target := range map[string]probes.Target{
		"neither a region":     {Address: "US East"},
		"no endpoint":          {Address: "http://h/path"},
		"endpoint is given":    {Address: "h:1", Options: map[string]string{optEndpoint: "http://g:1"}},
		"region is given":      {Address: "us-east-1", Options: map[string]string{optRegion: "us-east-2"}},
		"unknown option":       {Address: "us-east-1", Options: map[string]string{"regoin": "x"}},
		"neither true":         {Address: "us-east-1", Options: map[string]string{optIMDS: "maybe"}},
		"no username":          {Address: "us-east-1", Auth: probes.Auth{Password: probes.NewSecret("never-shown")}},
		"no password":          {Address: "us-east-1", Auth: probes.Auth{Username: "k"}},
		"both auth and":        {Address: "us-east-1", Auth: auth, Options: map[string]string{optProfile: "p"}},
		"auth.mechanism":       {Address: "us-east-1", Auth: probes.Auth{Mechanism: "basic", Username: "k"}},
		"reading the CA":       {Address: "us-east-1", TLS: probes.TLS{Enabled: true, CAFile: "no-such-file"}},
		"option region: \"a b": {Address: "h:1", Options: map[string]string{optRegion: "a b"}},
	} {
		target.Name = "t"
		_, err := probes.Open(t.Context(), []probes.Driver{SQS()}, func() probes.Target { target.Driver = "sqs"; return target }())
		wants(t, err, probes.ErrUsage, want, "")
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	target, subject, err := probes.ParseURL([]probes.Driver{SQS(), SNS()}, "sns://us-east-1/orders.fifo?profile=prod&tap=true")
	if err != nil || target.Driver != "sns" || subject != "orders.fifo" || target.Address != "us-east-1" {
		t.Fatal(target, subject, err)
	}
	if d := cmp.Diff(map[string]string{optProfile: "prod", optTap: "true"}, target.Options); d != "" {
		t.Error(d)
	}
	if u, err := url.Parse(nameOfURL("https://sqs.us-east-1.amazonaws.com/123456789012/orders")); err != nil || u.Path != "orders" {
		t.Error(u, err)
	}
}

func TestWhereItConnects(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_SNS", "https://sns.test/x")
	for url, want := range map[string]string{
		"sqs://eu-west-1": "sqs.eu-west-1.amazonaws.com:443", "sqs://cn-north-1": "sqs.cn-north-1.amazonaws.com.cn:443",
		"sqs://127.0.0.1:9324": "127.0.0.1:9324", "sqs+tls://queues.test:8443": "queues.test:8443", "sns://eu-west-1": "sns.test:443",
	} {
		target, _, err := probes.ParseURL([]probes.Driver{SQS(), SNS()}, url)
		must(t, 0, err)
		conn, err := probes.Open(t.Context(), []probes.Driver{SQS(), SNS()}, target)
		must(t, 0, err)
		got, err := conn.Addresses(t.Context())
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v %v", url, got, err)
		}
		conn.Close()
	}
	for _, bad := range []string{"sns.test:1", "http://me:never-shown@%zz"} {
		t.Setenv("AWS_ENDPOINT_URL_SNS", bad)
		target := probes.Target{Name: "x", Driver: "sns", Address: "eu-west-1"}
		conn := openTarget(t, target)
		_, err := conn.Addresses(t.Context())
		if err == nil || strings.Contains(err.Error(), "never-shown") {
			t.Errorf("%s: %v", bad, err)
		}
		wants(t, conn.Check(within(t)), probes.ErrUsage, "is no URL", "AWS_ENDPOINT_URL")
	}
}

func TestSenders(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{
		``:                 "",
		`{"Statement":[]}`: "",
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}}`:                                                                                                                                        "*",
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["2","1"]},"Action":["SQS:*"]}]}`:                                                                                                                                "1, 2",
		`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:SendMessage"},{"Effect":"Allow","Principal":"*","Action":"sqs:ReceiveMessage"}]}`:                                                                      "",
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Condition":{"ArnLike":{"AWS:SourceArn":["arn:aws:sns:r:1:a","arn:aws:sns:r:1:b"]}}}]}`:                      "arn:aws:sns:r:1:a, arn:aws:sns:r:1:b",
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Condition":{"StringEquals":{"aws:SourceAccount":"1"}}}],"Id":7,"Version":"2012-10-17","What":{"is":["it"]}}`: "s3.amazonaws.com",
	} {
		if got := senderList(senders(policy)); got != want {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"orders": "", "arn:aws:sns:us-east-1:1:orders": "not of sqs", "arn:aws": "is no ARN", "arn:aws:sqs:us-west-1:1:orders": "in us-west-1"} {
		who, err := parseIdentity("sqs", text)
		if err == nil {
			err = who.elsewhere("us-east-1")
		}
		if want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for name, want := range map[string]bool{"orders-dlq": true, "dead.letters": true, "orders_DLQ.fifo": true, "deadline": false, "middle": false} {
		if isDeadLetterName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func FuzzNotification(f *testing.F) {
	f.Add(`{"Type":"Notification","MessageId":"1","Message":"m","MessageAttributes":{"a":{"Type":"Binary","Value":"!"}}}`)
	f.Add(`{"Message":null}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		r := notification(&types.Message{Body: &body}, probes.Ref{Target: "t", Subject: "s"}, 3)
		if r.Kind != probes.Message || len(r.Body) > 3 || r.Cut < 0 {
			t.Errorf("%+v", r)
		}
		senders(body)
		readRedrive(body)
	})
}
