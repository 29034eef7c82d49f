package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// kafkaRow is a tail of a whole topic, with kcat as the peer.
func kafkaRow(name, how string, keys bool, own, peer benchSide) benchRow {
	own.tool, peer.tool = iscope, "kcat"
	return benchRow{name: name, server: "kafka", sides: []benchSide{own, peer},
		prepare: func(ctx context.Context, s *benchSite) (outcome, error) { return s.produce(ctx, s.opts.records, keys) },
		work: func(o benchOptions) string {
			return fmt.Sprintf("%d Kafka records of %d bytes to a file %s", o.records, recordBytes, how)
		}}
}

func tailTopic(args ...string) func(*benchSite) []string {
	return func(s *benchSite) []string {
		return append([]string{"tail", "kafka://" + s.addresses["bootstrap"] + "/" + s.topic}, args...)
	}
}

func kcatTopic(args ...string) func(*benchSite) []string {
	return func(s *benchSite) []string {
		return append([]string{"-C", "-q", "-b", s.addresses["bootstrap"], "-t", s.topic}, args...)
	}
}

// interruptRow is how long a tail takes to end that is told to by SIGINT, as a
// terminal does on Ctrl-C. Each time it has shown the last record and waits.
func interruptRow() benchRow {
	const times = 5
	last := func(ctx context.Context, s *benchSite) (want outcome, err error) {
		if _, err = s.produce(ctx, 1, true); err != nil {
			return want, err
		}
		key, value := recordAt(0, recordSeed())
		for range times {
			want.add(key, value)
		}
		return want, nil
	}
	return benchRow{name: "kafka-interrupt", server: "kafka", prepare: last, interrupt: true,
		work: func(benchOptions) string {
			return fmt.Sprintf("Ctrl-C to the end of a tail that runs (wall: the slowest of %d)", times)
		},
		sides: []benchSide{
			{tool: iscope, times: fixed(times), read: readIscope(true), args: tailTopic("--last", "1", "--follow", "-o", "json")},
			{tool: "kcat", times: fixed(times), read: readKcat, args: kcatTopic("-u", "-J", "-o", "-1")},
		}}
}

func fixed(n int) func(benchOptions) int { return func(benchOptions) int { return n } }

// produce fills a new topic with kcat and returns what a reader must find there:
// values, and keys if those are wanted.
func (s *benchSite) produce(ctx context.Context, n int, keys bool) (want outcome, err error) {
	s.topic = "bench-" + filepath.Base(s.dir)
	file := filepath.Join(s.dir, "records")
	defer os.Remove(file)
	if want, err = writeRecords(file, n, keys); err != nil {
		return want, err
	}
	err = quiet(ctx, s.dir, nil, s.tools["kcat"].path, "-P", "-q", "-b", s.addresses["bootstrap"], "-t", s.topic, "-K", "\t", "-l", file)
	return want, err
}

const recordBytes = 500

// writeRecords writes lines of a key, a tab and a value of 500 bytes: a JSON
// document with a running number and text that does not repeat. They are the
// same in every run.
func writeRecords(file string, n int, keys bool) (want outcome, err error) {
	f, err := os.Create(file)
	if err != nil {
		return want, err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	random := recordSeed()
	for i := range n {
		key, value := recordAt(i, random)
		if keys {
			want.add(key, value)
		} else {
			want.add(value)
		}
		fmt.Fprintf(w, "%s\t%s\n", key, value)
	}
	if err := w.Flush(); err != nil {
		return want, err
	}
	return want, f.Close()
}

func recordSeed() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func recordAt(i int, random *rand.Rand) (key, value []byte) {
	key = fmt.Appendf(nil, "order-%07d", i)
	value = fmt.Appendf(nil, `{"order_id":%q,"sequence":%d,"customer":"c%04d","note":"`, key, i, random.IntN(10_000))
	for len(value) < recordBytes-2 {
		value = append(value, "abcdefghijklmnopqrstuvwxyz  "[random.IntN(28)])
	}
	return key, append(value, `"}`...)
}

// readKcat reads what kcat -J writes.
func readKcat(r io.Reader) (o outcome, err error) {
	err = eachLine(r, func(line []byte) error {
		var m struct{ Key, Payload *string }
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		if m.Key == nil || m.Payload == nil {
			return errors.New("a record without key or payload")
		}
		o.add([]byte(*m.Key), []byte(*m.Payload))
		return nil
	})
	return o, err
}
