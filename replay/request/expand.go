package request

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// scope is where variables have their values.
type scope struct {
	captured []Variable // the newest last
	given    []probes.Attr
	file     *File
	env      string
	getenv   func(string) string
	resolve  func(string) (string, error)
	now      time.Time

	open []string // variables whose values are being worked out
}

// Variable is a name and its value as JSON text.
type Variable struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// text expands a text to plain text, JSON to JSON.
func (s *scope) text(t Text) (string, error) {
	if t.JSON {
		return s.json(t.Raw)
	}
	return s.plain(t.Raw)
}

// plain expands {{variables}} and references in a text.
func (s *scope) plain(raw string) (string, error) {
	var b strings.Builder
	err := s.parts(raw, func(text string) error {
		if strings.Contains(text, "${") {
			var err error
			if text, err = s.resolve(text); err != nil {
				return err
			}
		}
		b.WriteString(text)
		return nil
	}, func(name string) error {
		v, err := s.value(name)
		b.WriteString(textOf(v))
		return err
	})
	return b.String(), err
}

// parts splits a text at its variables. A backslash before {{ takes its meaning
// away.
func (s *scope) parts(raw string, text, variable func(string) error) error {
	literal := ""
	for raw != "" {
		i := strings.Index(raw, "{{")
		if i < 0 {
			break
		}
		if i > 0 && raw[i-1] == '\\' {
			literal += raw[:i-1] + "{{"
			raw = raw[i+2:]
			continue
		}
		name, rest, ok := strings.Cut(raw[i+2:], "}}")
		if !ok {
			return fmt.Errorf(`a variable is not closed with }}; write \{{ for a literal {{`)
		}
		if err := text(literal + raw[:i]); err != nil {
			return err
		}
		if err := variable(strings.TrimSpace(name)); err != nil {
			return err
		}
		literal, raw = "", rest
	}
	return text(literal + raw)
}

// json expands JSON text: in its strings, and in the place of whole values. A
// string that is nothing but a variable becomes the variable's value.
func (s *scope) json(raw string) (string, error) {
	var b strings.Builder
	for raw != "" {
		i := strings.IndexAny(raw, `"{`)
		if i < 0 {
			break
		}
		b.WriteString(raw[:i])
		raw = raw[i:]
		if raw[0] == '"' {
			n := stringLen(raw)
			out, err := s.jsonString(raw[:n])
			if err != nil {
				return "", err
			}
			b.WriteString(out)
			raw = raw[n:]
			continue
		}
		rest, err := s.jsonBrace(&b, raw)
		if err != nil {
			return "", err
		}
		raw = rest
	}
	b.WriteString(raw)
	return b.String(), nil
}

