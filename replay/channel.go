package replay

import (
	"strings"

	"github.com/foxglove/mcap/go/mcap"

	"iscope/probes"
)

const (
	compression = "zstd"
	schemaID    = 1
	// maxChannels is how many (group, target, subject) get a channel of their
	// own. HTTP subjects hold ids and never end, MCAP has 65,535 channels and
	// its summary grows with channels times chunks; later subjects share one
	// channel per target, and the envelope names them anyway.
	maxChannels = 1024
	// otherSubjects is the subject of such a shared channel.
	otherSubjects = "*"
)

// Keys of a channel's metadata, sorted as MCAP asks. "capture" ties a chunk to
// its file: bytes inside a payload that look like a chunk are not ours.
var channelKeys = []string{"capture", "driver", "group", "subject", "target"}

// group puts kinds that belong together into one channel: a call's request,
// responses and end are one conversation.
func group(k probes.Kind) string {
	switch k {
	case probes.Message:
		return "message"
	case probes.Request, probes.Response, probes.End:
		return "call"
	case probes.Event:
		return "event"
	}
	return "note"
}

type channelKey struct{ group, target, subject string }

// channels hands out channel ids.
type channels struct {
	capture string // the file's id
	drivers map[string]string
	byKey   map[channelKey]*mcap.Channel
	next    uint16
}

func newChannels(capture string) *channels {
	return &channels{capture: capture, drivers: map[string]string{}, byKey: map[channelKey]*mcap.Channel{}}
}

// of returns the channel of a record; created says that it is new, nil that no
// id is left.
func (c *channels) of(r *probes.Record) (ch *mcap.Channel, created bool) {
	key := channelKey{group(r.Kind), r.Source.Target, r.Source.Subject}
	if ch, ok := c.byKey[key]; ok {
		return ch, false
	}
	if len(c.byKey) >= maxChannels {
		key.subject = otherSubjects
		if ch, ok := c.byKey[key]; ok {
			return ch, false
		}
	}
	if c.next == 65535 {
		return nil, false
	}
	ch = &mcap.Channel{ID: c.next, SchemaID: schemaID, Topic: topic(key), MessageEncoding: msgEncoding,
		Metadata: map[string]string{"capture": c.capture, "driver": c.drivers[key.target], "group": key.group,
			"subject": utf8Only(key.subject), "target": utf8Only(key.target)}}
	c.next++
	c.byKey[key] = ch
	return ch, true
}

// topic is what other tools list: target/subject, with the group where it is
// not plain traffic.
func topic(k channelKey) string {
	s := probes.Ref{Target: k.target, Subject: k.subject}.String()
	if k.group == "event" || k.group == "note" {
		s += "#" + k.group
	}
	return utf8Only(s)
}

// utf8Only makes a name fit for MCAP strings; the envelope keeps the original.
func utf8Only(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
