package aws

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"iscope/probes"
)

// fifoSuffix ends the name of every FIFO queue and topic.
const fifoSuffix = ".fifo"

func isFIFO(name string) bool { return strings.HasSuffix(name, fifoSuffix) }

// identity is a queue or topic as a person or a policy names it.
type identity struct {
	name    string
	account string // "" is that of the credentials
	region  string // "" is the session's
	arn     string // "" where only the name was given
}

// parseIdentity reads a name or an ARN of service ("sqs", "sns").
func parseIdentity(service, text string) (identity, error) {
	if !strings.HasPrefix(text, "arn:") {
		return identity{name: text}, nil
	}
	a, err := arn.Parse(text)
	if err != nil || a.Resource == "" {
		return identity{}, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%q is no ARN", text)}
	}
	if a.Service != service {
		return identity{}, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%s is of %s, not of %s", text, a.Service, service)}
	}
	return identity{name: a.Resource, account: a.AccountID, region: a.Region, arn: text}, nil
}

// elsewhere refuses a thing of another region: a session talks to one.
func (i *identity) elsewhere(region string) error {
	if i.region == "" || i.region == region {
		return nil
	}
	return &fault{kind: probes.ErrUsage, err: fmt.Errorf("%s is in %s, this target is %s", i.arn, i.region, region), hint: "name a target of that region"}
}

// nameOfURL is the queue's name in its URL: the last part of the path. The host
// is not looked at: some emulators name one that does not exist.
func nameOfURL(queueURL string) string {
	u, err := url.Parse(queueURL)
	if err != nil {
		return queueURL
	}
	return u.Path[strings.LastIndexByte(u.Path, '/')+1:]
}

// nameOfARN is the last part of an ARN, or the text itself if it is none.
func nameOfARN(text string) string {
	if a, err := arn.Parse(text); err == nil {
		return a.Resource
	}
	return text
}

// serviceOfARN is "sqs", "lambda", ...; "" if the text is no ARN.
func serviceOfARN(text string) string {
	a, err := arn.Parse(text)
	if err != nil {
		return ""
	}
	return a.Service
}