// jsonBrace takes what begins with a brace outside of a string: a variable, a
// reference (then the dollar is at the end of b), or an object.
func (s *scope) jsonBrace(b *strings.Builder, raw string) (rest string, err error) {
	before := b.String()
	undo := func() { // the character before, which belongs to the brace
		before = before[:len(before)-1]
		b.Reset()
		b.WriteString(before)
	}
	name, after, isVar := strings.Cut(strings.TrimPrefix(raw, "{{"), "}}")
	isVar = isVar && strings.HasPrefix(raw, "{{") && isVariable(strings.TrimSpace(name))
	switch {
	case strings.HasPrefix(raw, "{{") && strings.HasSuffix(before, `\`):
		undo()
		if strings.HasSuffix(before, "$$") { // as if the backslash were not there
			undo()
		}
		b.WriteString("{{")
		return raw[2:], nil
	case strings.HasSuffix(before, "$$"):
		undo()
	case strings.HasSuffix(before, "$"):
		ref, after, ok := strings.Cut(raw, "}")
		if !ok {
			break
		}
		v, err := s.resolve("$" + ref + "}")
		undo()
		b.WriteString(v)
		return after, err
	case isVar:
		v, err := s.value(strings.TrimSpace(name))
		b.Write(v)
		return after, err
	}
	b.WriteByte('{')
	return raw[1:], nil
}

// stringLen is the length of the JSON string a text begins with, or all of it.
func stringLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

func (s *scope) jsonString(quoted string) (string, error) {
	if !strings.Contains(quoted, "{{") && !strings.Contains(quoted, "${") {
		return quoted, nil
	}
	var raw string
	if err := json.Unmarshal([]byte(quoted), &raw); err != nil {
		return s.plain(quoted) // the driver says where the document breaks
	}
	if name, ok := strings.CutPrefix(raw, "{{"); ok {
		if name, ok = strings.CutSuffix(name, "}}"); ok && !strings.Contains(name, "{{") {
			v, err := s.value(strings.TrimSpace(name))
			return string(v), err
		}
	}
	out, err := s.plain(raw)
	return quoteJSON(out), err
}

// isVariable reports whether {{…}} in JSON text outside of a string is a
// variable, and not an object.
func isVariable(name string) bool {
	return name != "" && !strings.ContainsAny(name, "{}\"")
}

// textOf is a value as it stands in a text.
func textOf(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// value is what a variable stands for, as JSON text.
func (s *scope) value(name string) (json.RawMessage, error) {
	for i := len(s.captured) - 1; i >= 0; i-- {
		if s.captured[i].Name == name {
			return s.captured[i].Value, nil
		}
	}
	for i := len(s.given) - 1; i >= 0; i-- {
		if s.given[i].Name == name {
			return json.RawMessage(quoteJSON(s.given[i].Value)), nil
		}
	}
	for _, vars := range s.layers() {
		for _, v := range vars {
			if v.Name == name {
				return s.declared(v)
			}
		}
	}
	return s.builtin(name)
}

// layers are the variables that apply, the closest first.
func (s *scope) layers() [][]Pair {
	var out [][]Pair
	for _, e := range s.file.Environments {
		if e.Name == s.env {
			out = append(out, e.Variables)
		}
	}
	return append(out, s.file.Variables)
}

// declared works a variable of the file out, which may use others.
func (s *scope) declared(v Pair) (json.RawMessage, error) {
	if slices.Contains(s.open, v.Name) {
		return nil, fmt.Errorf("the variables %s use each other in a circle", strings.Join(append(s.open, v.Name), ", "))
	}
	s.open = append(s.open, v.Name)
	defer func() { s.open = s.open[:len(s.open)-1] }()
	if v.Value.JSON {
		out, err := s.json(v.Value.Raw)
		return json.RawMessage(out), err
	}
	out, err := s.plain(v.Value.Raw)
	return json.RawMessage(quoteJSON(out)), err
}

// builtin is what needs no declaration: env.NAME, uuid, now, now-1h, now.unix.
func (s *scope) builtin(name string) (json.RawMessage, error) {
	if env, ok := strings.CutPrefix(name, "env."); ok {
		if v := s.getenv(env); v != "" {
			return json.RawMessage(quoteJSON(v)), nil
		}
		return nil, fmt.Errorf("environment variable %s is not set", env)
	}
	if name == "uuid" {
		return json.RawMessage(quoteJSON(newUUID())), nil
	}
	if rest, ok := strings.CutPrefix(name, "now"); ok {
		unix := strings.HasSuffix(rest, ".unix")
		rest = strings.ReplaceAll(strings.TrimSuffix(rest, ".unix"), " ", "")
		at := s.now
		if rest != "" {
			by, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
			if err != nil || rest[0] != '+' && rest[0] != '-' {
				return nil, fmt.Errorf("{{%s}}: write now, now-1h or now+90s, with .unix behind it for seconds", name)
			}
			at = at.Add(by)
		}
		if unix {
			return json.RawMessage(strconv.FormatInt(at.Unix(), 10)), nil
		}
		return json.RawMessage(quoteJSON(at.UTC().Format(time.RFC3339Nano))), nil
	}
	return nil, &unknown{name: name, hint: s.hint(name)}
}

// unknown is a variable that nobody has declared.
type unknown struct{ name, hint string }

func (u *unknown) Error() string { return fmt.Sprintf("unknown variable {{%s}}", u.name) }

func (s *scope) hint(name string) string {
	names := []string{"uuid", "now"}
	for _, v := range s.captured {
		names = append(names, v.Name)
	}
	for _, v := range s.given {
		names = append(names, v.Name)
	}
	for _, vars := range s.layers() {
		for _, v := range vars {
			names = append(names, v.Name)
		}
	}
	if near := probes.Nearest(name, names, 3); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	for _, e := range s.file.Environments {
		for _, v := range e.Variables {
			if v.Name == name {
				return "environment " + e.Name + " has it"
			}
		}
	}
	return "declare it under variables:, or give it with --var " + name + "=…"
}

// newUUID makes a random one (RFC 9562 §5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// request fills a step in. A mistake is a Problem with its place.
func (s *scope) request(st *Step) (r Request, err error) {
	text := func(t Text) string {
		if err != nil {
			return ""
		}
		out, e := s.text(t)
		if e != nil {
			err = s.problem(t.At, e)
		}
		return out
	}
	attrs := func(pairs []Pair) (out []probes.Attr) {
		for _, p := range pairs {
			out = append(out, probes.Attr{Name: p.Name, Value: text(p.Value)})
		}
		return out
	}
	r = Request{Environment: s.env, Target: text(st.Target), Method: text(st.Method), Params: attrs(st.Params),
		Header: attrs(st.Header), Options: attrs(st.Options), Deadline: st.Deadline, Compression: st.Compression,
		Redirects: st.Redirects, Force: st.Force}
	for _, d := range st.Documents {
		r.Documents = append(r.Documents, text(d))
	}
	return r, err
}

func (s *scope) problem(at Pos, err error) error {
	p := Problem{Path: s.file.Path, At: at, Message: err.Error()}
	var u *unknown
	if errors.As(err, &u) {
		p.Hint = u.hint
	}
	return p
}
