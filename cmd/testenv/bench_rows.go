package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// iscope is the first side of every row.
const iscope = "iscope"

// benchRows lists what is measured.
func benchRows() []benchRow {
	kafka := func(name, what string, prepare func(context.Context, *benchSite) (outcome, error), own, peer benchSide) benchRow {
		own.tool, peer.tool = iscope, "kcat"
		return benchRow{name: name, server: "kafka", prepare: prepare, sides: []benchSide{own, peer},
			work: func(o benchOptions) string { return fmt.Sprintf(what, o.records) }}
	}
	tail := func(output ...string) func(*benchSite) []string {
		return func(s *benchSite) []string {
			return append([]string{"tail", "kafka://" + s.addresses["bootstrap"] + "/" + s.topic, "--from", "beginning", "--until", "end"}, output...)
		}
	}
	consume := func(output ...string) func(*benchSite) []string {
		return func(s *benchSite) []string {
			return append([]string{"-C", "-e", "-q", "-b", s.addresses["bootstrap"], "-t", s.topic, "-o", "beginning"}, output...)
		}
	}
	calls := func(o benchOptions) int { return o.calls }
	return []benchRow{
		kafka("kafka-plain", "%d Kafka records of 500 bytes to a file, as each tool does it unasked (iscope: JSON lines, kcat: values only)", produceValues,
			benchSide{args: tail(), read: readIscope(false)}, benchSide{args: consume(), read: readLines}),
		kafka("kafka-json", "%d Kafka records of 500 bytes to a file as JSON lines", produceKeyed,
			benchSide{args: tail("-o", "json"), read: readIscope(true)}, benchSide{args: consume("-J"), read: readKcat}),
		{
			name: "grpc-unary", server: "interop", prepare: expectEmptyBodies,
			work: func(o benchOptions) string {
				return fmt.Sprintf("%d unary gRPC calls by reflection, a process each", o.calls)
			},
			sides: []benchSide{
				{tool: iscope, times: calls, read: readDocuments, args: func(s *benchSite) []string {
					return []string{"invoke", "grpc://" + s.addresses["grpc"], unaryMethod, "-d", unaryRequest, "--write", "-o", "text"}
				}},
				{tool: "grpcurl", times: calls, read: readDocuments, args: func(s *benchSite) []string {
					return []string{"-plaintext", "-d", unaryRequest, s.addresses["grpc"], unaryMethod}
				}},
			},
		},
	}
}

const (
	unaryMethod  = "grpc.testing.TestService/UnaryCall"
	unaryBytes   = 1000
	unaryRequest = `{"response_size":1000}`
)

// expectEmptyBodies: the interop server answers with as many zero bytes as it is
// asked for (https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md).
func expectEmptyBodies(_ context.Context, s *benchSite) (o outcome, err error) {
	body := base64.StdEncoding.EncodeToString(make([]byte, unaryBytes))
	for range s.opts.calls {
		if err := o.addDocument(map[string]any{"payload": map[string]any{"body": body}}); err != nil {
			return o, err
		}
	}
	return o, nil
}

func produceValues(ctx context.Context, s *benchSite) (outcome, error) { return s.produce(ctx, false) }
func produceKeyed(ctx context.Context, s *benchSite) (outcome, error)  { return s.produce(ctx, true) }

// produce fills a new topic with kcat and returns what a reader must find there:
// values, and keys if those are wanted.
func (s *benchSite) produce(ctx context.Context, keys bool) (want outcome, err error) {
	s.topic = "bench-" + filepath.Base(s.dir)
	file := filepath.Join(s.dir, "records")
	defer os.Remove(file)
	if want, err = writeRecords(file, s.opts.records, keys); err != nil {
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
	random := rand.New(rand.NewPCG(1, 2))
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

func recordAt(i int, random *rand.Rand) (key, value []byte) {
	key = fmt.Appendf(nil, "order-%07d", i)
	value = fmt.Appendf(nil, `{"order_id":%q,"sequence":%d,"customer":"c%04d","note":"`, key, i, random.IntN(10_000))
	for len(value) < recordBytes-2 {
		value = append(value, "abcdefghijklmnopqrstuvwxyz  "[random.IntN(28)])
	}
	return key, append(value, `"}`...)
}
