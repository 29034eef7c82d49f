package cbor

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"iscope/inspectors/emit"
)

// Tags (RFC 8949 §3.4 and the IANA registry of CBOR tags) whose values are
// written in a form of their own.
const (
	tagText      = 0
	tagEpoch     = 1
	tagBig       = 2
	tagBigNeg    = 3
	tagDecimal   = 4
	tagBigFloat  = 5
	tagBase64URL = 21
	tagBase64    = 22
	tagBase16    = 23
	tagEmbedded  = 24
	tagUUID      = 37
	tagDays      = 100
	tagSelf      = 55799
)

// tag writes the item behind a tag.
func (d *decoder) tag(n uint64, tags int) error {
	switch n {
	case tagEpoch, tagDays:
		return d.time(n, tags)
	case tagBig, tagBigNeg, tagEmbedded, tagUUID:
		if b, ok := d.peekBytes(); ok && d.special(n, b) {
			return nil
		}
	case tagDecimal, tagBigFloat:
		if done, err := d.fraction(n); done || err != nil {
			return err
		}
	case tagBase64URL, tagBase64, tagBase16:
		was := d.bytes
		d.bytes = byte(n)
		err := d.value(tags + 1)
		d.bytes = was
		return err
	}
	if err := d.value(tags + 1); err != nil {
		return err
	}
	if d.w.Noting() {
		d.w.Note(tagName(n))
	}
	return nil
}

func tagName(n uint64) string {
	names := map[uint64]string{tagText: "time", 32: "URI", 33: "base64url", 34: "base64", 35: "regular expression",
		36: "MIME message", 258: "set", 1004: "date", tagSelf: "says it is CBOR"}
	if name, ok := names[n]; ok {
		return name
	}
	return "tag " + strconv.FormatUint(n, 10)
}

// time writes seconds or days since 1970 with the time they mean.
func (d *decoder) time(n uint64, tags int) error {
	at := d.i
	if err := d.value(tags + 1); err != nil {
		return err
	}
	if !d.w.Noting() {
		return nil
	}
	w := emit.New(64, false)
	inner := decoder{b: d.b, i: at, w: w}
	if inner.value(tags+1) != nil {
		return nil
	}
	seconds, err := strconv.ParseFloat(string(w.Text()), 64)
	layout := time.RFC3339Nano
	if n == tagDays {
		seconds *= 24 * 60 * 60
		layout = time.DateOnly
	}
	const most = 253402300799
	if err != nil || math.Abs(seconds) > most {
		d.w.Note(tagName(n))
		return nil
	}
	whole, part := math.Modf(seconds)
	// More digits than microseconds are noise in a double of this size.
	t := time.Unix(int64(whole), int64(part*1e6)*1000).UTC()
	d.w.Note(t.Format(layout))
	return nil
}

// peekBytes returns the byte string that follows; it is consumed only when
// there is one.
func (d *decoder) peekBytes() ([]byte, bool) {
	at := d.i
	major, _, n, open, err := d.head()
	if err == nil && major == majorBytes {
		if b, err := d.chunks(major, n, open); err == nil {
			return b, true
		}
	}
	d.i = at
	return nil, false
}

// special writes a byte string by the meaning of its tag. It always writes:
// as data where it does not fit the tag.
func (d *decoder) special(tag uint64, b []byte) bool {
	switch {
	case (tag == tagBig || tag == tagBigNeg) && d.bignum(tag, b):
		return true
	case tag == tagUUID && len(b) == 16:
		d.w.String(emit.UUID(b))
		d.w.Note("UUID")
		return true
	case tag == tagEmbedded && d.embedded(b):
		return true
	}
	d.w.Bytes(b)
	d.w.Note(tagName(tag))
	return true
}

func (d *decoder) bignum(tag uint64, b []byte) bool {
	const most = 1024
	if len(b) > most {
		return false
	}
	v := new(big.Int).SetBytes(b)
	if tag == tagBigNeg {
		v.Not(v) // -1-n
	}
	return d.w.Decimal(v, 0)
}

// maxEmbedded is how often CBOR may be embedded in CBOR, and in keys: each
// level starts with nesting of its own.
const maxEmbedded = 3

// embedded writes a byte string that holds CBOR as that item.
func (d *decoder) embedded(b []byte) bool {
	const most = 1 << 20
	if d.inside >= maxEmbedded {
		return false
	}
	w := emit.New(most, false)
	inner := decoder{b: b, w: w, bytes: d.bytes, inside: d.inside + 1}
	if inner.value(0) != nil || w.Full() || inner.i != len(b) {
		return false
	}
	d.w.Raw(w.Text())
	d.w.Note("embedded CBOR")
	return true
}

// fraction writes [exponent, mantissa] as a number: by powers of ten in full;
// by powers of two only where the result is short.
func (d *decoder) fraction(tag uint64) (done bool, err error) {
	at := d.i
	exp, mantissa, ok := d.pair()
	if !ok {
		d.i = at
		return false, nil
	}
	const most = 512 // bits that a power of two may add
	switch {
	case tag == tagDecimal && exp >= -emit.MaxScale && exp <= emit.MaxScale:
		ok = d.w.Decimal(mantissa, int(-exp))
	case tag == tagBigFloat && exp >= 0 && exp <= most:
		ok = d.w.Decimal(mantissa.Lsh(mantissa, uint(exp)), 0)
	case tag == tagBigFloat && exp < 0 && exp >= -most:
		// m/2^k = m*5^k/10^k
		five := new(big.Int).Exp(big.NewInt(5), big.NewInt(-exp), nil)
		ok = d.w.Decimal(mantissa.Mul(mantissa, five), int(-exp))
	default:
		ok = false
	}
	if !ok {
		d.i = at
		return false, nil
	}
	d.w.Note(fmt.Sprintf("tag %d", tag))
	return true, nil
}

// pair reads an array of an exponent and a mantissa, which may be a bignum.
func (d *decoder) pair() (exp int64, mantissa *big.Int, ok bool) {
	major, _, n, open, err := d.head()
	if err != nil || major != majorArray || n != 2 || open {
		return 0, nil, false
	}
	e, ok := d.integer()
	if !ok || !e.IsInt64() {
		return 0, nil, false
	}
	m, ok := d.integer()
	return e.Int64(), m, ok
}

func (d *decoder) integer() (*big.Int, bool) {
	major, _, n, _, err := d.head()
	if err != nil {
		return nil, false
	}
	v := new(big.Int).SetUint64(n)
	switch {
	case major == majorUint:
		return v, true
	case major == majorNegative:
		return v.Not(v), true
	case major == majorTag && (n == tagBig || n == tagBigNeg):
		b, ok := d.peekBytes()
		const most = 1024
		if !ok || len(b) > most {
			return nil, false
		}
		v.SetBytes(b)
		if n == tagBigNeg {
			v.Not(v)
		}
		return v, true
	}
	return nil, false
}
