package aws

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

// native is what a faithful replay needs beyond the record: the types of
// attributes that are not String, by name, and the subject of a notification.
type native struct {
	Types   map[string]string `json:"types,omitempty"`
	Subject string            `json:"subject,omitempty"`
}

const (
	typeString = "String"
	typeBinary = "Binary"
)

// header turns message attributes into header fields, sorted by name: SQS keeps
// no order.
func header(attrs map[string]types.MessageAttributeValue, n *native) []probes.Field {
	var out []probes.Field
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		v := attrs[name]
		value := v.BinaryValue
		if v.StringValue != nil {
			value = []byte(*v.StringValue)
		}
		out = append(out, probes.Field{Name: name, Value: value})
		n.note(name, sdk.ToString(v.DataType))
	}
	return out
}

func (n *native) note(name, dataType string) {
	if dataType == typeString || dataType == "" {
		return
	}
	if n.Types == nil {
		n.Types = map[string]string{}
	}
	n.Types[name] = dataType
}

// encode is never empty: that there is one tells a captured record from one that
// a person wrote.
func (n *native) encode() json.RawMessage {
	b, err := json.Marshal(n)
	if err != nil {
		return nil // two kinds of text cannot fail
	}
	return b
}

// system reads what SQS itself says of a message.
type system map[string]string

func (s system) get(name types.MessageSystemAttributeName) string { return s[string(name)] }

func (s system) time(name types.MessageSystemAttributeName) time.Time {
	ms, err := strconv.ParseInt(s.get(name), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (s system) receives() int64 {
	n, _ := strconv.ParseInt(s.get(types.MessageSystemAttributeNameApproximateReceiveCount), 10, 64)
	return n
}

// messageRecord is a message of a queue as received.
func messageRecord(m *types.Message, source probes.Ref, maxBody int) probes.Record {
	sys := system(m.Attributes)
	n := &native{}
	r := probes.Record{ID: sdk.ToString(m.MessageId), Kind: probes.Message, Source: source, Seen: time.Now(),
		Time: sys.time(types.MessageSystemAttributeNameSentTimestamp), Body: []byte(sdk.ToString(m.Body)), Header: header(m.MessageAttributes, n)}
	r.Native = n.encode()
	if group := sys.get(types.MessageSystemAttributeNameMessageGroupId); group != "" {
		r.Key = []byte(group)
	}
	f := facts{}
	f.add(probes.AttrDestination, source.Subject)
	f.add(attrReceives, sys.get(types.MessageSystemAttributeNameApproximateReceiveCount))
	if first := sys.time(types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp); !first.IsZero() {
		f.add(attrFirstReceive, first.Format(time.RFC3339Nano))
	}
	f.add(attrDedup, sys.get(types.MessageSystemAttributeNameMessageDeduplicationId))
	f.add(attrSequence, sys.get(types.MessageSystemAttributeNameSequenceNumber))
	f.add(attrSender, sys.get(types.MessageSystemAttributeNameSenderId))
	f.add(attrTrace, sys.get(types.MessageSystemAttributeNameAWSTraceHeader))
	r.Attrs = f
	cut(&r, maxBody)
	return r
}

// cut keeps the first bytes of a body and counts the rest.
func cut(r *probes.Record, maxBody int) {
	if maxBody > 0 && len(r.Body) > maxBody {
		r.Cut = int64(len(r.Body) - maxBody)
		r.Body = r.Body[:maxBody:maxBody]
	}
}
