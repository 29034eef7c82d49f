package form

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Time reads a time as an editor takes it: RFC 3339, or "now" with a distance:
// "now-1h", "now+90s", "now-7d".
func Time(s string, now time.Time) (time.Time, error) {
	rest, relative := strings.CutPrefix(s, "now")
	switch {
	case !relative:
		return time.Parse(time.RFC3339Nano, s)
	case rest == "":
		return now, nil
	case rest[0] != '-' && rest[0] != '+':
		return time.Time{}, errors.New("after now comes + or -")
	}
	d, err := Duration(strings.TrimSpace(rest[1:]))
	if rest[0] == '-' {
		d = -d
	}
	return now.Add(d), err
}

// Duration reads "1.5s", "250ms", "1h30m", "7d".
func Duration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		r, isNumber := new(big.Rat).SetString(days)
		if !isNumber || len(days) > 8 {
			return 0, fmt.Errorf("%q are no days", s)
		}
		hours, _ := r.Float64()
		return time.Duration(hours * 24 * float64(time.Hour)), nil
	}
	return time.ParseDuration(s)
}

// Bytes reads bytes as an editor takes them: hex:0a0b, text:words, base64:… or
// base64 without a word before it. A file (@name) is read when it is sent.
func Bytes(s string) ([]byte, error) {
	how, rest, _ := strings.Cut(s, ":")
	switch how {
	case "hex":
		return hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
	case "text":
		return []byte(rest), nil
	case "base64":
		return decode(rest)
	}
	return decode(s)
}

// Parse makes a value of what was typed for a shape. What does not fit is kept as
// a text, which Check then tells: nothing typed is lost.
func Parse(s *probes.Shape, typed string) *jsondoc.Value {
	kind := probes.ShapeAny
	if s != nil {
		kind = s.Kind
	}
	switch kind {
	case probes.ShapeInteger:
		if jsondoc.IsNumber(typed) && wholeNumber(typed) {
			return jsondoc.NewNumber(typed)
		}
	case probes.ShapeNumber:
		if jsondoc.IsNumber(typed) {
			return jsondoc.NewNumber(typed)
		}
	case probes.ShapeBool:
		if typed == "true" || typed == "false" {
			return jsondoc.NewBool(typed == "true")
		}
	case probes.ShapeEnum:
		return parseEnum(s, typed)
	case probes.ShapeBytes:
		return parseBytes(typed)
	case probes.ShapeAny, probes.ShapeObject, probes.ShapeList, probes.ShapeMap, probes.ShapeUnion:
		if v, _, err := jsondoc.Parse(typed); err == nil {
			return v
		}
	}
	return jsondoc.NewText(typed)
}

func parseEnum(s *probes.Shape, typed string) *jsondoc.Value {
	for _, c := range s.Choices {
		if Unquote(c.Value) == typed {
			if v := jsondoc.Of([]byte(c.Value)); v != nil {
				return v
			}
		}
	}
	if jsondoc.IsNumber(typed) {
		return jsondoc.NewNumber(typed)
	}
	return jsondoc.NewText(typed)
}

// parseBytes: what is typed is text unless it says otherwise. A file's name and
// what cannot be read stay as they are.
func parseBytes(typed string) *jsondoc.Value {
	how, _, named := strings.Cut(typed, ":")
	switch {
	case strings.HasPrefix(typed, "@"):
		return jsondoc.NewText(typed)
	case named && (how == "hex" || how == "base64" || how == "text"):
		b, err := Bytes(typed)
		if err != nil {
			return jsondoc.NewText(typed)
		}
		return jsondoc.NewText(base64.StdEncoding.EncodeToString(b))
	}
	return jsondoc.NewText(base64.StdEncoding.EncodeToString([]byte(typed)))
}

// Words is a value as it is typed for a shape: what Parse reads.
func Words(s *probes.Shape, v *jsondoc.Value) string {
	switch {
	case v == nil:
		return ""
	case len(v.Kids) > 0 || v.Kind >= jsondoc.Object:
		return v.Compact()
	case s == nil || s.Kind == probes.ShapeAny:
		if v.Kind == jsondoc.String {
			return v.Compact() // "7" is not 7 here
		}
		return v.Text
	case s.Kind == probes.ShapeBytes && v.Kind == jsondoc.String:
		return bytesWords(v.Text)
	}
	return v.Text
}

// bytesWords shows bytes as text where they are text, otherwise as hex.
func bytesWords(text string) string {
	if strings.HasPrefix(text, "@") {
		return text
	}
	b, err := decode(text)
	if err != nil {
		return text
	}
	plain := utf8.Valid(b) && strings.IndexFunc(string(b), func(r rune) bool { return !unicode.IsPrint(r) }) < 0
	switch {
	case !plain:
		return "hex:" + hex.EncodeToString(b)
	case strings.HasPrefix(string(b), "@"), parseBytes(string(b)).Text != base64.StdEncoding.EncodeToString(b):
		return "text:" + string(b)
	}
	return string(b)
}
