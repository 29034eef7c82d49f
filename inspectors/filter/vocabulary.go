package filter

import (
	"slices"
	"strings"

	"iscope/probes"
)

// vocabulary is the names that a kind of filter has.
type vocabulary struct {
	noun   string // what is chosen, in the plural
	fields []field
	attrs  []string // attributes that may be written with dots
	roots  []root
	funcs  []function
}

// root is a name with more below it.
type root struct{ name, doc string }

// function is a function of the language, for documentation; build_call.go
// gives it its meaning.
type function struct{ name, call, doc string }

func recordVocabulary() *vocabulary {
	return &vocabulary{noun: "records", fields: recordFields(), attrs: fullAttrs(), roots: []root{
		{"body", "the decoded body: body.order.total, body.items[0].sku, body.items[-1], body[\"odd-name\"]"},
		{"headers", "headers[\"x-id\"], \"x-id\" in headers, any(headers, .name startsWith \"x-\" && .value == \"1\")"},
		{"attrs", "attributes by full name: attrs[\"kafka.offset\"]; names that are known may be written kafka.offset"},
	}, funcs: slices.Concat([]function{{"header", `header("x-id")`, "the first header of that name, whatever its case"}}, functions())}
}

func rowVocabulary() *vocabulary {
	return &vocabulary{noun: "rows", fields: rowFields(), attrs: fullAttrs(), roots: []root{
		{"attrs", "attributes by name: attrs[\"kafka.cluster.id\"]"},
	}, funcs: functions()}
}

func functions() []function {
	return []function{
		{"any", "any(body.items, .price > 10)", "whether one element fulfils the condition; # is the element itself"},
		{"all", `all(body.tags, # startsWith "a")`, "whether every element does; false if there is no such list"},
		{"none", "none(body.items, .price > 10)", "whether no element does"},
		{"count", "count(body.items, .price > 10) >= 2", "how many elements do"},
		{"len", "len(body.items) > 3", "number of elements, members or characters"},
		{"lower", `lower(body.name) == "bob"`, "text in lower case"},
		{"upper", `upper(key) == "EU"`, "text in upper case"},
		{"number", "number(body.total) > 100", "a number that was sent as text"},
		{"text", `text(body.id) == "42"`, "a value as it was sent, whatever its type"},
		{"ago", `time > ago("5m")`, "a time before the moment the filter was given"},
		{"at", `time < at("14:30")`, "a time: RFC 3339, YYYY-MM-DD or HH:MM[:SS] of today"},
		{"duration", `seen - time > duration("2s")`, "a duration: ms, s, m, h"},
	}
}

// field returns a field by its name.
func (v *vocabulary) field(name string) *field {
	for i := range v.fields {
		if v.fields[i].name == name {
			return &v.fields[i]
		}
	}
	return nil
}

func (v *vocabulary) hasRoot(name string) bool {
	return slices.ContainsFunc(v.roots, func(r root) bool { return r.name == name })
}

func (v *vocabulary) function(name string) *function {
	for i := range v.funcs {
		if v.funcs[i].name == name {
			return &v.funcs[i]
		}
	}
	return nil
}

// begins reports whether a token begins as only expressions do.
func (v *vocabulary) begins(token string) bool {
	token = strings.TrimLeft(token, "!(")
	end := strings.IndexAny(token, ".[(")
	if end <= 0 {
		return false
	}
	name := token[:end]
	switch token[end] {
	case '(':
		return v.function(name) != nil
	case '[':
		return v.hasRoot(name)
	}
	// A dot, but not the one that ends a sentence.
	return v.hasRoot(name) && len(token) > end+1 && letter(token[end+1])
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

// isField reports whether a token is a field, or a path below one.
func (v *vocabulary) isField(token string) bool {
	token = strings.Trim(token, "!()")
	return v.field(token) != nil || v.hasRoot(token) || v.begins(token) || slices.Contains(v.attrs, token)
}

// operand reports whether a token looks like a literal or a field.
func (v *vocabulary) operand(token string) bool {
	token = strings.Trim(token, "!(),")
	return strings.HasPrefix(token, mark) || strings.HasPrefix(token, "[") || strings.HasSuffix(token, "]") ||
		numeric(token) || v.isField(token)
}

// names are all names an expression may begin with.
func (v *vocabulary) names() (out []string) {
	for i := range v.fields {
		out = append(out, v.fields[i].name)
	}
	for i := range v.roots {
		out = append(out, v.roots[i].name)
	}
	for i := range v.funcs {
		out = append(out, v.funcs[i].name)
	}
	return out
}

// hint says what somebody may have meant by a name that does not exist.
func (v *vocabulary) hint(name string) string {
	other := map[string]string{"topic": "subject", "queue": "subject", "payload": "raw", "value": "raw", "message": "raw", "error": "err",
		"header": `header("name")`, "ts": "time", "timestamp": "time", "type": `body.type or header("type")`, "duration": "took"}
	quote := `; text needs quotes: "` + name + `"`
	if v.hasRoot("body") {
		const short = 4 // of which too many are near
		if o := other[name]; o != "" {
			return "did you mean " + o + "?" + quote
		}
		if near := probes.Nearest(name, v.names(), 1); len(near) > 0 && len(name) >= short {
			return "did you mean " + near[0] + "? A field of the body is body." + name + quote
		}
		return "a field of the body is body." + name + quote
	}
	return probes.NearestHint(name, v.names()) + quote
}
