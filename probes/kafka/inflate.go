package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/compress"
)

// maxInflated bounds what a batch may grow to, lest a few bytes of zeros,
// compressed, take the machine's memory.
const maxInflated = 512 << 20

// inflater decompresses one batch at a time into a buffer it keeps.
type inflater struct {
	in  bytes.Reader
	out []byte
}

// keepInflated is the largest buffer kept between batches.
const keepInflated = 4 << 20

// leastInflated is the smallest buffer.
const leastInflated = 64 << 10

// inflate returns the batch's records uncompressed. They are valid until the
// next call.
func (f *inflater) inflate(codec int8, stored []byte) ([]byte, error) {
	c := compress.Compression(codec)
	if c == compress.None {
		return stored, nil
	}
	known := c.Codec()
	if known == nil {
		return nil, fmt.Errorf("unknown compression %d", codec)
	}
	if c == compress.Snappy {
		if err := checkSnappy(stored); err != nil {
			return nil, fmt.Errorf("decompressing %s: %w", known.Name(), err)
		}
	}
	if cap(f.out) > keepInflated {
		f.out = nil
	}
	f.in.Reset(stored)
	r := known.NewReader(&f.in)
	defer r.Close()
	var err error
	if f.out, err = readAll(r, f.out[:0]); err != nil {
		return nil, fmt.Errorf("decompressing %s: %w", known.Name(), err)
	}
	return f.out, nil
}

// readAll appends to b what r holds. It grows b by a third where bytes.Buffer
// doubles: there is one for each partition.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, max(leastInflated, cap(b)/3*4)), b...)
		}
		n, err := r.Read(b[len(b):cap(b)])
		switch b = b[:len(b)+n]; {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		case len(b) > maxInflated:
			return nil, fmt.Errorf("more than %d MiB", maxInflated>>20)
		}
	}
}

// Framing of the Java snappy library ("xerial"): a magic, two versions, then
// chunks with their length before them. Other clients send one bare chunk.
const (
	xerialMagic = "\x82SNAPPY\x00"
	xerialHead  = 16
)

var errSnappy = errors.New("corrupt input")

// checkSnappy refuses forged lengths: the codec believes them and allocates up
// to 4 GiB before it looks at the data.
func checkSnappy(b []byte) error {
	if !bytes.HasPrefix(b, []byte(xerialMagic)) {
		return checkChunk(b)
	}
	if len(b) < xerialHead {
		return errSnappy
	}
	for b = b[xerialHead:]; len(b) > 0; {
		if len(b) < 4 {
			return errSnappy
		}
		n := binary.BigEndian.Uint32(b)
		if b = b[4:]; int64(n) > int64(len(b)) {
			return errSnappy
		}
		if err := checkChunk(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// checkChunk compares the length a chunk claims for its content with what it
// could hold: three bytes stand for at most 64.
func checkChunk(b []byte) error {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b))*64/3+64 {
		return errSnappy
	}
	return nil
}
