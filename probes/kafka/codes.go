package kafka

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// brokerCode is an error code of the protocol
// (https://kafka.apache.org/protocol#protocol_error_codes). The codes' names and
// which of them are passing are franz-go's: kafka-go has them in its root
// package, which links 30 more messages than are used here, each built by
// reflection whenever the program starts.
type brokerCode int16

// The codes that this package decides by.
const (
	offsetOutOfRange             brokerCode = 1
	unknownTopicOrPartition      brokerCode = 3
	leaderNotAvailable           brokerCode = 5
	notLeaderForPartition        brokerCode = 6
	requestTimedOut              brokerCode = 7
	brokerNotAvailable           brokerCode = 8
	replicaNotAvailable          brokerCode = 9
	messageTooLarge              brokerCode = 10
	invalidTopic                 brokerCode = 17
	recordListTooLarge           brokerCode = 18
	notEnoughReplicas            brokerCode = 19
	notEnoughReplicasAfterAppend brokerCode = 20
	invalidGroupID               brokerCode = 24
	topicAuthorizationFailed     brokerCode = 29
	groupAuthorizationFailed     brokerCode = 30
	clusterAuthorizationFailed   brokerCode = 31
	invalidTimestamp             brokerCode = 32
	unsupportedSASLMechanism     brokerCode = 33
	illegalSASLState             brokerCode = 34
	unsupportedVersion           brokerCode = 35
	policyViolation              brokerCode = 44
	transactionalIDDenied        brokerCode = 53
	saslAuthenticationFailed     brokerCode = 58
	delegationTokenDenied        brokerCode = 65
	groupIDNotFound              brokerCode = 69
	fencedLeaderEpoch            brokerCode = 74
	invalidRecord                brokerCode = 87
	unknownTopicID               brokerCode = 100
)

// known is what is known of a code, nil if it is newer than this program.
func (c brokerCode) known() *kerr.Error {
	e := kerr.TypedErrorForCode(int16(c))
	if e == nil || e.Code != int16(c) {
		return nil
	}
	return e
}

// name is the code in words: "unknown topic or partition".
func (c brokerCode) name() string {
	if e := c.known(); e != nil {
		return strings.ToLower(strings.ReplaceAll(e.Message, "_", " "))
	}
	return fmt.Sprintf("error code %d", int16(c))
}

func (c brokerCode) Error() string { return c.name() }

// passing reports whether the protocol says that trying again may help.
func (c brokerCode) passing() bool {
	e := c.known()
	return e != nil && e.Retriable
}
