package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"iscope/probes"
)

// Saved is a request to be written to a file. Masked values in it become
// variables that are declared as environment variables.
type Saved struct {
	Name string
	Request
	Expect    []string
	Variables []probes.Attr // declared beside those of masked values
	Comment   []string
	// Template says that the request's texts hold {{variables}} to be kept, and
	// not text that merely looks like it.
	Template bool
}

// Emit writes requests as the text of a file: one as itself, several as steps.
// It returns the names of the secrets that became variables.
func Emit(name string, all []Saved) (text []byte, secrets []string) {
	w := &emitter{}
	var body bytes.Buffer
	target := all[0].Target
	for i := range all {
		if all[i].Target != target {
			target = ""
		}
	}
	if len(all) == 1 {
		w.step(&body, "", &all[0], target)
	} else {
		body.WriteString("steps:\n")
		for i := range all {
			var one bytes.Buffer
			w.step(&one, "    ", &all[i], target)
			fmt.Fprintf(&body, "  - %s", strings.TrimPrefix(one.String(), "    "))
		}
	}
	var out bytes.Buffer
	if len(all) == 1 {
		comments(&out, "", all[0].Comment)
		if all[0].Name != "" {
			name = all[0].Name
		}
	}
	if name != "" {
		fmt.Fprintf(&out, "name: %s\n", scalar(name))
	}
	if target != "" {
		fmt.Fprintf(&out, "target: %s\n", scalar(w.template(target, all[0].Template)))
	}
	w.variables(&out, all)
	out.Write(body.Bytes())
	return out.Bytes(), w.secrets
}

func comments(b *bytes.Buffer, indent string, lines []string) {
	for _, l := range lines {
		l = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, l)
		fmt.Fprintf(b, "%s# %s\n", indent, l)
	}
}

// emitter writes YAML. It collects the secrets it meets.
type emitter struct{ secrets []string }

func (w *emitter) variables(b *bytes.Buffer, all []Saved) {
	var vars []probes.Attr
	for i := range all {
		for _, v := range all[i].Variables {
			if !slices.ContainsFunc(vars, func(o probes.Attr) bool { return o.Name == v.Name }) {
				vars = append(vars, v)
			}
		}
	}
	if len(vars)+len(w.secrets) == 0 {
		return
	}
	b.WriteString("variables:\n")
	for _, v := range vars {
		fmt.Fprintf(b, "  %s: %s\n", v.Name, scalar(v.Value))
	}
	for _, s := range w.secrets {
		fmt.Fprintf(b, "  %s: \"${env:%s}\"\n", s, variableName(s))
	}
}

func (w *emitter) step(b *bytes.Buffer, in string, s *Saved, target string) {
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(b, "%s%s: %s\n", in, key, scalar(value))
		}
	}
	if in != "" {
		line("name", s.Name)
		comments(b, in, s.Comment)
		if target == "" {
			line("target", w.template(s.Target, s.Template))
		}
	}
	line("method", w.template(s.Method, s.Template))
	w.attrs(b, in, "params", s.Params, s.Template)
	w.attrs(b, in, "header", s.Header, s.Template)
	w.attrs(b, in, "options", s.Options, s.Template)
	switch len(s.Documents) {
	case 0:
	case 1:
		fmt.Fprintf(b, "%sdocument: %s\n", in, w.document(in, s.Documents[0], s.Template))
	default:
		fmt.Fprintf(b, "%sdocuments:\n", in)
		for _, d := range s.Documents {
			fmt.Fprintf(b, "%s  - %s\n", in, w.document(in+"  ", d, s.Template))
		}
	}
	line("compress", s.Compression)
	if s.Redirects > 0 {
		fmt.Fprintf(b, "%sredirects: %d\n", in, s.Redirects)
	}
	if s.Deadline > 0 {
		line("deadline", s.Deadline.String())
	}
	if s.Force {
		fmt.Fprintf(b, "%sforce: true\n", in)
	}
	if len(s.Expect) > 0 {
		fmt.Fprintf(b, "%sexpect:\n", in)
		for _, e := range s.Expect {
			fmt.Fprintf(b, "%s  - %s\n", in, scalar(e))
		}
	}
}

