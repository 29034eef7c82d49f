package emit

import (
	"math/big"
	"strconv"
	"strings"
)

// maxUnscaled bounds numbers of any length, in bytes: writing one in decimal
// takes time that grows faster than its length.
const maxUnscaled = 1024

// Big writes two's complement big-endian bytes as unscaled / 10^scale, every
// digit kept. It reports false where the number is too long to be written.
func (w *Writer) Big(b []byte, scale int) bool {
	if len(b) > maxUnscaled {
		return false
	}
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return w.Decimal(v, scale)
}

// maxZeros is how many zeros a number is padded with before it is written with
// an exponent.
const maxZeros = 40

// Decimal writes v / 10^scale, every digit kept: 12345 and 2 are 123.45. It
// reports false where v is too long to be written.
func (w *Writer) Decimal(v *big.Int, scale int) bool {
	if v.BitLen() > 8*maxUnscaled {
		return false
	}
	if !w.before() {
		return true
	}
	digits := v.String()
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	w.buf = append(w.buf, sign...)
	w.buf = append(w.buf, placePoint(digits, scale)...)
	w.after()
	return true
}

func placePoint(digits string, scale int) string {
	switch {
	case scale == 0:
		return digits
	case scale < 0 || scale-len(digits) > maxZeros:
		if digits == "0" {
			return "0"
		}
		return digits + "e" + strconv.Itoa(-scale)
	case scale >= len(digits):
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	return digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// MaxScale bounds the power of ten that encodings let a sender choose.
const MaxScale = 1 << 20
