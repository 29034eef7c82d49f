package rabbitmq

import (
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// death is one entry of x-death (https://www.rabbitmq.com/docs/dlx#effects): a
// message died in a queue for a reason so many times. The newest is first.
type death struct {
	queue, reason, exchange string
	keys                    []string
	count                   int64
	at                      time.Time
}

func readDeaths(list []any) []death {
	var out []death
	for _, e := range list {
		t, ok := e.(amqp.Table)
		if !ok {
			continue
		}
		var d death
		d.queue, _ = t["queue"].(string)
		d.reason, _ = t["reason"].(string)
		d.exchange, _ = t["exchange"].(string)
		d.at, _ = t["time"].(time.Time)
		d.count, _ = integer(t["count"])
		keys, _ := t["routing-keys"].([]any)
		for _, k := range keys {
			if s, ok := k.(string); ok {
				d.keys = append(d.keys, s)
			}
		}
		out = append(out, d)
	}
	return out
}

// origin is the newest death elsewhere than in the queue the message lies in
// now.
func origin(list []any, now string) (death, bool) {
	deaths := readDeaths(list)
	i := slices.IndexFunc(deaths, func(d death) bool { return d.queue != now && d.queue != "" })
	if i < 0 {
		return death{}, false
	}
	return deaths[i], true
}

// deathAttrs says why a message is a dead letter; now is the queue it lies in,
// if known.
func deathAttrs(list []any, now string) []probes.Attr {
	d, ok := origin(list, now)
	if !ok {
		return nil
	}
	times := int64(0)
	for _, each := range readDeaths(list) {
		times += each.count
	}
	out := []probes.Attr{{Name: probes.AttrDeadReason, Value: d.reason}, {Name: probes.AttrDeadOrigin, Value: kindQueue + "/" + d.queue}}
	if times > 0 {
		out = append(out, probes.Attr{Name: probes.AttrDeadCount, Value: strconv.FormatInt(times, 10)})
	}
	if !d.at.IsZero() {
		out = append(out, probes.Attr{Name: probes.AttrDeadTime, Value: d.at.UTC().Format(time.RFC3339)})
	}
	return out
}

// isDeadLetterName reports names that people give to dead-letter queues.
func isDeadLetterName(name string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(".-_:/ ", r) }) {
		switch word {
		case "dlq", "dlx", "dead", "deadletter", "deadletters":
			return true
		}
	}
	return false
}

// diedAt is a header that the broker adds on the way to a dead-letter queue. A
// redriven message starts anew without them.
func diedAt(name string) bool {
	return name == headerDeath || name == headerDeliveries ||
		strings.HasPrefix(name, "x-first-death-") || strings.HasPrefix(name, "x-last-death-")
}
