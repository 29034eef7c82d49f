package replay

import "encoding/binary"

// cursor takes MCAP's primitive types off the front of a byte slice. Reading
// past the end sets bad and yields zeros: one check at the end is enough, and
// no length in a damaged file can make it panic.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) u8() byte {
	if v := c.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if v := c.take(2); v != nil {
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if v := c.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if v := c.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (c *cursor) text() string { return string(c.take(uint64(c.u32()))) }

// pairs reads a map of strings.
func (c *cursor) pairs() map[string]string {
	in := cursor{b: c.take(uint64(c.u32()))}
	m := map[string]string{}
	for len(in.b) > 0 && !in.bad {
		k := in.text()
		m[k] = in.text()
	}
	c.bad = c.bad || in.bad
	return m
}

// done reports whether everything was there and nothing is left.
func (c *cursor) done() bool { return !c.bad && len(c.b) == 0 }
