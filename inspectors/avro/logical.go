package avro

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"iscope/inspectors/emit"
)

// moment words a number whose logical type is a time; "" if it is none or out
// of range (https://avro.apache.org/docs/1.12.0/specification/#logical-types).
func moment(logical string, v int64) string {
	kind, local := strings.CutPrefix(logical, "local-")
	zone := "Z07:00"
	if local {
		zone = ""
	}
	switch kind {
	case "timestamp-millis":
		return instant(time.UnixMilli(v), "2006-01-02T15:04:05.000"+zone)
	case "timestamp-micros":
		return instant(time.UnixMicro(v), "2006-01-02T15:04:05.000000"+zone)
	case "timestamp-nanos":
		return instant(time.Unix(0, v), "2006-01-02T15:04:05.000000000"+zone)
	case "date":
		return instant(time.Unix(v*24*60*60, 0), "2006-01-02")
	case "time-millis":
		return ofDay(v, time.Millisecond, "15:04:05.000")
	case "time-micros":
		return ofDay(v, time.Microsecond, "15:04:05.000000")
	}
	return ""
}

func instant(t time.Time, layout string) string {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "a time out of range"
	}
	return t.Format(layout)
}

func ofDay(v int64, unit time.Duration, layout string) string {
	if v < 0 || v >= int64(24*time.Hour/unit) {
		return "not a time of day"
	}
	return time.Unix(0, v*int64(unit)).UTC().Format(layout)
}

// bytes writes a value of type bytes.
func (d *decoder) bytes(n *node, b []byte) {
	switch {
	case n.logical == "decimal" && len(b) > 0 && d.w.Big(b, n.scale):
	case n.logical == "big-decimal" && d.bigDecimal(b):
	default:
		d.w.Bytes(b)
	}
}

// bigDecimal writes a decimal that carries its own scale: its unscaled value as
// Avro bytes, then the scale.
func (d *decoder) bigDecimal(b []byte) bool {
	inner := decoder{b: b, w: d.w}
	unscaled, err := inner.block("a decimal")
	if err != nil || len(unscaled) == 0 {
		return false
	}
	scale, err := inner.long("a scale")
	if err != nil || inner.i != len(b) || scale < -emit.MaxScale || scale > emit.MaxScale {
		return false
	}
	return d.w.Big(unscaled, int(scale))
}

// fixed writes a value of a fixed type.
func (d *decoder) fixed(n *node, b []byte) error {
	switch {
	case n.logical == "decimal" && len(b) > 0 && d.w.Big(b, n.scale):
	case n.logical == "uuid" && len(b) == 16:
		d.w.String(emit.UUID(b))
	case n.logical == "duration" && len(b) == 12:
		d.w.String(duration(b))
		d.w.Note("months, days, milliseconds")
	default:
		d.w.Bytes(b)
	}
	return nil
}

// duration writes twelve bytes, three little-endian numbers, as ISO 8601 does.
func duration(b []byte) string {
	part := func(i int) uint64 {
		return uint64(b[i]) | uint64(b[i+1])<<8 | uint64(b[i+2])<<16 | uint64(b[i+3])<<24
	}
	millis := new(big.Int).SetUint64(part(8))
	w := emit.New(64, false)
	w.Decimal(millis, 3)
	return fmt.Sprintf("P%dM%dDT%sS", part(0), part(4), w.Text())
}
