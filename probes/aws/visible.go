package aws

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// stayVisible makes a receive hide nothing. The library leaves a visibility timeout
// of zero out of the request, and SQS then takes the queue's own, so it is written
// into the serialized request here.
func stayVisible(o *sqs.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("iscopeStayVisible", writeZero), middleware.After)
	})
}

var errNotJSON = errors.New("the library's request is not the JSON that is expected of it")

func writeZero(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (out middleware.SerializeOutput, m middleware.Metadata, err error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, m, errNotJSON
	}
	body, err := io.ReadAll(req.GetStream())
	if err != nil {
		return out, m, err
	}
	rest, ok := bytes.CutPrefix(body, []byte("{"))
	if !ok || bytes.Contains(body, []byte(`"VisibilityTimeout"`)) {
		return out, m, errNotJSON
	}
	if in.Request, err = req.SetStream(bytes.NewReader(append([]byte(`{"VisibilityTimeout":0,`), rest...))); err != nil {
		return out, m, err
	}
	return next.HandleSerialize(ctx, in)
}
