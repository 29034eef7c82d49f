package imports

import (
	"fmt"
	"strings"
)

// multipartOf makes a body (RFC 7578) of curl's -F values: name=text, or with
// ;type= behind it. An empty name stands for --form-string, whose text is taken
// as it is. Files are not read; they are in the notes.
func multipartOf(parts []string) (body, contentType string, notes []string) {
	boundary := "iscope-form"
	for strings.Contains(strings.Join(parts, "\n"), boundary) {
		boundary += "-x"
	}
	var b strings.Builder
	for _, p := range parts {
		literal := strings.HasPrefix(p, "=")
		name, value, _ := strings.Cut(strings.TrimPrefix(p, "="), "=")
		typed := ""
		if !literal {
			if strings.HasPrefix(value, "@") || strings.HasPrefix(value, "<") {
				notes = append(notes, fmt.Sprintf("the part %s of the form is left out: it is the file %s", name, value[1:]))
				continue
			}
			if text, t, ok := strings.Cut(value, ";type="); ok {
				value, typed = text, t
			}
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
		}
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n", boundary, quoted(name))
		if typed != "" {
			fmt.Fprintf(&b, "Content-Type: %s\r\n", typed)
		}
		fmt.Fprintf(&b, "\r\n%s\r\n", value)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.String(), "multipart/form-data; boundary=" + boundary, notes
}

// quoted escapes a name as browsers do (WHATWG HTML, multipart/form-data).
func quoted(s string) string {
	return strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace(s)
}
