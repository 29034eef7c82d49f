package aws

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

// envelope is what SNS puts into a queue
// (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html).
type envelope struct {
	Type              string
	MessageID         string `json:"MessageId"`
	TopicARN          string `json:"TopicArn"`
	Subject           string
	Message           *string
	Timestamp         string
	SequenceNumber    string
	MessageAttributes map[string]struct{ Type, Value string }
}

// notification is the record of what was published, as opposed to what lay in the
// queue.
func notification(m *types.Message, source probes.Ref, maxBody int) probes.Record {
	var e envelope
	if err := json.Unmarshal([]byte(sdk.ToString(m.Body)), &e); err != nil || e.Message == nil {
		r := messageRecord(m, source, maxBody)
		r.Err = "this is no notification of SNS, as it stands in the queue"
		return r
	}
	sys := system(m.Attributes)
	n := &native{Subject: e.Subject}
	r := probes.Record{ID: e.MessageID, Kind: probes.Message, Source: source, Seen: time.Now(), Body: []byte(*e.Message)}
	if at, err := time.Parse(time.RFC3339Nano, e.Timestamp); err == nil {
		r.Time = at.UTC()
	} else {
		r.Time = sys.time(types.MessageSystemAttributeNameSentTimestamp)
	}
	for _, name := range slices.Sorted(maps.Keys(e.MessageAttributes)) {
		a := e.MessageAttributes[name]
		value := []byte(a.Value)
		if strings.HasPrefix(a.Type, typeBinary) {
			if b, err := base64.StdEncoding.DecodeString(a.Value); err == nil {
				value = b
			}
		}
		r.Header = append(r.Header, probes.Field{Name: name, Value: value})
		n.note(name, a.Type)
	}
	r.Native = n.encode()
	if group := sys.get(types.MessageSystemAttributeNameMessageGroupId); group != "" {
		r.Key = []byte(group)
	}
	f := facts{}
	f.add(probes.AttrDestination, nameOfARN(e.TopicARN))
	f.add(attrSubject, e.Subject)
	f.add(attrDedup, sys.get(types.MessageSystemAttributeNameMessageDeduplicationId))
	f.add(attrSequence, e.SequenceNumber)
	f.add(attrTrace, sys.get(types.MessageSystemAttributeNameAWSTraceHeader))
	r.Attrs = f
	if e.Type != "Notification" {
		r.Err = "this is a " + e.Type + ", not something that was published"
	}
	cut(&r, maxBody)
	return r
}
