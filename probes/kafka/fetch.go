package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

const (
	minFetch  = 4 // first with record batches v2 (Kafka 0.11)
	longPoll  = time.Second
	silence   = 5 * time.Second // after a long poll, that means the broker is lost
	partBytes = 1 << 20         // asked for of one partition
	allBytes  = 2 << 20         // asked for of one broker at once
	leastPart = 64 << 10        // of one partition, when many share allBytes
)

// fetchPart is what is wanted of one partition.
type fetchPart struct {
	part
	offset   int64
	maxBytes int32
	now      bool // answer at once, even if there is nothing
	cur      *cursor
}

// fetched is a broker's answer about one partition. Its slices alias the frame.
type fetched struct {
	part
	code     int16
	high     int64 // high watermark: the end of what is replicated
	stable   int64 // last stable offset: the end of what is decided
	start    int64 // first offset in the log; -1 before v5
	aborted  []aborted
	records  []byte
	sound    int    // see soundUpTo
	frame    *frame // that records alias
	seen     time.Time
	wasFirst bool // first in the request: never left empty for lack of room
}

// aborted says that a producer's records from that offset on, up to its abort
// marker, are void.
type aborted struct{ producer, first int64 }

// fetchRequest asks for committed records without a fetch session.
func fetchRequest(parts []fetchPart) *fetch.Request {
	req := &fetch.Request{ReplicaID: -1, MaxWaitTime: int32(longPoll / time.Millisecond), MinBytes: 1, MaxBytes: allBytes,
		IsolationLevel: committed, SessionID: 0, SessionEpoch: -1}
	for _, p := range parts {
		// Topics are not merged: the order of partitions says who comes first
		// when not all fit into the answer.
		n := len(req.Topics)
		if n == 0 || req.Topics[n-1].Topic != p.topic {
			req.Topics = append(req.Topics, fetch.RequestTopic{Topic: p.topic})
			n++
		}
		t := &req.Topics[n-1]
		t.Partitions = append(t.Partitions, fetch.RequestPartition{Partition: p.id, CurrentLeaderEpoch: -1,
			FetchOffset: p.offset, LogStartOffset: -1, PartitionMaxBytes: p.maxBytes})
		req.MaxBytes = max(req.MaxBytes, p.maxBytes)
		if p.now {
			req.MaxWaitTime = 0
		}
	}
	return req
}

// fetch asks one broker. The library's own response type would decompress
// everything and hide which records are void, so the answer is decoded here. The
// frame is what the answer aliases.
func (l *link) fetch(ctx context.Context, req *fetch.Request, parts []fetchPart) (out []fetched, frame []byte, err error) {
	frame, version, err := l.exchange(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	l.throttle = throttleOf(frame[frameHead:])
	out, err = decodeFetch(frame[frameHead:], version)
	if err != nil {
		return nil, nil, protocolFault(fmt.Errorf("reading the answer to %s v%d: %w", protocol.Fetch, version, err))
	}
	for i := range out {
		out[i].wasFirst = len(parts) > 0 && out[i].part == parts[0].part
	}
	return out, frame, nil
}

// throttleOf is for how long the broker will not read what comes next, for the sake
// of a quota (KIP-219).
func throttleOf(body []byte) time.Duration {
	r := &wire{b: body}
	if ms := r.int32(); r.err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return 0
}

// decodeFetch reads the body of a Fetch response, versions 4 to 11
// (https://kafka.apache.org/protocol#The_Messages_Fetch).
func decodeFetch(b []byte, version int16) ([]fetched, error) {
	r := &wire{b: b}
	r.skip(4) // throttle time: the broker delayed its answer by itself
	if version >= 7 {
		if code := r.int16(); code != 0 {
			return nil, brokerError(code, "")
		}
		r.skip(4) // session id
	}
	var out []fetched
	for range r.count(6) {
		topic := r.string()
		for range r.count(34) {
			out = append(out, decodeFetched(r, topic, version))
		}
	}
	return out, r.err
}

func decodeFetched(r *wire, topic string, version int16) fetched {
	f := fetched{part: part{topic, r.int32()}, start: -1}
	f.code, f.high, f.stable = r.int16(), r.int64(), r.int64()
	if version >= 5 {
		f.start = r.int64()
	}
	if n := r.count(16); n > 0 {
		f.aborted = make([]aborted, n)
		for i := range f.aborted {
			f.aborted[i] = aborted{producer: r.int64(), first: r.int64()}
		}
	}
	if version >= 11 {
		r.skip(4) // preferred read replica: we name no rack
	}
	f.records = r.bytes()
	return f
}

// wire reads the protocol's primitive types. After the end it yields zeros and
// keeps the error.
type wire struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends early")

func (r *wire) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// fail ends the reading; the first reason stays.
func (r *wire) fail() {
	if r.err == nil {
		r.err = errShort
	}
	r.b = nil
}

func (r *wire) skip(n int) { r.take(n) }

func (r *wire) bool() bool {
	b := r.take(1)
	return b != nil && b[0] != 0
}

func (r *wire) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *wire) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *wire) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *wire) string() string { return string(r.take(int(max(r.int16(), 0)))) }

// bytes is nil for null.
func (r *wire) bytes() []byte {
	n := r.int32()
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}

// count reads an array's length. Elements of at least size bytes have to fit
// into what is left, so that a forged length costs nothing.
func (r *wire) count(size int) int {
	n := int(r.int32())
	if n > 0 && n > len(r.b)/size {
		r.err = errShort
	}
	if r.err != nil {
		return 0
	}
	return max(n, 0)
}
