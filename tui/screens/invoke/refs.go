package invoke

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"iscope/config"
	"iscope/probes"
	"iscope/replay/request"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/jsondoc"
	"iscope/tui/session"
)

// refers reports whether a text may hold references.
func refers(s string) bool { return strings.Contains(s, "${") && session.Reference().MatchString(s) }

// vault knows what references stand for. The screen, the history and files hold the
// references; the values are put in when a call is made, and taken out of all that
// comes back, then and later: a server may keep what it was sent.
type vault struct {
	file string // the saved request's, whose folder relative paths are in
	all  *kit.Secrets
}

// shortest is the length from which on a value is taken out of what comes back;
// shorter ones would take half of it along.
const shortest = 6

// text puts the values in.
func (s *vault) text(t string) (string, error) {
	if !refers(t) {
		return t, nil
	}
	var bad error
	out := session.Reference().ReplaceAllStringFunc(t, func(ref string) string {
		value, err := config.Expand(s.file, ref, os.Getenv)
		if err != nil && bad == nil {
			bad = err
		}
		if err == nil && !strings.HasPrefix(ref, "$$") {
			s.note(value)
		}
		return value
	})
	return out, bad
}

// note keeps a value, as it is and as it stands in JSON.
func (s *vault) note(value string) {
	if len(value) < shortest {
		return
	}
	forms := []string{value}
	if quoted, err := json.Marshal(value); err == nil {
		forms = append(forms, string(quoted[1:len(quoted)-1]))
	}
	forms = append(forms, strings.Trim(jsondoc.Quote(value), `"`))
	s.all.Note(forms...)
}

// document puts the values in the strings of a document. One that is no JSON is a
// text.
func (s *vault) document(doc []byte) ([]byte, error) {
	if !refers(string(doc)) {
		return doc, nil
	}
	v := jsondoc.Of(doc)
	if v == nil {
		out, err := s.text(string(doc))
		return []byte(out), err
	}
	if err := s.within(v); err != nil {
		return nil, err
	}
	return []byte(v.Indent()), nil
}

func (s *vault) within(v *jsondoc.Value) (err error) {
	if v.Kind == jsondoc.String {
		v.Text, err = s.text(v.Text)
		return err
	}
	for _, k := range v.Kids {
		if err := s.within(k); err != nil {
			return err
		}
	}
	return nil
}

// invocation puts the values in everything but the documents.
func (s *vault) invocation(in probes.Invocation) (probes.Invocation, error) {
	var bad error
	text := func(t string) string {
		out, err := s.text(t)
		if err != nil && bad == nil {
			bad = err
		}
		return out
	}
	in.Method = text(in.Method)
	in.Params, in.Header = slices.Clone(in.Params), slices.Clone(in.Header)
	for i := range in.Params {
		in.Params[i].Value = text(in.Params[i].Value)
	}
	for i := range in.Header {
		in.Header[i].Value = []byte(text(string(in.Header[i].Value)))
	}
	return in, bad
}

const scrubbed = "«redacted»"

// scrub takes the values out of a text.
func (s *vault) scrub(t string) string {
	for _, secret := range s.all.All() {
		t = strings.ReplaceAll(t, secret, scrubbed)
	}
	return t
}

// record takes the values out of a record.
func (s *vault) record(r *probes.Record) {
	secrets := s.all.All()
	if len(secrets) == 0 {
		return
	}
	for _, b := range []*[]byte{&r.Key, &r.Body, (*[]byte)(&r.Native)} {
		*b = without(*b, secrets)
	}
	r.Header, r.Attrs, r.Err = slices.Clone(r.Header), slices.Clone(r.Attrs), s.scrub(r.Err)
	r.Source.Subject = s.scrub(r.Source.Subject)
	for i := range r.Header {
		r.Header[i].Value = without(r.Header[i].Value, secrets)
	}
	for i := range r.Attrs {
		r.Attrs[i].Value = s.scrub(r.Attrs[i].Value)
	}
}

func without(b []byte, secrets []string) []byte {
	for _, secret := range secrets {
		if bytes.Contains(b, []byte(secret)) {
			b = bytes.ReplaceAll(b, []byte(secret), []byte(scrubbed))
		}
	}
	return b
}

// keepReferences is what a text of a saved request looks like on the screen: with
// its references, and all else as it is sent.
func keepReferences(file, text string) (string, error) {
	var b strings.Builder
	at := 0
	add := func(part string) error {
		out, err := config.Expand(file, part, os.Getenv)
		b.WriteString(out)
		return err
	}
	for _, m := range session.Reference().FindAllStringIndex(text, -1) {
		if err := add(text[at:m[0]]); err != nil {
			return "", err
		}
		b.WriteString(text[m[0]:m[1]])
		at = m[1]
	}
	err := add(text[at:])
	return b.String(), err
}

// template makes a saved request of one with references: each becomes a variable
// of the file. Without any, the request stays as it is.
func template(r request.Request) (out request.Request, vars []probes.Attr, is bool) {
	session.Rewrite(r, func(s string, _ bool) string { is = is || refers(s); return s })
	if !is {
		return r, nil, false
	}
	out = session.Rewrite(r, func(s string, inJSON bool) string {
		braces := `\{{`
		if inJSON {
			braces = `\\{{`
		}
		s = strings.ReplaceAll(s, "{{", braces)
		return session.Reference().ReplaceAllStringFunc(s, func(ref string) string {
			if strings.HasPrefix(ref, "$$") {
				return ref[1:] // written with its dollar again
			}
			name := session.Variable(ref)
			if !slices.ContainsFunc(vars, func(v probes.Attr) bool { return v.Name == name }) {
				vars = append(vars, probes.Attr{Name: name, Value: ref})
			}
			return "{{" + name + "}}"
		})
	})
	return out, vars, true
}
