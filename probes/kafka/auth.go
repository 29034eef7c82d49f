package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"

	"iscope/probes"
)

const mechanisms = "plain, scram-sha-256, scram-sha-512, oauthbearer, aws-msk-iam"

// mechanism picks the SASL mechanism that a target's credentials ask for; nil
// means no authentication.
func mechanism(t *probes.Target) (sasl.Mechanism, error) {
	a := t.Auth
	name := strings.ToLower(a.Mechanism)
	if name == "" {
		switch {
		case a.Username != "":
			name = "plain"
		case !a.Token.IsZero() || t.Options[optTokenFile] != "":
			name = "oauthbearer"
		default:
			return nil, nil
		}
	}
	switch name {
	case "oauthbearer":
		return newBearer(t)
	case "aws-msk-iam":
		return newMSK(t)
	case "plain", "scram-sha-256", "scram-sha-512":
		if a.Username == "" {
			return nil, fmt.Errorf("auth.mechanism %s needs a username", a.Mechanism)
		}
	}
	switch name {
	case "plain":
		return plain.Mechanism{Username: a.Username, Password: a.Password.Reveal()}, nil
	case "scram-sha-256":
		return newScram256(a.Username, a.Password.Reveal()), nil
	case "scram-sha-512":
		return newScram512(a.Username, a.Password.Reveal()), nil
	}
	return nil, fmt.Errorf("auth.mechanism %q is none of %s", a.Mechanism, mechanisms)
}

// authenticate runs the mechanism once. Whatever the broker refuses is final:
// offering the same credentials again would only lock the account.
func (l *link) authenticate(ctx context.Context, m sasl.Mechanism) error {
	res, err := l.call(ctx, &saslhandshake.Request{Mechanism: m.Name()})
	if err != nil {
		return fmt.Errorf("asking for SASL %s: %w", m.Name(), err)
	}
	if err := handshakeFault(m.Name(), res.(*saslhandshake.Response)); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(l.addr)
	session, out, err := m.Start(sasl.WithMetadata(ctx, &sasl.Metadata{Host: host}))
	var f *fault
	if errors.As(err, &f) {
		return err
	}
	if err != nil {
		return &fault{kind: probes.ErrAuth, err: fmt.Errorf("starting SASL %s: %w", m.Name(), err)}
	}
	for done := false; !done; {
		answer, err := l.prove(ctx, m, out)
		if err != nil {
			return err
		}
		if done, out, err = session.Next(ctx, answer.AuthBytes); err != nil {
			return &fault{kind: probes.ErrAuth, err: fmt.Errorf("SASL %s: %w", m.Name(), err), hint: refusalHint(m)}
		}
		l.endsAfter(time.Duration(answer.SessionLifetimeMs) * time.Millisecond)
	}
	return nil
}

// prove sends one step of the exchange.
func (l *link) prove(ctx context.Context, m sasl.Mechanism, out []byte) (*saslauthenticate.Response, error) {
	res, err := l.call(ctx, &saslauthenticate.Request{AuthBytes: out})
	if isGone(err) {
		// Brokers before KIP-152 hang up on bad credentials.
		return nil, &fault{kind: probes.ErrAuth, err: fmt.Errorf("the broker hung up on SASL %s: %w", m.Name(), err), hint: refusalHint(m)}
	}
	if err != nil {
		return nil, err
	}
	answer := res.(*saslauthenticate.Response)
	if answer.ErrorCode != 0 {
		return nil, &fault{kind: probes.ErrAuth, err: brokerError(answer.ErrorCode, answer.ErrorMessage), hint: refusalHint(m)}
	}
	return answer, nil
}

// endsAfter notes when the broker will end the session (KIP-368). The link is
// replaced by another before that, between two requests.
func (l *link) endsAfter(lifetime time.Duration) {
	if lifetime > 0 {
		l.until = time.Now().Add(lifetime * 9 / 10)
	}
}

// worn reports that the link should not be used for another request.
func (l *link) worn() bool { return !l.until.IsZero() && time.Now().After(l.until) }

// refusalHint says what to check after a refusal.
func refusalHint(m sasl.Mechanism) string {
	if h, ok := m.(interface{ refused() string }); ok {
		return h.refused()
	}
	return "check auth.username, auth.password and auth.mechanism of the target"
}

func handshakeFault(name string, res *saslhandshake.Response) error {
	switch res.ErrorCode {
	case 0:
		return nil
	case codeUnsupportedSASL:
		return &fault{kind: probes.ErrAuth, err: fmt.Errorf("the broker does not take SASL %s", name),
			hint: "it takes " + strings.Join(res.Mechanisms, ", ") + ": set auth.mechanism"}
	case codeIllegalSASLState:
		return &fault{kind: probes.ErrAuth, err: fmt.Errorf("this listener of the broker takes no authentication"),
			hint: "remove auth from the target, or use the port of a SASL listener"}
	}
	return &fault{kind: probes.ErrAuth, err: brokerError(res.ErrorCode, "")}
}

// wantsSASL asks a broker that hung up on us whether it expected us to
// authenticate, and how. A listener without SASL answers ILLEGAL_SASL_STATE.
func (d *dialer) wantsSASL(ctx context.Context, addr string) ([]string, bool) {
	l, err := d.reach(ctx, addr)
	if err != nil {
		return nil, false
	}
	defer l.close()
	if l.negotiate(ctx) != nil || l.versions[protocol.SaslHandshake] == 0 {
		return nil, false
	}
	res, err := l.call(ctx, &saslhandshake.Request{Mechanism: "none"})
	if err != nil {
		return nil, false
	}
	answer := res.(*saslhandshake.Response)
	return answer.Mechanisms, answer.ErrorCode == codeUnsupportedSASL
}
