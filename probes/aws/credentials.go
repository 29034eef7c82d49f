package aws

import (
	"context"
	"strings"
	"sync/atomic"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
)

// keys remembers where credentials came from, so that an error can say whose were
// refused.
type keys struct {
	from    sdk.CredentialsProvider
	profile string
	source  atomic.Pointer[string]
}

// keyError is a failure to get credentials, as opposed to one of using them.
type keyError struct{ err error }

func (e *keyError) Error() string { return "getting credentials: " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// Retrieve is called by the library before each request is signed.
func (k *keys) Retrieve(ctx context.Context) (sdk.Credentials, error) {
	c, err := k.from.Retrieve(ctx)
	if err != nil {
		return c, &keyError{err}
	}
	k.source.Store(&c.Source)
	return c, nil
}

// words says where the credentials came from; nothing of them is in it.
func (k *keys) words() string {
	source := ""
	if s := k.source.Load(); s != nil {
		source = *s
	}
	kind, detail, _ := strings.Cut(source, ": ")
	profile := "the profile"
	if k.profile != "" {
		profile += " " + k.profile
	}
	switch kind {
	case "StaticCredentials":
		return "the target's auth"
	case "EnvConfigCredentials":
		return "the environment (AWS_ACCESS_KEY_ID)"
	case "SharedConfigCredentials":
		return profile + " in " + detail
	case "SSOProvider":
		return "the single sign-on of " + profile
	case "ProcessProvider":
		return "the process of " + profile
	case "AssumeRoleProvider":
		return "an assumed role"
	case "WebIdentityCredentials":
		return "a role assumed by web identity"
	case "EC2RoleProvider":
		return "EC2 instance metadata"
	case "CredentialsEndpointProvider":
		return "the container"
	case "":
		return "the standard chain"
	}
	return source
}