// attrs writes pairs as a map; a name that is given several times has a list.
func (w *emitter) attrs(b *bytes.Buffer, in, key string, all []probes.Attr, template bool) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "%s%s:\n", in, key)
	var done []string
	for _, a := range all {
		if slices.Contains(done, a.Name) {
			continue
		}
		done = append(done, a.Name)
		var values []string
		for _, o := range all {
			if o.Name == a.Name {
				values = append(values, scalar(w.template(o.Value, template)))
			}
		}
		if len(values) == 1 {
			fmt.Fprintf(b, "%s  %s: %s\n", in, scalar(a.Name), values[0])
			continue
		}
		fmt.Fprintf(b, "%s  %s: [%s]\n", in, scalar(a.Name), strings.Join(values, ", "))
	}
}

// template writes a text so that it is read as itself, and its masked values
// become variables.
func (w *emitter) template(s string, isTemplate bool) string {
	var b strings.Builder
	masked(s, func(text string) {
		text = strings.ReplaceAll(text, "${", "$${")
		if !isTemplate {
			text = strings.ReplaceAll(text, "{{", `\{{`)
		}
		b.WriteString(text)
	}, func(name string) { b.WriteString("{{" + w.secret(name) + "}}") })
	return b.String()
}

func (w *emitter) secret(name string) string {
	name = strings.ToLower(variableName(name))
	if !slices.Contains(w.secrets, name) {
		w.secrets = append(w.secrets, name)
	}
	return name
}

// document writes a document as a block that looks as the document does.
func (w *emitter) document(in, doc string, template bool) string {
	if !looksLikeJSON(doc) || !json.Valid([]byte(doc)) {
		return block(in, w.template(doc, template))
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(strings.TrimSpace(doc)), "", "  ") != nil {
		return block(in, w.template(doc, template))
	}
	text := pretty.String()
	if !template {
		// Within JSON strings; outside of them there are no two braces.
		text = strings.ReplaceAll(text, "{{", `\\{{`)
	}
	return block(in, w.template(text, true))
}

// block writes a text over lines, or in quotes where that would change it.
func block(in, s string) string {
	plain := strings.TrimRight(s, "\n")
	control := strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
	if control || plain == "" || s != plain || strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") || strings.Contains(s+"\n", " \n") {
		return scalar(s)
	}
	if !strings.Contains(s, "\n") {
		return scalar(s)
	}
	return "|-\n" + in + "  " + strings.ReplaceAll(plain, "\n", "\n"+in+"  ")
}

// scalar writes a text in quotes wherever YAML could read it as something else.
// Double quotes of YAML take JSON's escapes.
func scalar(s string) string {
	plain := s != "" && !strings.Contains(s, ": ") && !strings.Contains(s, " #") && s == strings.TrimSpace(s) && !strings.HasSuffix(s, ":")
	for i, r := range s {
		letter := unicode.IsLetter(r) || r == '/' || r == '_'
		plain = plain && (letter || i > 0 && (unicode.IsDigit(r) || strings.ContainsRune("-. ()=+@:<>", r)))
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	return quoteJSON(s)
}

// Write creates a file with requests. It never overwrites another.
func Write(path, name string, all []Saved) (secrets []string, err error) {
	text, secrets := Emit(name, all)
	if _, err := Parse(path, text); err != nil {
		return nil, fmt.Errorf("what would be written cannot be read again: %w", err)
	}
	if err := create(path, text); err != nil {
		e := &probes.Error{Target: path, Op: "writing the saved request", Kind: probes.ErrUsage, Err: err}
		var pe *fs.PathError
		if errors.As(err, &pe) {
			e.Err = pe.Err
		}
		if errors.Is(err, fs.ErrExist) {
			e.Hint = "it is not overwritten; move it away or choose another name"
		}
		return nil, e
	}
	return secrets, nil
}

func create(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// Readable for others: it is meant for a repository and holds no secrets.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}
