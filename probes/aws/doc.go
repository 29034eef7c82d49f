// Package aws watches SQS queues (driver "sqs") and SNS topics (driver "sns").
//
// What can be looked at without effect, and what cannot:
//
//   - An SNS topic is tailed through an own queue that is subscribed to it, named
//     iscope-tap-…, tagged with its owner and an expiry (tap.go). Both are removed
//     when the tail ends. What a killed process leaves is removed by the next start
//     on the same machine, known by a locked file (state.go), or by any start when
//     the tag has expired (sweep.go).
//   - An SQS queue cannot be tailed: whoever receives a message hides it from its
//     consumer and uses up one of its receives. Peeking does that on purpose, once
//     per message, with the room that is left checked first (peek.go).
//
// The tap takes SNS's own envelope, not raw delivery: SNS discards a message with
// more than ten attributes where delivery is raw, and raw delivery loses subject
// and time of a message
// (https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html).
//
// Requests go through aws-sdk-go-v2 with one rule of our own: what is not
// idempotent (send, receive) is only sent again when AWS says that it has not done
// it (retry.go).
package aws
