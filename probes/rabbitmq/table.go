package rabbitmq

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

// AMQP tables have typed values (https://www.rabbitmq.com/amqp-0-9-1-errata#section_3);
// a record's headers are bytes. A value is rendered as a person would write it,
// and its type kept beside it as a tag: the letter of the wire, or for a table
// {"F":{name:tag}} and for an array {"A":[tag]}. Strings need no tag. Inside
// tables and arrays, which are rendered as JSON, bytes that are no text are
// base64 with the tag S64.

// tag is the type of a value, as JSON.
type tag any

const tagString = "S"

// renderValue returns the text and the tag of a value; nil text for a void.
func renderValue(v any) ([]byte, tag) {
	switch v := v.(type) {
	case nil:
		return nil, "V"
	case string:
		return []byte(v), tagString
	case []byte:
		return v, "x"
	case amqp.Table, []any:
		plain, t := plainValue(v)
		return marshalPlain(plain), t
	}
	text, t := renderScalar(v)
	return []byte(text), t
}

func renderScalar(v any) (string, tag) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), "t"
	case int8:
		return strconv.Itoa(int(v)), "b"
	case byte:
		return strconv.Itoa(int(v)), "B"
	case int16:
		return strconv.Itoa(int(v)), "s"
	case uint16:
		return strconv.Itoa(int(v)), "u"
	case int32:
		return strconv.Itoa(int(v)), "I"
	case uint32:
		return strconv.FormatUint(uint64(v), 10), "i"
	case int64:
		return strconv.FormatInt(v, 10), "l"
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32), "f"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), "d"
	case amqp.Decimal:
		return decimalText(v), "D"
	case time.Time:
		return v.UTC().Format(time.RFC3339), "T"
	}
	return fmt.Sprint(v), tagString // the library decodes no other type
}

// decimalText keeps all digits, so that the scale can be read back.
func decimalText(d amqp.Decimal) string {
	digits, sign := strconv.FormatInt(int64(d.Value), 10), ""
	if d.Value < 0 {
		digits, sign = digits[1:], "-"
	}
	if d.Scale == 0 {
		return sign + digits
	}
	digits = strings.Repeat("0", max(0, int(d.Scale)+1-len(digits))) + digits
	at := len(digits) - int(d.Scale)
	return sign + digits[:at] + "." + digits[at:]
}

// plainValue turns a value inside a table or array into what JSON can hold.
func plainValue(v any) (any, tag) {
	switch v := v.(type) {
	case nil:
		return nil, "V"
	case bool:
		return v, "t"
	case string:
		if utf8.ValidString(v) {
			return v, tagString
		}
		return base64.StdEncoding.EncodeToString([]byte(v)), "S64"
	case []byte:
		return base64.StdEncoding.EncodeToString(v), "x"
	case []any:
		out, tags := make([]any, len(v)), make([]tag, len(v))
		for i := range v {
			out[i], tags[i] = plainValue(v[i])
		}
		return out, map[string]tag{"A": tags}
	case amqp.Table:
		out, tags := map[string]any{}, map[string]tag{}
		for name, value := range v {
			name = tagName(name)
			out[name], tags[name] = plainValue(value)
		}
		return out, map[string]tag{"F": tags}
	}
	text, t := renderScalar(v)
	switch t {
	case "D", "T":
		return text, t
	case "f", "d":
		if f, err := strconv.ParseFloat(text, 64); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return text, t
		}
	}
	return json.Number(text), t
}

func marshalPlain(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil { // plainValue yields only what can be encoded
		return nil
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// base64Name marks a name that is no valid UTF-8, which JSON cannot hold.
const base64Name = "base64:"

func tagName(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, base64Name) {
		return name
	}
	return base64Name + base64.StdEncoding.EncodeToString([]byte(name))
}

func nameOfTag(name string) string {
	if enc, ok := strings.CutPrefix(name, base64Name); ok {
		if b, err := base64.StdEncoding.DecodeString(enc); err == nil {
			return string(b)
		}
	}
	return name
}

var errTag = errors.New("the value does not fit its recorded type")

// parseValue is the inverse of renderValue.
func parseValue(text []byte, t tag) (any, error) {
	word, scalar := t.(string)
	switch {
	case text == nil:
		return nil, nil
	case !scalar:
		var plain any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&plain); err != nil {
			return nil, errTag
		}
		return parsePlain(plain, t)
	case word == "V":
		return nil, errTag
	case word == "x":
		return text, nil
	}
	return parseScalar(string(text), word)
}

func parseScalar(text, word string) (v any, err error) {
	switch word {
	case tagString:
		return text, nil
	case "t":
		v, err = strconv.ParseBool(text)
	case "b", "B", "s", "u", "I", "i", "l":
		return parseInteger(text, word)
	case "f":
		var f float64
		f, err = strconv.ParseFloat(text, 32)
		v = float32(f)
	case "d":
		v, err = strconv.ParseFloat(text, 64)
	case "D":
		return parseDecimal(text)
	case "T":
		v, err = time.Parse(time.RFC3339, text)
	default:
		return nil, errTag
	}
	if err != nil {
		return nil, errTag
	}
	return v, nil
}

func parseInteger(text, word string) (any, error) {
	bits := map[string]int{"b": 8, "B": 9, "s": 16, "u": 17, "I": 32, "i": 33, "l": 64}[word]
	n, err := strconv.ParseInt(text, 10, bits)
	unsigned := word == "B" || word == "u" || word == "i"
	if err != nil || unsigned && n < 0 {
		return nil, errTag
	}
	switch word {
	case "b":
		return int8(n), nil
	case "B":
		return byte(n), nil
	case "s":
		return int16(n), nil
	case "u":
		return uint16(n), nil
	case "I":
		return int32(n), nil
	case "i":
		return uint32(n), nil
	}
	return n, nil
}

func parseDecimal(text string) (any, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+fraction, 10, 32)
	if err != nil || len(fraction) > math.MaxUint8 {
		return nil, errTag
	}
	return amqp.Decimal{Scale: uint8(len(fraction)), Value: int32(n)}, nil
}

// parsePlain is the inverse of plainValue.
func parsePlain(v any, t tag) (any, error) {
	if word, ok := t.(string); ok {
		return parsePlainScalar(v, word)
	}
	shape, ok := t.(map[string]any)
	if !ok {
		return nil, errTag
	}
	if tags, ok := shape["A"].([]any); ok {
		list, ok := v.([]any)
		if !ok || len(list) != len(tags) {
			return nil, errTag
		}
		out := make([]any, len(list))
		var err error
		for i := range list {
			if out[i], err = parsePlain(list[i], tags[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	tags, isTable := shape["F"].(map[string]any)
	object, isObject := v.(map[string]any)
	if !isTable || !isObject {
		return nil, errTag
	}
	out := amqp.Table{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, err := parsePlain(object[name], tags[name])
		if err != nil {
			return nil, err
		}
		out[nameOfTag(name)] = value
	}
	return out, nil
}

func parsePlainScalar(v any, word string) (any, error) {
	switch v := v.(type) {
	case nil:
		if word == "V" {
			return nil, nil
		}
	case bool:
		if word == "t" {
			return v, nil
		}
	case json.Number:
		return parseScalar(v.String(), word)
	case string:
		if word == "S64" || word == "x" {
			b, err := base64.StdEncoding.DecodeString(v)
			if err != nil {
				return nil, errTag
			}
			if word == "x" {
				return b, nil
			}
			return string(b), nil
		}
		return parseScalar(v, word)
	}
	return nil, errTag
}
