package kafka

import "testing"

func TestBrokerCodes(t *testing.T) {
	for code, want := range map[brokerCode]string{
		offsetOutOfRange: "offset out of range", unknownTopicOrPartition: "unknown topic or partition",
		messageTooLarge: "message too large", policyViolation: "policy violation", unknownTopicID: "unknown topic id",
		delegationTokenDenied: "delegation token authorization failed", -1: "unknown server error", 9999: "error code 9999",
	} {
		if got := code.name(); got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
	for code, want := range map[brokerCode]bool{
		notLeaderForPartition: true, leaderNotAvailable: true, fencedLeaderEpoch: true, unknownTopicOrPartition: true,
		offsetOutOfRange: false, topicAuthorizationFailed: false, 9999: false,
	} {
		if code.passing() != want {
			t.Errorf("%d is passing: %v", code, !want)
		}
	}
}
