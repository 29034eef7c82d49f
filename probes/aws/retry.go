package aws

import (
	"errors"
	"io"
	"maps"
	"net"
	"syscall"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Requests that only read are sent again where the connection went away (a kept
// one that the server has closed meanwhile) or the server failed. All others only
// where AWS says that it has not done them: it throttles, or it refuses the clock,
// which the library then corrects. What cannot be reached is not tried again here:
// whoever tails decides that.

func onlyReads() sdk.Retryer {
	return retryer(retry.IsErrorRetryableFunc(lostConnection), retry.RetryableHTTPStatusCode{Codes: retry.DefaultRetryableHTTPStatusCodes})
}

// oncePerQueue and oncePerTopic are for requests that are not idempotent.
func oncePerQueue(o *sqs.Options) { o.Retryer = retryer() }
func oncePerTopic(o *sns.Options) { o.Retryer = retryer() }

func retryer(also ...retry.IsErrorRetryable) sdk.Retryer {
	codes := maps.Clone(retry.DefaultThrottleErrorCodes)
	for _, code := range throttleCodes() {
		codes[code] = struct{}{}
	}
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = 3, 2*time.Second
		o.Retryables = append([]retry.IsErrorRetryable{retry.NoRetryCanceledError{}, retry.RetryableError{}, retry.RetryableErrorCode{Codes: codes}}, also...)
	})
}

func lostConnection(err error) sdk.Ternary {
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, lost) {
			return sdk.TrueTernary
		}
	}
	return sdk.UnknownTernary
}
