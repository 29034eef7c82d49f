package aws

import (
	"errors"
	"slices"
	"strings"

	"iscope/probes"
)

// Error codes are those of
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
// and of the two services' operations, in both spellings that are in use.

func throttleCodes() []string {
	return []string{"Throttling", "ThrottlingException", "Throttled", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "KMSThrottling", "KMSThrottlingException", "KmsThrottled"}
}

// classify gives a code its kind; nil if it is none that is known.
func classify(code, text string) (hint string, kind error) {
	is := func(codes ...string) bool { return slices.Contains(codes, code) }
	switch {
	case isSkew(code, text):
		return "this machine's clock and AWS's differ by more than five minutes: set the clock", probes.ErrAuth
	case is("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"):
		return "they have expired: get new ones (aws sso login, or assume the role again)", probes.ErrAuth
	case is("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure", "InvalidToken", "InvalidSecurity",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized", "IncompleteSignature"):
		return "is the access key still active, and is it of this partition and region?", probes.ErrAuth
	case is("SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature"):
		return "the secret does not belong to the access key, or a proxy changes requests", probes.ErrAuth
	case is("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorizedException", "UnauthorizedOperation",
		"OptInRequired", "InvalidAddress.AccessDenied"):
		return "ask for a policy that allows the action named above", probes.ErrDenied
	case is("KMSAccessDenied", "KMSAccessDeniedException", "KmsAccessDenied", "KMS.AccessDeniedException"):
		return "the queue or topic is encrypted with a key whose policy does not let these credentials use it", probes.ErrDenied
	case is(throttleCodes()...):
		return "AWS throttles the account's requests; try again in some seconds", probes.ErrLimit
	case code == "OverLimit":
		return "too many messages of the queue are in flight: received and not yet deleted", probes.ErrLimit
	case is("QueueDoesNotExist", "NonExistentQueue", "NotFound", "NotFoundException", "ResourceNotFoundException", "TopicNotFound"):
		return "", probes.ErrNotFound
	case is("UnsupportedOperation", "InvalidAction", "UnknownOperationException", "UnknownOperation", "NotImplemented"):
		return "", probes.ErrUnsupported
	case strings.HasPrefix(code, "Invalid"), strings.HasPrefix(code, "Missing"), strings.HasPrefix(code, "KMS"), strings.HasPrefix(code, "Kms"),
		is("BatchRequestTooLong", "ValidationError", "ValidationException", "ParameterValueInvalid", "FilterPolicyLimitExceeded", "SubscriptionLimitExceeded",
			"ReceiptHandleIsInvalid", "MessageNotInflight", "QueueDeletedRecently", "QueueNameExists", "PurgeQueueInProgress", "MalformedQueryString"):
		return "", probes.ErrUsage
	}
	return "", nil
}

// isSkew recognises a signature that is refused for its time. Some of these come
// with the code of any wrong signature.
func isSkew(code, text string) bool {
	if code == "RequestTimeTooSkewed" || code == "RequestInTheFuture" {
		return true
	}
	signature := code == "SignatureDoesNotMatch" || code == "InvalidSignatureException"
	return signature && (strings.Contains(text, "Signature expired") || strings.Contains(text, "Signature not yet current"))
}

// mayNotList tells a service that knows the credentials, and refuses this one
// request, from credentials that could not be got.
func mayNotList(err error) bool {
	var key *keyError
	return errors.Is(err, probes.ErrDenied) && !errors.As(err, &key)
}
