package registry

import (
	"fmt"
	"strings"

	"iscope/inspectors/schema"
	"iscope/probes"
)

// Strategy makes a subject's name of a topic and a type, as serializers do
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#subject-name-strategy).
type Strategy string

const (
	TopicName       Strategy = "TopicName"       // orders-value
	RecordName      Strategy = "RecordName"      // shop.Order
	TopicRecordName Strategy = "TopicRecordName" // orders-shop.Order
)

// ParseStrategy reads the name of a strategy as configurations of serializers
// spell it: "TopicNameStrategy", "TopicName", or the whole class name.
func ParseStrategy(s string) (Strategy, error) {
	short := s[strings.LastIndexByte(s, '.')+1:]
	const suffix = "strategy"
	if n := len(short) - len(suffix); n > 0 && strings.EqualFold(short[n:], suffix) {
		short = short[:n]
	}
	for _, known := range []Strategy{"", TopicName, RecordName, TopicRecordName} {
		if strings.EqualFold(short, string(known)) {
			return known, nil
		}
	}
	return "", &probes.Error{Op: "reading the subject strategy", Kind: probes.ErrUsage, Err: fmt.Errorf("unknown strategy %q", s),
		Hint: "use TopicName, RecordName or TopicRecordName"}
}

// Record is the type of the bodies of some subjects.
type Record struct {
	Pattern string // of topics; "*" stands for any characters
	Key     bool
	Name    string // full name: shop.Order
}

// subject is the registry's name for a body's schema, "" if there is no way to
// tell.
func (c *Client) subject(q schema.Query) string {
	if c.o.Strategy == "" || q.Subject == "" {
		return ""
	}
	if c.o.Strategy == TopicName {
		if q.Key {
			return q.Subject + "-key"
		}
		return q.Subject + "-value"
	}
	for _, r := range c.o.Records {
		switch {
		case r.Key != q.Key || !schema.Matches(r.Pattern, q.Subject):
		case c.o.Strategy == RecordName:
			return r.Name
		default:
			return q.Subject + "-" + r.Name
		}
	}
	return ""
}

// ParseRecord reads "PATTERN[:key]=NAME".
func ParseRecord(s string) (Record, error) {
	a, err := schema.ParseAssignment(s)
	if err != nil || !strings.Contains(s, "=") || a.Message != "" {
		return Record{}, &probes.Error{Op: "reading the record name", Kind: probes.ErrUsage, Err: fmt.Errorf("%q", s),
			Hint: "write it as TOPIC=shop.Order or TOPIC:key=shop.OrderKey"}
	}
	return Record{Pattern: a.Pattern, Key: a.Key, Name: a.File}, nil
}
