package aws

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

// receive asks for up to n messages, hidden for that long, and waits for the first
// up to wait. To wait at all, a second at least, makes SQS ask all its hosts
// instead of some.
func receive(ctx context.Context, p *probe, url string, n int, hidden, wait time.Duration) ([]types.Message, error) {
	in := &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: int32(n),
		VisibilityTimeout: int32(hidden / time.Second), WaitTimeSeconds: int32(wait / time.Second),
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}}
	options := []func(*sqs.Options){oncePerQueue}
	if hidden == 0 {
		options = append(options, stayVisible)
	}
	return ask(ctx, p, wait, func(ctx context.Context, s *session) ([]types.Message, error) {
		out, err := s.sqs.ReceiveMessage(ctx, in, options...)
		if err != nil {
			return nil, err
		}
		return out.Messages, nil
	})
}

// batches calls do for up to ten receipts at a time and joins the errors.
func batches(receipts []string, do func([]string) error) error {
	var errs []error
	for len(receipts) > 0 {
		n := min(perCall, len(receipts))
		errs = append(errs, do(receipts[:n]))
		receipts = receipts[n:]
	}
	return errors.Join(errs...)
}

// release makes messages visible again.
func release(ctx context.Context, p *probe, url string, receipts []string) error {
	return batches(receipts, func(some []string) error {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url}
		for i := range some {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: sdk.String(strconv.Itoa(i)), ReceiptHandle: &some[i], VisibilityTimeout: 0})
		}
		out, err := ask(ctx, p, 0, func(ctx context.Context, s *session) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
			return s.sqs.ChangeMessageVisibilityBatch(ctx, in)
		})
		if err != nil {
			return err
		}
		// A message that is not in flight any more is back already.
		return failed(out.Failed, "MessageNotInflight")
	})
}

// remove deletes messages.
func remove(ctx context.Context, p *probe, url string, receipts []string) error {
	return batches(receipts, func(some []string) error {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: &url}
		for i := range some {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: sdk.String(strconv.Itoa(i)), ReceiptHandle: &some[i]})
		}
		out, err := ask(ctx, p, 0, func(ctx context.Context, s *session) (*sqs.DeleteMessageBatchOutput, error) {
			return s.sqs.DeleteMessageBatch(ctx, in)
		})
		if err != nil {
			return err
		}
		return failed(out.Failed, "")
	})
}

// failed is the first of a batch's failures that does not have the code allowed.
func failed(list []types.BatchResultErrorEntry, allowed string) error {
	for _, f := range list {
		code := shortCode(sdk.ToString(f.Code))
		if code == allowed || allowed != "" && code == "InvalidParameterValue" {
			continue
		}
		hint, kind := classify(code, sdk.ToString(f.Message))
		if kind == nil {
			kind = probes.ErrProtocol
		}
		return &fault{kind: kind, hint: hint, err: fmt.Errorf("%d of the batch failed, the first with %s: %s", len(list), code, plain(sdk.ToString(f.Message)))}
	}
	return nil
}
