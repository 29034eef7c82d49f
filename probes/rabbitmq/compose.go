package rabbitmq

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// maxShort is the longest short string of AMQP, in bytes.
const maxShort = 255

// compose makes the AMQP message that a record stands for. Properties come from
// its attributes, headers from its headers, and their types from its native part
// if it was an AMQP message once; what has been changed since becomes a string.
// user is who we are logged in as: the broker takes no other user id.
func compose(r *probes.Record, user string) (amqp.Publishing, error) {
	msg := amqp.Publishing{Body: r.Body, DeliveryMode: amqp.Persistent}
	if r.Cut > 0 {
		return msg, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%d bytes of the message's body are missing", r.Cut),
			hint: "capture or tail it again without a limit on the body"}
	}
	var n struct {
		AMQP *struct {
			Types      map[string]any `json:"types"`
			Properties []string       `json:"properties"`
		} `json:"amqp"`
	}
	ours := json.Unmarshal(r.Native, &n) == nil && n.AMQP != nil
	if ours {
		msg.DeliveryMode = 0 // it is an attribute if it was set
	}
	if !r.Time.IsZero() {
		msg.Timestamp = r.Time.Truncate(time.Second)
	}
	if err := setProperties(&msg, r, user); err != nil {
		return msg, err
	}
	isProperty := func(name string) bool {
		if !ours {
			return true
		}
		for _, p := range n.AMQP.Properties {
			if strings.EqualFold(p, name) {
				return true
			}
		}
		return false
	}
	var types map[string]any
	if ours {
		types = n.AMQP.Types
	}
	return msg, setHeaders(&msg, r.Header, types, isProperty)
}

func setProperties(msg *amqp.Publishing, r *probes.Record, user string) error {
	for _, a := range r.Attrs {
		var err error
		switch a.Name {
		case attrMessageID:
			msg.MessageId, err = short(a)
		case attrCorrelation:
			msg.CorrelationId, err = short(a)
		case attrType:
			msg.Type, err = short(a)
		case attrAppID:
			msg.AppId, err = short(a)
		case attrReplyTo:
			msg.ReplyTo, err = short(a)
		case attrExpiration:
			msg.Expiration, err = short(a)
		case attrPriority:
			msg.Priority, err = octet(a)
		case attrMode:
			msg.DeliveryMode, err = octet(a)
		case attrUserID:
			if a.Value == user {
				msg.UserId = user
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func short(a probes.Attr) (string, error) {
	if len(a.Value) > maxShort {
		return "", &fault{kind: probes.ErrUsage, err: fmt.Errorf("%s has %d bytes, AMQP allows %d", a.Name, len(a.Value), maxShort)}
	}
	return a.Value, nil
}

func octet(a probes.Attr) (uint8, error) {
	n, err := strconv.ParseUint(a.Value, 10, 8)
	if err != nil {
		return 0, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%s is %q, not a number from 0 to 255", a.Name, a.Value)}
	}
	return uint8(n), nil
}

func setHeaders(msg *amqp.Publishing, fields []probes.Field, types map[string]any, isProperty func(string) bool) error {
	usage := func(format string, args ...any) error {
		return &fault{kind: probes.ErrUsage, err: fmt.Errorf(format, args...)}
	}
	for _, f := range fields {
		into := propertyFor(msg, f.Name)
		if into != nil && *into == "" && isProperty(f.Name) && len(f.Value) > 0 {
			if len(f.Value) > maxShort {
				return usage("%s has %d bytes, AMQP allows %d", f.Name, len(f.Value), maxShort)
			}
			*into = string(f.Value)
			continue
		}
		if len(f.Name) > maxShort {
			return usage("a header's name has %d bytes, AMQP allows %d", len(f.Name), maxShort)
		}
		if _, twice := msg.Headers[f.Name]; twice {
			return usage("header %q occurs twice: AMQP's headers are a table", f.Name)
		}
		if msg.Headers == nil {
			msg.Headers = amqp.Table{}
		}
		msg.Headers[f.Name] = headerValue(f, types)
	}
	return nil
}

func propertyFor(msg *amqp.Publishing, name string) *string {
	switch {
	case strings.EqualFold(name, headerContentType):
		return &msg.ContentType
	case strings.EqualFold(name, headerContentEncoding):
		return &msg.ContentEncoding
	}
	return nil
}

// headerValue gives the value its type back.
func headerValue(f probes.Field, types map[string]any) any {
	if f.Value == nil {
		return nil
	}
	if t, ok := types[tagName(f.Name)]; ok {
		if v, err := parseValue(f.Value, t); err == nil {
			return v
		}
	}
	return string(f.Value)
}
