package aws

import (
	"strconv"

	"iscope/probes"
)

// Attributes of records, nodes and edges. Those that OpenTelemetry knows have its
// names (https://opentelemetry.io/docs/specs/semconv/registry/attributes/aws/).
const (
	attrQueueURL = "aws.sqs.queue.url"
	attrTopicARN = "aws.sns.topic.arn"
	attrQueueARN = "aws.sqs.queue.arn"

	attrReceives     = "aws.sqs.receive_count" // how often it was received, this time included
	attrFirstReceive = "aws.sqs.first_received"
	attrDedup        = "aws.deduplication_id"
	attrSequence     = "aws.sequence_number"
	attrSender       = "aws.sqs.sender_id"
	attrTrace        = "aws.trace_header" // X-Ray
	attrSubject      = "aws.sns.subject"

	attrVisible     = "aws.sqs.visible"
	attrInFlight    = "aws.sqs.in_flight"
	attrDelayed     = "aws.sqs.delayed"
	attrOldest      = "aws.sqs.oldest_age"
	attrFIFO        = "aws.fifo"
	attrEncryption  = "aws.encryption"              // "sqs", a KMS key; absent: none
	attrRetention   = "aws.sqs.retention"           // seconds
	attrVisibility  = "aws.sqs.visibility_timeout"  // seconds
	attrMaxSize     = "aws.sqs.max_message_size"    // bytes
	attrMaxReceives = "aws.sqs.max_receive_count"   // receives before a message is a dead letter
	attrDeadTo      = "aws.sqs.dead_letter_queue"   // ARN
	attrAllowed     = "aws.policy.senders"          // who may send, comma separated
	attrCreated     = "aws.created"                 // RFC 3339
	attrTag         = "aws.tag."                    // prefix
	attrRelation    = "aws.relation"                // "dead-letter", "may send", "subscription"
	attrConfirmed   = "aws.sns.subscriptions"       // confirmed ones
	attrPending     = "aws.sns.pending"             // subscriptions that wait for confirmation
	attrDisplay     = "aws.sns.display_name"        //
	attrProtocol    = "aws.sns.protocol"            // of a subscription: "sqs", "lambda", "https"
	attrSubARN      = "aws.sns.subscription.arn"    //
	attrFilter      = "aws.sns.filter_policy"       // JSON
	attrFilterScope = "aws.sns.filter_policy_scope" // "MessageAttributes", "MessageBody"
	attrRaw         = "aws.sns.raw_delivery"        //
	attrAccount     = "aws.account"
	attrRegion      = "aws.region"
)

// facts collects attributes, leaving out what is unknown.
type facts []probes.Attr

func (f *facts) add(name, value string) {
	if value != "" {
		*f = append(*f, probes.Attr{Name: name, Value: value})
	}
}

func (f *facts) count(name string, n int64) { f.add(name, strconv.FormatInt(n, 10)) }
