package rabbitmq

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// Attributes of a message. Those of OpenTelemetry come first
// (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/).
const (
	attrMessageID   = "messaging.message.id"
	attrCorrelation = "messaging.message.conversation_id"
	attrOffset      = "rabbitmq.stream.offset"
	attrType        = "amqp.type"
	attrAppID       = "amqp.app_id"
	attrUserID      = "amqp.user_id"
	attrReplyTo     = "amqp.reply_to"
	attrExpiration  = "amqp.expiration" // milliseconds
	attrPriority    = "amqp.priority"
	attrMode        = "amqp.delivery_mode" // 2 is persistent
	attrRedelivered = "amqp.redelivered"
	attrDeliveries  = "amqp.delivery_count" // of a quorum queue: returned so often
	attrRoutedTo    = "amqp.routed_queues"
	attrPublisher   = "amqp.connection"
)

// Headers that the broker sets.
const (
	headerOffset     = "x-stream-offset"
	headerDeliveries = "x-delivery-count"
	headerDeath      = "x-death"
)

// Two properties are shown as headers, because that is what they are
// everywhere else, and inspectors look for them there.
const (
	headerContentType     = "content-type"
	headerContentEncoding = "content-encoding"
)

// native is what publishing needs beyond the record's other fields to make an
// equal message. It holds no values, which may have been masked.
type native struct {
	AMQP struct {
		// Types are the tags of headers that are no strings, by name.
		Types map[string]tag `json:"types,omitempty"`
		// Properties are the headers that were properties.
		Properties []string `json:"properties,omitempty"`
	} `json:"amqp"`
}

// noTypes is the native part of a message all of whose headers are strings.
const noTypes = `{"amqp":{}}`

// message is a delivery, or a copy of one that the firehose wrapped up.
type message struct {
	amqp.Publishing
	exchange, key string
	queue         string // it lies in; "" if not known
}

func messageOf(d *amqp.Delivery) message {
	return message{exchange: d.Exchange, key: d.RoutingKey, Publishing: amqp.Publishing{Headers: d.Headers, ContentType: d.ContentType,
		ContentEncoding: d.ContentEncoding, DeliveryMode: d.DeliveryMode, Priority: d.Priority, CorrelationId: d.CorrelationId,
		ReplyTo: d.ReplyTo, Expiration: d.Expiration, MessageId: d.MessageId, Timestamp: d.Timestamp, Type: d.Type,
		UserId: d.UserId, AppId: d.AppId, Body: d.Body}}
}

// record turns a message into a record of the given source. maxBody is the
// number of bytes to keep of the body, 0 for all.
func (m *message) record(source probes.Ref, id string, maxBody int) probes.Record {
	r := probes.Record{ID: id, Kind: probes.Message, Source: source, Key: []byte(m.key), Body: m.Body}
	if !m.Timestamp.IsZero() {
		r.Time = m.Timestamp.UTC()
	}
	if maxBody > 0 && len(m.Body) > maxBody {
		r.Body, r.Cut = bytes.Clone(m.Body[:maxBody]), int64(len(m.Body)-maxBody)
	}
	m.headers(&r)
	m.attributes(&r)
	return r
}

// headers fills the record's headers, sorted by name: the order in the message
// is lost in the library.
func (m *message) headers(r *probes.Record) {
	var n native
	add := func(name, value string) {
		if value != "" {
			r.Header = append(r.Header, probes.Field{Name: name, Value: []byte(value)})
			n.AMQP.Properties = append(n.AMQP.Properties, name)
		}
	}
	r.Header = make([]probes.Field, 0, len(m.Headers)+2)
	add(headerContentType, m.ContentType)
	add(headerContentEncoding, m.ContentEncoding)
	first := len(r.Header)
	for name, value := range m.Headers {
		if name == headerOffset || name == headerDeliveries {
			continue // of this delivery, not of the message; they are attributes
		}
		text, t := renderValue(value)
		r.Header = append(r.Header, probes.Field{Name: name, Value: text})
		if t != tagString {
			if n.AMQP.Types == nil {
				n.AMQP.Types = map[string]tag{}
			}
			n.AMQP.Types[tagName(name)] = t
		}
	}
	slices.SortFunc(r.Header[first:], func(a, b probes.Field) int { return strings.Compare(a.Name, b.Name) })
	if len(r.Header) == 0 {
		r.Header = nil
	}
	if n.AMQP.Types == nil && n.AMQP.Properties == nil {
		r.Native = json.RawMessage(noTypes)
		return
	}
	r.Native, _ = json.Marshal(n) // no field of native can fail
}

func (m *message) attributes(r *probes.Record) {
	r.Attrs = make([]probes.Attr, 0, 8)
	add := func(name, value string) {
		if value != "" {
			r.Attrs = append(r.Attrs, probes.Attr{Name: name, Value: value})
		}
	}
	r.Attrs = append(r.Attrs, probes.Attr{Name: probes.AttrDestination, Value: m.exchange})
	if off, ok := m.Headers[headerOffset].(int64); ok {
		add(attrOffset, strconv.FormatInt(off, 10))
	}
	add(attrMessageID, m.MessageId)
	add(attrCorrelation, m.CorrelationId)
	add(attrType, m.Type)
	add(attrAppID, m.AppId)
	add(attrUserID, m.UserId)
	add(attrReplyTo, m.ReplyTo)
	add(attrExpiration, m.Expiration)
	if m.Priority > 0 {
		add(attrPriority, strconv.Itoa(int(m.Priority)))
	}
	if m.DeliveryMode > 0 {
		add(attrMode, strconv.Itoa(int(m.DeliveryMode)))
	}
	if n, ok := integer(m.Headers[headerDeliveries]); ok {
		add(attrDeliveries, strconv.FormatInt(n, 10))
	}
	if deaths, ok := m.Headers[headerDeath].([]any); ok {
		r.Attrs = append(r.Attrs, deathAttrs(deaths, m.queue)...)
	}
}

// integer reads any of AMQP's integers.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case byte:
		return int64(v), true
	case int16:
		return int64(v), true
	case uint16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

// gap says that messages are missing; n < 0 if it is not known how many.
func gap(source probes.Ref, n int64, why string) probes.Record {
	r := probes.Record{Kind: probes.Gap, Source: source, Seen: time.Now(), Attrs: []probes.Attr{{Name: probes.AttrReason, Value: why}}}
	if n >= 0 {
		r.Attrs = append(r.Attrs, probes.Attr{Name: probes.AttrCount, Value: strconv.FormatInt(n, 10)})
	}
	return r
}

// notice says something in the stream that is no message.
func notice(source probes.Ref, text string) probes.Record {
	return probes.Record{Kind: probes.Notice, Source: source, Seen: time.Now(), Err: text}
}
