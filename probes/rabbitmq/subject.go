package rabbitmq

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"iscope/probes"
)

// Kinds of subjects, as they are written.
const (
	kindExchange = "exchange"
	kindQueue    = "queue"
)

// subject is what one is asked about: an exchange or a queue. kind is empty for
// a bare name.
type subject struct {
	kind, name string
	keys       []string // routing keys, of an exchange
	offset     any      // x-stream-offset, of a stream; nil if not given
}

func (s subject) String() string {
	if s.kind == "" {
		return s.name
	}
	return s.kind + "/" + s.name
}

var errNoSubject = errors.New("no exchange or queue was named")

// parseSubject reads exchange/NAME?key=K&key=K2, queue/NAME?offset=O or NAME.
// Names may hold anything, so parameters start at the last "?key=" or
// "?offset=", whichever the kind has.
func parseSubject(text string, now time.Time) (subject, error) {
	var s subject
	marks := []string{"?key=", "?offset="}
	for i, kind := range []string{kindExchange, kindQueue} {
		if strings.HasPrefix(text, kind+"/") {
			marks = marks[i : i+1]
			break
		}
	}
	name := text
	for _, mark := range marks {
		at := strings.LastIndex(text, mark)
		if at < 0 {
			continue
		}
		name = text[:at]
		for pair := range strings.SplitSeq(text[at+1:], "&") {
			param, value, _ := strings.Cut(pair, "=")
			if err := s.param(param, value, now); err != nil {
				return s, &fault{kind: probes.ErrUsage, err: err}
			}
		}
	}
	s.name = name
	for _, kind := range []string{kindExchange, kindQueue} {
		if rest, ok := strings.CutPrefix(name, kind+"/"); ok {
			s.kind, s.name = kind, rest
		}
	}
	if s.name == "" && s.kind != kindExchange {
		return s, &fault{kind: probes.ErrUsage, err: errNoSubject, hint: "name one: exchange/NAME or queue/NAME"}
	}
	return s, nil
}

func (s *subject) param(name, value string, now time.Time) error {
	switch name {
	case "key":
		s.keys = append(s.keys, value)
		return nil
	case "offset":
		var err error
		s.offset, err = streamOffset(value, now)
		return err
	}
	return fmt.Errorf("unknown parameter %q; there are key and offset", name)
}

// streamOffset reads an x-stream-offset in any form the broker takes
// (https://www.rabbitmq.com/docs/streams#consuming). A duration is an interval
// back from the broker's clock.
func streamOffset(value string, now time.Time) (any, error) {
	switch value {
	case "first", "last", "next":
		return value, nil
	}
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return fmt.Sprintf("%ds", max(1, int64(d.Seconds()))), nil
	}
	p, err := probes.ParsePosition(value, now)
	switch {
	case err == nil && p.Kind == probes.PosOffset:
		return p.Offset, nil
	case err == nil && p.Kind == probes.PosTime:
		return p.Time, nil
	}
	return nil, fmt.Errorf("%q is no stream offset; use first, last, next, a number, @TIME or a duration such as 1h", value)
}

// urlSubject takes the vhost, the subject and options out of a URL. The path is
// /VHOST, as the AMQP URI specification says
// (https://www.rabbitmq.com/docs/uri-spec), or /VHOST/exchange/NAME and the
// like; the vhost may be left out before exchange/ and queue/.
func urlSubject(t *probes.Target, u *url.URL) string {
	path := strings.TrimPrefix(u.EscapedPath(), "/")
	vhost, rest := path, ""
	if !hasKind(path) {
		vhost, rest, _ = strings.Cut(path, "/")
	} else {
		vhost, rest = "", path
	}
	if v, err := url.PathUnescape(vhost); err == nil && v != "" {
		t.Options[optVhost] = v
	}
	name, err := url.PathUnescape(rest)
	if err != nil {
		name = rest
	}
	var params []string
	query := u.Query()
	for _, key := range slices.Sorted(maps.Keys(query)) {
		for _, v := range query[key] {
			switch key {
			case "subject":
				name = v
			case "key", "offset":
				params = append(params, key+"="+v)
			case "auth_mechanism":
				t.Auth.Mechanism = strings.ToLower(v)
			default:
				t.Options[key] = v // an unknown one is refused by open
			}
		}
	}
	if len(params) > 0 {
		name += "?" + strings.Join(params, "&")
	}
	return name
}

func hasKind(path string) bool {
	return strings.HasPrefix(path, kindExchange+"/") || strings.HasPrefix(path, kindQueue+"/")
}
