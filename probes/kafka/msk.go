package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/segmentio/kafka-go/sasl"

	"iscope/probes"
)

// msk is SASL AWS_MSK_IAM, by which Amazon MSK authenticates with IAM: the client
// sends a presigned request as JSON
// (https://github.com/aws/aws-msk-iam-auth#details).
type msk struct {
	region  string // "" is the one in the broker's name
	profile string
	static  aws.CredentialsProvider // nil: the standard sources
	now     func() time.Time

	mu     sync.Mutex
	loaded *aws.Config
}

var _ sasl.Mechanism = (*msk)(nil)

func newMSK(t *probes.Target) (*msk, error) {
	m := &msk{region: t.Options[optRegion], profile: t.Options[optProfile], now: time.Now}
	a := t.Auth
	if (a.Username == "") != a.Password.IsZero() {
		return nil, errors.New("auth.mechanism aws-msk-iam takes an access key's id as auth.username and its secret as auth.password, or neither")
	}
	if a.Username != "" {
		m.static = credentials.NewStaticCredentialsProvider(a.Username, a.Password.Reveal(), a.Token.Reveal())
	}
	return m, nil
}

// Name is the mechanism's name at MSK.
func (*msk) Name() string { return "AWS_MSK_IAM" }

func (*msk) refused() string {
	return "check that the identity may kafka-cluster:Connect to this cluster, the region, and this machine's clock"
}

const (
	mskVersion = "2020_10_22"
	mskService = "kafka-cluster"
	mskAction  = "kafka-cluster:Connect"
	mskExpires = "900" // seconds that a signature may be old
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Start signs the one message that the client sends.
func (m *msk) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	host := sasl.MetadataFromContext(ctx).Host
	creds, region, err := m.identity(ctx, host)
	if err != nil {
		return nil, nil, err
	}
	query := url.Values{"Action": {mskAction}, "X-Amz-Expires": {mskExpires}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "kafka://"+host+"/?"+query.Encode(), nil)
	if err != nil {
		return nil, nil, err
	}
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, creds, req, emptyHash, mskService, region, m.now().UTC())
	if err != nil {
		return nil, nil, err
	}
	u, err := url.Parse(signed)
	if err != nil {
		return nil, nil, errors.New("the signer returned no URL")
	}
	message := map[string]string{"version": mskVersion, "host": host, "user-agent": clientID}
	for name, values := range u.Query() {
		message[strings.ToLower(name)] = values[0]
	}
	out, err := json.Marshal(message)
	return mskExchange{}, out, err
}

// inHost finds the region in names such as b-1.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com.
var inHost = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)
})

// identity finds credentials and region. The standard sources are asked at the
// first connection, and again when what they gave has expired.
func (m *msk) identity(ctx context.Context, host string) (creds aws.Credentials, region string, err error) {
	region = m.region
	if found := inHost().FindStringSubmatch(host); region == "" && found != nil {
		region = found[1]
	}
	provider := m.static
	if provider == nil || region == "" {
		loaded, err := m.load(ctx)
		if err != nil {
			return creds, "", &fault{kind: probes.ErrUsage, err: fmt.Errorf("reading the AWS configuration: %w", err), hint: "check option " + optProfile}
		}
		if region == "" {
			region = loaded.Region
		}
		if provider == nil {
			provider = loaded.Credentials
		}
	}
	if region == "" {
		return creds, "", &fault{kind: probes.ErrUsage, err: fmt.Errorf("no AWS region: the broker's name %s holds none", host),
			hint: "set option " + optRegion + " or AWS_REGION"}
	}
	if creds, err = provider.Retrieve(ctx); err != nil {
		return creds, "", &fault{kind: probes.ErrAuth, err: fmt.Errorf("finding AWS credentials: %w", err),
			hint: "set auth.username and auth.password to an access key, or AWS_PROFILE, or log in with aws sso login"}
	}
	return creds, region, nil
}

func (m *msk) load(ctx context.Context) (*aws.Config, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.loaded != nil {
		return m.loaded, nil
	}
	var opts []func(*config.LoadOptions) error
	if m.profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(m.profile))
	}
	c, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, err
	}
	m.loaded = &c
	return m.loaded, nil
}

// mskExchange is over with the broker's answer, a JSON document with its version.
type mskExchange struct{}

// Next checks that there is an answer: a refusal comes as an error code.
func (mskExchange) Next(_ context.Context, challenge []byte) (bool, []byte, error) {
	var answer struct{ Version string }
	if err := json.Unmarshal(challenge, &answer); err != nil || answer.Version == "" {
		return false, nil, fmt.Errorf("the broker's answer %q is not MSK's", challenge)
	}
	return true, nil, nil
}
