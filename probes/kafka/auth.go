package kafka

import (
	"context"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"

	"iscope/probes"
)

// mechanism picks the SASL mechanism that a target's credentials ask for; nil
// means no authentication.
func mechanism(a probes.Auth) (sasl.Mechanism, error) {
	name := strings.ToLower(a.Mechanism)
	if name == "" && a.Username == "" {
		return nil, nil
	}
	if a.Username == "" {
		return nil, fmt.Errorf("auth.mechanism %s needs a username", a.Mechanism)
	}
	switch name {
	case "", "plain":
		return plain.Mechanism{Username: a.Username, Password: a.Password.Reveal()}, nil
	case "scram-sha-256":
		return newScram256(a.Username, a.Password.Reveal()), nil
	case "scram-sha-512":
		return newScram512(a.Username, a.Password.Reveal()), nil
	}
	return nil, fmt.Errorf("auth.mechanism %q is none of plain, scram-sha-256, scram-sha-512", a.Mechanism)
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
	session, out, err := m.Start(ctx)
	if err != nil {
		return &fault{kind: probes.ErrAuth, err: fmt.Errorf("starting SASL %s: %w", m.Name(), err)}
	}
	for done := false; !done; {
		res, err := l.call(ctx, &saslauthenticate.Request{AuthBytes: out})
		if isGone(err) {
			// Brokers before KIP-152 hang up on bad credentials.
			return &fault{kind: probes.ErrAuth, err: fmt.Errorf("the broker hung up on SASL %s: %w", m.Name(), err), hint: hintCredentials}
		}
		if err != nil {
			return err
		}
		answer := res.(*saslauthenticate.Response)
		if answer.ErrorCode != 0 {
			return &fault{kind: probes.ErrAuth, err: brokerError(answer.ErrorCode, answer.ErrorMessage), hint: hintCredentials}
		}
		if done, out, err = session.Next(ctx, answer.AuthBytes); err != nil {
			return &fault{kind: probes.ErrAuth, err: fmt.Errorf("SASL %s: %w", m.Name(), err), hint: hintCredentials}
		}
	}
	return nil
}

const hintCredentials = "check auth.username, auth.password and auth.mechanism of the target"

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
