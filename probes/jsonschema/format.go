package jsonschema

import (
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// fitsFormat tells whether a text is of a format of JSON Schema validation §7.3.
// Those that are not known fit.
func fitsFormat(name, s string) bool {
	switch name {
	case "date-time":
		return isDateTime(s)
	case "date":
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	case "time":
		return isDateTime("2000-01-01T" + s)
	case "duration":
		return isDuration(s)
	case "email":
		a, err := mail.ParseAddress(s)
		return err == nil && a.Address == s && a.Name == ""
	case "hostname":
		return isHostname(s)
	case "ipv4":
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is4()
	case "ipv6":
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is6() && a.Zone() == ""
	case "uri", "uri-reference":
		u, err := url.Parse(s)
		return err == nil && isASCII(s) && (name == "uri-reference" || u.IsAbs())
	case "iri", "iri-reference":
		u, err := url.Parse(s)
		return err == nil && (name == "iri-reference" || u.IsAbs())
	case "uuid":
		return isUUID(s)
	case "json-pointer":
		return isPointer(s)
	case "relative-json-pointer":
		return isRelativePointer(s)
	case "regex":
		_, err := regexp.Compile(s)
		return err == nil
	}
	return true
}

// isDateTime follows RFC 3339 §5.6, leap seconds included.
func isDateTime(s string) bool {
	s = strings.ToUpper(s)
	leap := len(s) > 19 && s[16:19] == ":60"
	if leap {
		s = s[:16] + ":59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || strings.ContainsRune(s, ',') {
		return false
	}
	u := t.UTC()
	return !leap || u.Hour() == 23 && u.Minute() == 59
}

// isDuration follows RFC 3339 appendix A: units from large to small, weeks alone.
// Units may be left out between others, as in ISO 8601.
func isDuration(s string) bool {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return false
	}
	if weeks, ok := strings.CutSuffix(rest, "W"); ok {
		return isDigits(weeks)
	}
	date, clock, timed := strings.Cut(rest, "T")
	return (date == "" && timed || inUnits(date, "YMD")) && (!timed || inUnits(clock, "HMS"))
}

// inUnits tells whether a text is numbers with units, in their order.
func inUnits(s, units string) bool {
	last := -1
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			return false
		}
		unit := strings.IndexByte(units, s[end])
		if unit <= last {
			return false
		}
		last, s = unit, s[end+1:]
	}
	return last >= 0
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isHostname follows RFC 1123 §2.1.
func isHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		ok := label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
		for i := range len(label) {
			c := label[i] | 0x20
			ok = ok && (c >= 'a' && c <= 'z' || label[i] >= '0' && label[i] <= '9' || label[i] == '-')
		}
		if !ok {
			return false
		}
	}
	return true
}

// isASCII tells whether a text has only what RFC 3986 allows unescaped.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("\"<>\\^`{|}", s[i]) >= 0 {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if s[i] != '-' {
				return false
			}
		case s[i] >= '0' && s[i] <= '9' || c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}

func isPointer(s string) bool {
	if s != "" && s[0] != '/' {
		return false
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return false
		}
	}
	return true
}

func isRelativePointer(s string) bool {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	_, err := strconv.ParseUint(s[:end], 10, 64)
	if err != nil || end > 1 && s[0] == '0' {
		return false
	}
	return s[end:] == "#" || isPointer(s[end:])
}
