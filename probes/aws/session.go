package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	endpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/logging"

	"iscope/probes"
)

// fallbackRegion is what requests to an endpoint are signed for where nothing
// names a region. Emulators take any.
const fallbackRegion = "us-east-1"

// session is the clients of one target.
type session struct {
	sqs    *sqs.Client
	sns    *sns.Client
	region string
	// where is the endpoint of the target's own service, "" if it is AWS's.
	where    string
	endpoint *url.URL // of the target's own service
	keys     *keys
	http     *http.Transport
}

func newSession(ctx context.Context, t *probes.Target, set *settings) (*session, error) {
	cfg, err := loadConfig(ctx, t, set)
	if err != nil {
		return nil, err
	}
	transport := newTransport(&cfg, t, set)
	cfg.HTTPClient = &http.Client{Transport: bounded{transport}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a signed request is for the one who was asked
	}}
	if cfg.Region == "" && set.endpoint != "" {
		cfg.Region = fallbackRegion
	}
	if cfg.Region == "" {
		return nil, &fault{kind: probes.ErrUsage, err: errors.New("neither the environment nor the profile names a region"),
			hint: "write the region as the address (sqs://us-east-1), or set AWS_REGION"}
	}
	if set.role != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), set.role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "iscope" })
		cfg.Credentials = sdk.NewCredentialsCache(role)
	}
	k := &keys{from: cfg.Credentials, profile: set.profile}
	cfg.Credentials = k
	s := &session{region: cfg.Region, keys: k, http: transport}
	s.sqs = sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		o.Retryer = onlyReads()
		o.BaseEndpoint = base(o.BaseEndpoint, set.sqsEndpoint, set.endpoint)
	})
	s.sns = sns.NewFromConfig(cfg, func(o *sns.Options) {
		o.Retryer = onlyReads()
		o.BaseEndpoint = base(o.BaseEndpoint, set.endpoint)
	})
	return s, s.locate(ctx, t.Driver)
}

// locate notes where requests to the target's own service go, "sqs" or "sns".
func (s *session) locate(ctx context.Context, service string) error {
	queues, topics := s.sqs.Options(), s.sns.Options()
	given := queues.BaseEndpoint
	if service == "sns" {
		given = topics.BaseEndpoint
	}
	if given != nil {
		u, err := url.Parse(*given)
		if err != nil || u.Host == "" { // not quoted: it may hold a password
			return &fault{kind: probes.ErrUsage, err: errors.New("the endpoint that the environment or the profile names is no URL"),
				hint: "write AWS_ENDPOINT_URL, or endpoint_url of the profile, as http://127.0.0.1:4566"}
		}
		s.where, s.endpoint = u.Redacted(), u
		return nil
	}
	var own endpoints.Endpoint
	var err error
	if service == "sns" {
		own, err = topics.EndpointResolverV2.ResolveEndpoint(ctx, sns.EndpointParameters{Region: &s.region})
	} else {
		own, err = queues.EndpointResolverV2.ResolveEndpoint(ctx, sqs.EndpointParameters{Region: &s.region})
	}
	if err != nil {
		return badConfig(err)
	}
	s.endpoint = &own.URI
	return nil
}

// connections kept to one host: as many as are used at once.
const connections = 16

// newTransport starts from the library's, which trusts what AWS_CA_BUNDLE names.
func newTransport(cfg *sdk.Config, t *probes.Target, set *settings) *http.Transport {
	out := &http.Transport{}
	if built, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		out = built.GetTransport()
	}
	if set.tls != nil {
		secure := set.tls.Clone()
		if bundle := out.TLSClientConfig; secure.RootCAs == nil && bundle != nil {
			secure.RootCAs = bundle.RootCAs
		}
		out.TLSClientConfig = secure
	}
	out.DialContext = (&net.Dialer{Timeout: t.RequestTimeout()}).DialContext
	out.TLSHandshakeTimeout, out.IdleConnTimeout, out.MaxIdleConnsPerHost = t.RequestTimeout(), 20*time.Second, connections
	return out
}

func loadConfig(ctx context.Context, t *probes.Target, set *settings) (sdk.Config, error) {
	metadata := imds.ClientDisabled
	if set.imds {
		metadata = imds.ClientDefaultEnableState
	}
	options := []func(*config.LoadOptions) error{
		config.WithEC2IMDSClientEnableState(metadata), config.WithLogger(logging.Nop{}), config.WithAppID("iscope"),
	}
	if set.region != "" {
		options = append(options, config.WithRegion(set.region))
	}
	if set.profile != "" {
		options = append(options, config.WithSharedConfigProfile(set.profile))
	}
	if t.Auth.Username != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(t.Auth.Username, t.Auth.Password.Reveal(), t.Auth.Token.Reveal())))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, badConfig(err)
	}
	return cfg, nil
}

func badConfig(err error) error {
	var profile config.SharedConfigProfileNotExistError
	if errors.As(err, &profile) {
		return &fault{kind: probes.ErrUsage, err: fmt.Errorf("there is no profile %q", profile.Profile),
			hint: "profiles are listed by: aws configure list-profiles"}
	}
	return &fault{kind: probes.ErrUsage, err: fmt.Errorf("reading AWS's configuration: %w", err)}
}

// base is the first of the target's endpoints that is set, else what the
// environment and the profile say (AWS_ENDPOINT_URL).
func base(environment *string, endpoints ...string) *string {
	for _, e := range endpoints {
		if e != "" {
			return &e
		}
	}
	return environment
}

func (s *session) close() { s.http.CloseIdleConnections() }

// maxAnswer bounds an answer: ten messages of 1 MiB, escaped, and some.
const maxAnswer = 64 << 20

var errTooLong = errors.New("the answer is longer than any of AWS's")

// bounded refuses to read answers without end.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
	return resp, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
