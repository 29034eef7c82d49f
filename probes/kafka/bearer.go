package kafka

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/sasl"

	"iscope/probes"
)

// bearer is SASL OAUTHBEARER (RFC 7628, KIP-255): every connection presents a
// token, asked for anew.
type bearer struct {
	token      func(context.Context) (string, error)
	extensions string // as they go over the wire
	advice     string
}

var _ sasl.Mechanism = (*bearer)(nil)

func newBearer(t *probes.Target) (*bearer, error) {
	ext, err := parseExtensions(t.Options[optExtensions])
	if err != nil {
		return nil, err
	}
	m := &bearer{extensions: ext}
	endpoint, file := t.Options[optTokenEndpoint], t.Options[optTokenFile]
	switch {
	case endpoint != "":
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("option %s is no URL", optTokenEndpoint)
		}
		if t.Auth.Username == "" || t.Auth.Password.IsZero() {
			return nil, fmt.Errorf("option %s needs auth.username and auth.password: the client's id and secret", optTokenEndpoint)
		}
		grant := &tokenGrant{endpoint: endpoint, id: t.Auth.Username, secret: t.Auth.Password, scope: t.Options[optTokenScope]}
		m.token, m.advice = grant.get, "the endpoint gave a token that the broker does not accept: check option "+optTokenScope+" and the broker's expected issuer and audience"
	case file != "":
		m.token, m.advice = func(context.Context) (string, error) { return tokenIn(file) }, "the token in "+file+" may have expired"
	case !t.Auth.Token.IsZero():
		m.token, m.advice = func(context.Context) (string, error) { return t.Auth.Token.Reveal(), nil }, "auth.token may have expired; option "+optTokenFile+" is read for every connection"
	default:
		return nil, fmt.Errorf("auth.mechanism oauthbearer needs auth.token, or option %s or %s", optTokenFile, optTokenEndpoint)
	}
	return m, nil
}

// parseExtensions turns "a=b,c=d" into what goes over the wire.
func parseExtensions(s string) (string, error) {
	var b strings.Builder
	for pair := range strings.SplitSeq(s, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" || name == "auth" || strings.ContainsAny(name+value, "\x00\x01") {
			return "", fmt.Errorf("option %s: %q is no name=value", optExtensions, pair)
		}
		b.WriteString(name + "=" + value + "\x01")
	}
	return b.String(), nil
}

func tokenIn(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", &fault{kind: probes.ErrUsage, err: fmt.Errorf("reading the token: %w", err), hint: "option " + optTokenFile + " names the file"}
	}
	return strings.TrimSpace(string(b)), nil
}

// Name is the mechanism's registered name.
func (*bearer) Name() string { return "OAUTHBEARER" }

// Start presents the token.
func (m *bearer) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	token, err := m.token(ctx)
	if err != nil {
		return nil, nil, err
	}
	if token == "" || strings.ContainsAny(token, "\x00\x01\r\n") {
		return nil, nil, errors.New("the token is empty or holds control characters")
	}
	return &bearerExchange{}, []byte("n,,\x01auth=Bearer " + token + "\x01" + m.extensions + "\x01"), nil
}

func (m *bearer) refused() string { return m.advice }

// bearerExchange is over after the broker's answer: an empty one is consent, any
// other says why not, and has to be acknowledged before the refusal comes.
type bearerExchange struct{ why string }

// Next reads the broker's answer.
func (e *bearerExchange) Next(_ context.Context, challenge []byte) (bool, []byte, error) {
	switch {
	case e.why != "":
		return false, nil, errors.New(e.why)
	case len(challenge) == 0:
		return true, nil, nil
	}
	var answer map[string]any
	e.why = "the broker refuses the token"
	if json.Unmarshal(challenge, &answer) == nil {
		for _, k := range slices.Sorted(maps.Keys(answer)) {
			e.why += fmt.Sprintf(", %s: %v", k, answer[k])
		}
	}
	return false, []byte{1}, nil
}

// tokenGrant asks an authorization server for tokens (OAuth 2.0 client
// credentials, RFC 6749 section 4.4), and keeps one while it is good.
type tokenGrant struct {
	endpoint, id, scope string
	secret              probes.Secret

	mu    sync.Mutex
	token string
	until time.Time
}

// get returns a token that is good for a while yet.
func (g *tokenGrant) get(ctx context.Context) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token != "" && time.Now().Before(g.until) {
		return g.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if g.scope != "" {
		form.Set("scope", g.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.SetBasicAuth(url.QueryEscape(g.id), url.QueryEscape(g.secret.Reveal()))
	// Asked once an hour or so: no connection is worth keeping.
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		err = withoutURL(err)
		return "", &fault{kind: cmp.Or(probes.KindOfCause(err), probes.ErrUnreachable), err: fmt.Errorf("asking %s for a token: %w", g.host(), err),
			hint: "that is the address of option " + optTokenEndpoint}
	}
	defer res.Body.Close()
	return g.read(res)
}

// maxTokenAnswer is far above any token that fits a SASL frame.
const maxTokenAnswer = 1 << 20

func (g *tokenGrant) read(res *http.Response) (string, error) {
	var answer struct {
		Token       string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
		Error       string  `json:"error"`
		Description string  `json:"error_description"`
	}
	err := json.NewDecoder(io.LimitReader(res.Body, maxTokenAnswer)).Decode(&answer)
	switch {
	case res.StatusCode >= 500:
		return "", &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("asking %s for a token: it answers %s", g.host(), res.Status)}
	case res.StatusCode != http.StatusOK:
		return "", &fault{kind: probes.ErrAuth, err: fmt.Errorf("asking %s for a token: it answers %s %s", g.host(), res.Status, strings.TrimSpace(answer.Error+" "+answer.Description)),
			hint: "check auth.username, auth.password and option " + optTokenScope}
	case err != nil || answer.Token == "":
		return "", &fault{kind: probes.ErrProtocol, err: fmt.Errorf("asking %s for a token: its answer holds none", g.host())}
	}
	g.token = answer.Token
	g.until = time.Now().Add(time.Duration(answer.ExpiresIn * 0.8 * float64(time.Second)))
	return g.token, nil
}

func (g *tokenGrant) host() string {
	u, err := url.Parse(g.endpoint)
	if err != nil {
		return "the token endpoint"
	}
	return u.Host
}

// withoutURL drops the URL that net/http puts into errors: it may hold a secret.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
