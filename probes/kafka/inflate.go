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
	out bytes.Buffer
}

// keepInflated is the largest buffer kept between batches.
const keepInflated = 4 << 20

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
	if f.out.Cap() > keepInflated {
		f.out = bytes.Buffer{}
	}
	f.in.Reset(stored)
	f.out.Reset()
	r := known.NewReader(&f.in)
	defer r.Close()
	n, err := f.out.ReadFrom(io.LimitReader(r, maxInflated+1))
	if err != nil {
		return nil, fmt.Errorf("decompressing %s: %w", known.Name(), err)
	}
	if n > maxInflated {
		return nil, fmt.Errorf("decompressing %s: more than %d MiB", known.Name(), maxInflated>>20)
	}
	return f.out.Bytes(), nil
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
