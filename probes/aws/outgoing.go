package aws

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

// Headers that are no message attributes but parameters of the request. Records
// that were captured have none: theirs are in the key and in Native.
const (
	headerDedup   = "MessageDeduplicationId"
	headerGroup   = "MessageGroupId"
	headerSubject = "Subject"
)

// maxAttributes is how many attributes a message can have
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html).
const maxAttributes = 10

// outgoing is a record as SQS and SNS take it.
type outgoing struct {
	body, group, dedup, subject string
	attrs                       []attribute
}

type attribute struct {
	name, dataType string
	text           string
	bytes          []byte // of a Binary
}

// size is what counts against the limit of a message: body and attributes.
func (o *outgoing) size() int {
	n := len(o.body)
	for _, a := range o.attrs {
		n += len(a.name) + len(a.dataType) + len(a.text) + len(a.bytes)
	}
	return n
}

// compose checks what AWS would refuse with fewer words, or lose.
func compose(r *probes.Record, service string) (*outgoing, error) {
	usage := func(format string, args ...any) error {
		return &fault{kind: probes.ErrUsage, err: fmt.Errorf(format, args...)}
	}
	if len(r.Body) == 0 {
		return nil, usage("%s takes no empty message", strings.ToUpper(service))
	}
	if i := notText(r.Body); i >= 0 {
		return nil, &fault{kind: probes.ErrUsage, err: fmt.Errorf("a message is text, and the byte at %d of this one is none that is allowed", i),
			hint: "encode it, for example as base64"}
	}
	o := &outgoing{body: string(r.Body), group: string(r.Key)}
	n := &native{}
	captured := len(r.Native) > 0 && json.Unmarshal(r.Native, n) == nil
	o.subject = n.Subject
	seen := map[string]bool{}
	for _, h := range r.Header {
		if !captured {
			took, err := o.parameter(h, service)
			if err != nil {
				return nil, err
			}
			if took {
				continue
			}
		}
		if seen[h.Name] {
			return nil, usage("the header %s comes twice: a message attribute has one value", h.Name)
		}
		seen[h.Name] = true
		if !attributeName(h.Name) {
			return nil, usage("%q cannot name a message attribute: letters, digits, _, - and single dots", h.Name)
		}
		if len(h.Value) == 0 {
			return nil, usage("the header %s is empty: a message attribute has a value", h.Name)
		}
		o.attrs = append(o.attrs, newAttribute(h, n.Types[h.Name]))
	}
	// SNS itself takes more, but a subscription with raw delivery would discard the
	// message; that is the publisher's choice.
	if service == "sqs" && len(o.attrs) > maxAttributes {
		return nil, usage("%d headers: a message has at most %d attributes", len(o.attrs), maxAttributes)
	}
	return o, nil
}

// parameter takes a header that is a parameter of the request.
func (o *outgoing) parameter(h probes.Field, service string) (bool, error) {
	switch {
	case strings.EqualFold(h.Name, headerDedup):
		o.dedup = string(h.Value)
	case strings.EqualFold(h.Name, headerSubject) && service == "sns":
		o.subject = string(h.Value)
	case strings.EqualFold(h.Name, headerGroup):
		if o.group != "" && o.group != string(h.Value) {
			return true, &fault{kind: probes.ErrUsage, err: errors.New("the key and the header " + headerGroup + " name two groups")}
		}
		o.group = string(h.Value)
	default:
		return false, nil
	}
	return true, nil
}

func newAttribute(h probes.Field, dataType string) attribute {
	binary := notText(h.Value) >= 0
	switch {
	case binary && !strings.HasPrefix(dataType, typeBinary):
		dataType = typeBinary
	case dataType == "":
		dataType = typeString
	}
	if strings.HasPrefix(dataType, typeBinary) {
		return attribute{name: h.Name, dataType: dataType, bytes: h.Value}
	}
	return attribute{name: h.Name, dataType: dataType, text: string(h.Value)}
}

// ordered prepares a message for a FIFO queue or topic, or for one that is none.
// Without an id of its own a message gets a random one: else AWS would drop what
// it takes for a repetition, and say that it was sent.
func (o *outgoing) ordered(fifo bool) error {
	switch {
	case fifo && o.group == "":
		return &fault{kind: probes.ErrUsage, err: errors.New("a FIFO queue or topic needs a message group"), hint: "give a key: it is the group's id"}
	case fifo && o.dedup == "":
		o.dedup = "iscope-" + randomID(16)
	case !fifo && o.dedup != "":
		return &fault{kind: probes.ErrUsage, err: errors.New("only FIFO queues and topics have deduplication ids")}
	}
	return nil
}

func randomID(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// notText is the index of the first byte that is not of the characters that SQS
// and SNS carry (those of XML 1.0), -1 if there is none.
func notText(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0xfffe, r == 0xffff:
			return i
		}
		i += n
	}
	return -1
}

func attributeName(s string) bool {
	return len(s) <= 256 && regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`).MatchString(s)
}

func (o *outgoing) queueAttributes() map[string]types.MessageAttributeValue {
	if len(o.attrs) == 0 {
		return nil
	}
	out := map[string]types.MessageAttributeValue{}
	for i := range o.attrs {
		a := &o.attrs[i]
		v := types.MessageAttributeValue{DataType: &a.dataType, BinaryValue: a.bytes}
		if a.bytes == nil {
			v.StringValue = &a.text
		}
		out[a.name] = v
	}
	return out
}

func (o *outgoing) topicAttributes() map[string]snstypes.MessageAttributeValue {
	if len(o.attrs) == 0 {
		return nil
	}
	out := map[string]snstypes.MessageAttributeValue{}
	for i := range o.attrs {
		a := &o.attrs[i]
		v := snstypes.MessageAttributeValue{DataType: &a.dataType, BinaryValue: a.bytes}
		if a.bytes == nil {
			v.StringValue = &a.text
		}
		out[a.name] = v
	}
	return out
}

// optional is nil for "", which the services refuse.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// tooLong adds the size to an error about it: attributes count too.
func (o *outgoing) tooLong(err error) error {
	var f *fault
	var a *answer
	if !errors.As(err, &f) || !errors.As(err, &a) || f.hint != "" {
		return err
	}
	text := strings.ToLower(a.text)
	if a.code != "BatchRequestTooLong" && !strings.Contains(text, "shorter") && !strings.Contains(text, "too long") && !strings.Contains(text, "size") {
		return err
	}
	return &fault{kind: f.kind, err: f.err, hint: fmt.Sprintf("this message has %d bytes: %d of body, %d of attributes with their names and types",
		o.size(), len(o.body), o.size()-len(o.body))}
}

// stored is a record as it was sent.
func stored(r probes.Record, ref probes.Ref, id, sequence string, o *outgoing) probes.Record {
	r.ID, r.Source, r.Call, r.Kind, r.Err = id, ref, "", probes.Message, ""
	f := facts{}
	f.add(probes.AttrDestination, ref.Subject)
	f.add(attrDedup, o.dedup)
	f.add(attrSequence, sequence)
	f.add(attrSubject, o.subject)
	r.Attrs = f
	return r
}
