package kafka

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
)

// scram is SASL SCRAM (RFC 5802) without channel binding, as Kafka speaks it:
// user name and password go in as UTF-8, without SASLprep.
type scram struct {
	name           string
	hash           func() hash.Hash
	user, password string
	nonce          func() string // ours; replaced in tests by the RFC's
}

var _ sasl.Mechanism = (*scram)(nil)

func newScram256(user, password string) *scram {
	return &scram{name: "SCRAM-SHA-256", hash: sha256.New, user: user, password: password, nonce: rand.Text}
}

func newScram512(user, password string) *scram {
	return &scram{name: "SCRAM-SHA-512", hash: sha512.New, user: user, password: password, nonce: rand.Text}
}

// Name is the mechanism's registered name.
func (s *scram) Name() string { return s.name }

// Start returns the client-first-message.
func (s *scram) Start(context.Context) (sasl.StateMachine, []byte, error) {
	c := &scramExchange{scram: s, nonce: s.nonce()}
	c.first = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.user) + ",r=" + c.nonce
	return c, []byte("n,," + c.first), nil
}

// maxIterations bounds the work a server can make us do; Kafka's own limit for
// stored credentials is 16384.
const maxIterations = 1 << 20

type scramExchange struct {
	*scram
	nonce, first string
	signature    []byte // what the server has to prove; nil until we proved ours
}

// Next answers the server-first-message and checks the server-final-message.
func (c *scramExchange) Next(_ context.Context, challenge []byte) (bool, []byte, error) {
	if c.signature != nil {
		return true, nil, c.verify(challenge)
	}
	final, err := c.prove(string(challenge))
	return false, final, err
}

func (c *scramExchange) prove(challenge string) ([]byte, error) {
	f := scramFields(challenge)
	salt, err := base64.StdEncoding.DecodeString(f['s'])
	if err != nil || len(salt) == 0 {
		return nil, errors.New("the server sent no readable salt")
	}
	rounds, err := strconv.Atoi(f['i'])
	if err != nil || rounds < 1 || rounds > maxIterations {
		return nil, fmt.Errorf("the server wants %q iterations", f['i'])
	}
	if !strings.HasPrefix(f['r'], c.nonce) || len(f['r']) == len(c.nonce) {
		return nil, errors.New("the server's nonce does not continue ours")
	}
	salted, err := pbkdf2.Key(c.hash, c.password, salt, rounds, c.hash().Size())
	if err != nil {
		return nil, err
	}
	bare := "c=biws,r=" + f['r'] // biws is "n,,": no channel binding
	message := c.first + "," + challenge + "," + bare
	clientKey := c.mac(salted, "Client Key")
	stored := c.hash()
	stored.Write(clientKey)
	proof := c.mac(stored.Sum(nil), message)
	for i := range proof {
		proof[i] ^= clientKey[i]
	}
	c.signature = c.mac(c.mac(salted, "Server Key"), message)
	return []byte(bare + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

func (c *scramExchange) verify(final []byte) error {
	f := scramFields(string(final))
	if e, ok := f['e']; ok {
		return fmt.Errorf("the server says %q", e)
	}
	got, err := base64.StdEncoding.DecodeString(f['v'])
	if err != nil || !hmac.Equal(got, c.signature) {
		return errors.New("the server could not prove that it knows the password")
	}
	return nil
}

func (c *scramExchange) mac(key []byte, s string) []byte {
	m := hmac.New(c.hash, key)
	m.Write([]byte(s))
	return m.Sum(nil)
}

// scramFields reads "r=…,s=…,i=…" into values by letter.
func scramFields(s string) map[byte]string {
	f := map[byte]string{}
	for part := range strings.SplitSeq(s, ",") {
		if len(part) >= 2 && part[1] == '=' {
			f[part[0]] = part[2:]
		}
	}
	return f
}
