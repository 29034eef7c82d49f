package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"iscope/probes"
)

// rawCall is a request that the library has no types for: an API of a key above
// its table, or a version it stops short of. All of these are of the flexible
// kind (KIP-482).
type rawCall struct {
	key     protocol.ApiKey
	version int16
	body    []byte // without its tagged fields' end
}

// spans are the versions that a broker speaks of one API.
type spans struct{ least, most int16 }

// speaks reports whether the broker takes that version of an API, whether or
// not the library does.
func (l *link) speaks(key protocol.ApiKey, version int16) bool {
	s, ok := l.spans[key]
	return ok && s.least <= version && version <= s.most
}

// exchangeRaw sends a request and returns the body of the answer.
func (l *link) exchangeRaw(ctx context.Context, c rawCall) ([]byte, error) {
	if !l.speaks(c.key, c.version) {
		return nil, &fault{kind: probes.ErrUnsupported, err: fmt.Errorf("the broker at %s does not speak %s v%d", l.addr, apiName(c.key), c.version)}
	}
	frame, err := l.swap(ctx, c.key, func(w io.Writer) error {
		be := binary.BigEndian
		b := be.AppendUint16(be.AppendUint32(nil, uint32(12+len(clientID)+len(c.body))), uint16(c.key))
		b = be.AppendUint16(be.AppendUint32(be.AppendUint16(b, uint16(c.version)), uint32(l.corr)), uint16(len(clientID)))
		b = append(append(b, clientID...), 0) // no tagged fields in the header
		_, err := w.Write(append(append(b, c.body...), 0))
		return err
	})
	if err != nil {
		return nil, err
	}
	r := &wire{b: frame[frameHead:]}
	r.tags()
	return r.b, r.err
}

// askRaw is ask for requests that the library has no types for.
func askRaw(ctx context.Context, p *probe, addr string, c rawCall) (body []byte, err error) {
	err = p.onLink(ctx, addr, func(ctx context.Context, l *link) error {
		body, err = l.exchangeRaw(ctx, c)
		return err
	})
	return body, err
}

// apiName names an API for an error, those included that the library has no name
// for.
func apiName(key protocol.ApiKey) string {
	switch key {
	case consumerGroupDescribe:
		return "ConsumerGroupDescribe"
	case shareGroupDescribe:
		return "ShareGroupDescribe"
	case describeShareGroupOffsets:
		return "DescribeShareGroupOffsets"
	}
	return key.String()
}

// Writing the flexible kind's primitive types.

func appendCompact(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

func appendCompactCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

func (r *wire) uvarint() int {
	n, size := binary.Uvarint(r.b)
	if r.err != nil || size <= 0 || n > maxFrame {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

// compactString is "" for null.
func (r *wire) compactString() string { return string(r.take(max(r.uvarint()-1, 0))) }

// compactCount reads an array's length; its elements take a byte at least.
func (r *wire) compactCount() int {
	n := r.uvarint() - 1
	if n > len(r.b) {
		r.fail()
		return 0
	}
	return max(n, 0)
}

// compactInts reads an array of int32.
func (r *wire) compactInts() (out []int32) {
	for range r.compactCount() {
		out = append(out, r.int32())
		if r.err != nil {
			return nil
		}
	}
	return out
}

// tags skips tagged fields (KIP-482).
func (r *wire) tags() {
	for range r.uvarint() {
		r.uvarint()
		r.skip(r.uvarint())
		if r.err != nil {
			return
		}
	}
}
