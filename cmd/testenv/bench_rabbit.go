package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// exchangeRow is a tap of an exchange while messages are published to it, which
// rabtap does, for both.
func exchangeRow() benchRow {
	limit := func(s *benchSite) string { return fmt.Sprint(s.opts.messages) }
	return benchRow{
		name: "rabbitmq-json", server: "rabbitmq", prepare: writeMessages,
		live: &liveRow{begin: declareExchange, listens: exchangeBound, feed: publishMessages, backlog: queuedMessages},
		work: func(o benchOptions) string {
			return fmt.Sprintf("a tap of a RabbitMQ exchange, %d messages of %d bytes to a file as JSON", o.messages, recordBytes)
		},
		sides: []benchSide{
			{tool: iscope, read: readIscope(true), args: func(s *benchSite) []string {
				return []string{"--config", "bench.yaml", "tail", "rabbitmq/exchange/" + s.topic, "--limit", limit(s), "-o", "json"}
			}},
			{tool: "rabtap", read: readRabtap, args: func(s *benchSite) []string {
				return []string{"tap", s.topic + ":#", "--uri", s.amqp(), "--format=json", "--limit=" + limit(s)}
			}},
		},
	}
}

// tapInterruptRow is how long it takes to end a tap, which has queues to remove.
// rabtap is no part of it: it says nothing before the first message.
func tapInterruptRow() benchRow {
	const times = 5
	return benchRow{name: "rabbitmq-interrupt", server: "rabbitmq", interrupt: true,
		prepare: func(ctx context.Context, s *benchSite) (want outcome, err error) {
			for range times {
				for _, deed := range []string{"created", "created", "created", "removed"} { // what counts, a queue, a binding; all
					want.add([]byte(deed))
				}
			}
			_, err = writeMessages(ctx, s)
			return want, errors.Join(err, declareExchange(ctx, s))
		},
		work: func(benchOptions) string {
			return fmt.Sprintf("Ctrl-C to the end of a tap of a RabbitMQ exchange (wall: the slowest of %d)", times)
		},
		sides: []benchSide{{tool: iscope, times: fixed(times), read: readDeeds, args: func(s *benchSite) []string {
			return []string{"--config", "bench.yaml", "tail", "rabbitmq/exchange/" + s.topic, "-o", "json"}
		}}},
	}
}

// readDeeds reads what iscope says that it does to the system.
func readDeeds(r io.Reader) (o outcome, err error) {
	err = eachLine(r, func(line []byte) error {
		var m iscopeRecord
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		if !m.isDeed() {
			return fmt.Errorf("a %s: %s", m.Kind, m.Error)
		}
		o.add([]byte(m.Attributes["iscope.deed"]))
		return nil
	})
	return o, err
}

const messagesFile = "messages"

func (s *benchSite) amqp() string {
	return "amqp://" + user + ":" + password + "@" + s.addresses["amqp"] + "/"
}

// writeMessages writes what will be published, in rabtap's format, and the
// configuration in which a tap may hold as many messages as there are: none is to
// be dropped.
func writeMessages(_ context.Context, s *benchSite) (want outcome, err error) {
	config := fmt.Sprintf("environments:\n  bench:\n    class: local\n    targets:\n      rabbitmq:\n        url: amqp://%s\n"+
		"        auth: {username: %s, password: %s}\n        options: {max_length: %d}\n", s.addresses["amqp"], user, password, s.opts.messages)
	if err := os.WriteFile(filepath.Join(s.dir, "bench.yaml"), []byte(config), 0o600); err != nil {
		return want, err
	}
	f, err := os.Create(filepath.Join(s.dir, messagesFile))
	if err != nil {
		return want, err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	out, random := json.NewEncoder(w), recordSeed()
	for i := range s.opts.messages {
		key, body := recordAt(i, random)
		want.add(key, body)
		if err := out.Encode(rabtapMessage{RoutingKey: string(key), Body: body, ContentType: "application/json"}); err != nil {
			return want, err
		}
	}
	if err := w.Flush(); err != nil {
		return want, err
	}
	return want, f.Close()
}

// rabtapMessage is what rabtap reads and writes.
type rabtapMessage struct {
	ContentType string
	RoutingKey  string
	Body        []byte
}

// readRabtap reads what rabtap tap --format=json writes.
func readRabtap(r io.Reader) (o outcome, err error) {
	d := json.NewDecoder(r)
	for {
		var m rabtapMessage
		if err := d.Decode(&m); err == io.EOF {
			return o, nil
		} else if err != nil {
			return o, err
		}
		if m.RoutingKey == "" || m.Body == nil {
			return o, errors.New("a message without routing key or body")
		}
		o.add([]byte(m.RoutingKey), m.Body)
	}
}

// declareExchange makes a new exchange for every measurement, so that no binding
// of the one before can be mistaken for the tool's.
func declareExchange(ctx context.Context, s *benchSite) error {
	s.turn++
	s.topic = fmt.Sprintf("bench-%d", s.turn)
	return s.manage(ctx, http.MethodPut, "/exchanges/%2F/"+s.topic, `{"type":"topic","durable":false}`, nil)
}

// exchangeBound reports whether the tool has bound its queue.
func exchangeBound(ctx context.Context, s *benchSite) (bool, error) {
	var bindings []struct{}
	err := s.manage(ctx, http.MethodGet, "/exchanges/%2F/"+s.topic+"/bindings/source", "", &bindings)
	return len(bindings) > 0, err
}

func publishMessages(ctx context.Context, s *benchSite) error {
	return quiet(ctx, s.dir, nil, s.tools["rabtap"].path, "pub", "--uri", s.amqp(), "--exchange", s.topic,
		"--format=json-nopp", "--delay=0s", messagesFile)
}

// queuedMessages counts what waits at the broker, or has been sent and not been
// acknowledged. The broker counts every second (collect_statistics_interval).
func queuedMessages(ctx context.Context, s *benchSite) (n int, err error) {
	var queues []struct{ Messages int }
	err = s.manage(ctx, http.MethodGet, "/queues?columns=name,messages", "", &queues)
	for _, q := range queues {
		n += q.Messages
	}
	return n, err
}

// manage makes a call to the management API.
func (s *benchSite) manage(ctx context.Context, method, path, body string, into any) error {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, s.addresses["management"]+"/api"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(user, password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s answers %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
