package kafka

import (
	"encoding/binary"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"iscope/probes"
)

// Attributes of a dead letter that only Kafka has.
const (
	attrDeadPartition = "kafka.dead.partition" // where it was in the topic it died in
	attrDeadOffset    = "kafka.dead.offset"
	attrDeadGroup     = "kafka.dead.group"
	attrDeadBy        = "kafka.dead.convention" // whose headers say so
	attrRedrivenFrom  = "kafka.redriven.from"   // "topic partition/offset" of a dead letter, on its copy
)

// convention is how a framework says in headers what a dead letter died of.
type convention struct {
	name                     string
	topic, partition, offset string // where it came from
	exception, message       string
	group, attempts          string
	prefixes                 []string // of all its headers, which a copy goes without
}

func conventions() []convention {
	spring := func(prefix string) convention {
		return convention{name: "Spring Kafka", topic: prefix + "original-topic", partition: prefix + "original-partition", offset: prefix + "original-offset",
			exception: prefix + "exception-fqcn", message: prefix + "exception-message", group: prefix + "original-consumer-group",
			attempts: "retry_topic-attempts", prefixes: []string{prefix + "original-", prefix + "exception-", prefix + "key-exception-", "retry_topic-"}}
	}
	return []convention{
		spring("kafka_dlt-"), // DeadLetterPublishingRecoverer
		spring("kafka_"),     // retry topics
		{name: "Kafka Connect", topic: "__connect.errors.topic", partition: "__connect.errors.partition", offset: "__connect.errors.offset",
			exception: "__connect.errors.exception.class.name", message: "__connect.errors.exception.message",
			group: "__connect.errors.connector.name", prefixes: []string{"__connect.errors."}},
		{name: "SmallRye", topic: "dead-letter-topic", partition: "dead-letter-partition", offset: "dead-letter-offset",
			exception: "dead-letter-exception-class-name", message: "dead-letter-reason", prefixes: []string{"dead-letter-"}},
		{name: "Spring Cloud Stream", topic: "x-original-topic", partition: "x-original-partition", offset: "x-original-offset",
			exception: "x-exception-fqcn", message: "x-exception-message", prefixes: []string{"x-original-", "x-exception-"}},
	}
}

// death is what a record's headers say of it.
type death struct {
	convention        *convention // nil: nothing
	origin            string
	partition, offset string
	reason            string
	group, attempts   string
}

// deathOf reads the headers of the first convention that names an origin or an
// exception.
func deathOf(all []convention, headers []probes.Field) (d death) {
	for i := range all {
		c := &all[i]
		d = death{convention: c, origin: text(headers, c.topic), partition: number(headers, c.partition), offset: number(headers, c.offset),
			group: text(headers, c.group), attempts: number(headers, c.attempts)}
		exception, message := text(headers, c.exception), text(headers, c.message)
		switch {
		case exception == "" || message == "":
			d.reason = exception + message
		case strings.HasPrefix(message, exception): // Java's Throwable.toString
			d.reason = message
		default:
			d.reason = exception + ": " + message
		}
		if d.origin != "" || d.reason != "" {
			return d
		}
	}
	return death{}
}

// attrs are what the record says of its death, for columns and filters.
func (d *death) attrs(died time.Time) (out []probes.Attr) {
	if d.convention == nil {
		return nil
	}
	when := ""
	if !died.IsZero() {
		when = died.Format(time.RFC3339Nano)
	}
	for _, a := range []probes.Attr{{Name: probes.AttrDeadReason, Value: d.reason}, {Name: probes.AttrDeadOrigin, Value: d.origin},
		{Name: attrDeadPartition, Value: d.partition}, {Name: attrDeadOffset, Value: d.offset}, {Name: attrDeadGroup, Value: d.group},
		{Name: probes.AttrDeadCount, Value: d.attempts}, {Name: probes.AttrDeadTime, Value: when}, {Name: attrDeadBy, Value: d.convention.name}} {
		if a.Value != "" {
			out = append(out, a)
		}
	}
	return out
}

// value is the last header of that name: frameworks that add instead of replace
// put the newest last.
func value(headers []probes.Field, name string) ([]byte, bool) {
	for _, h := range slices.Backward(headers) {
		if h.Name == name && name != "" {
			return h.Value, true
		}
	}
	return nil, false
}

func text(headers []probes.Field, name string) string {
	v, _ := value(headers, name)
	return string(v)
}

// number reads digits, or the big-endian integers that Java programs write.
func number(headers []probes.Field, name string) string {
	v, _ := value(headers, name)
	if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return string(v)
	}
	switch len(v) {
	case 4:
		return strconv.Itoa(int(int32(binary.BigEndian.Uint32(v))))
	case 8:
		return strconv.FormatInt(int64(binary.BigEndian.Uint64(v)), 10)
	}
	return ""
}

// deadWord finds "dlq", "dlt" or "dead-letter" as a word of a name: orders.DLT,
// orders-dlq, dlq.orders, dead-letter-queue; deadSuffix finds it in OrdersDLQ.
var (
	deadWord = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(^|[._-])(dlq|dlt|dead[._-]?letters?)([._-](queue|topic))?([._-]|$)`)
	})
	deadSuffix = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([a-z0-9])(DLQ|DLT|DeadLetters?)$`) })
)

func namedDead(topic string) bool {
	return deadWord().MatchString(topic) || deadSuffix().MatchString(topic)
}

// originByName takes that word out: what remains may be the topic it belongs to.
func originByName(topic string) string {
	topic = deadSuffix().ReplaceAllString(topic, "$1")
	return strings.Trim(deadWord().ReplaceAllString(topic, "."), "._-")
}
