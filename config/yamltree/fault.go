package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// Cause tells the faults apart for which a file has a hint or words of its own.
type Cause uint8

const (
	Content   Cause = iota // anything else
	Syntax                 // the text is no YAML
	Documents              // there are several documents, of which the first is read
	Key                    // a key is no plain text
)

// Fault is one thing wrong with the text, and where.
type Fault struct {
	Cause   Cause
	Pos     Pos
	Message string

	// Quoted, of Syntax, goes on where Message ends, and repeats what the value
	// holds: maybe a secret.
	Quoted string
	// Line, of Syntax, is the text of the line that Pos names.
	Line string
	// Count, of Documents, is how many there are.
	Count int
}

// add collects a fault that its message tells completely.
func (r *reader) add(c Cause, at Pos, format string, args ...any) {
	r.faults = append(r.faults, Fault{Cause: c, Pos: at, Message: fmt.Sprintf(format, args...)})
}

func syntaxFault(src []byte, err error) Fault {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		return Fault{Cause: Syntax, Pos: Pos{1, 1}, Message: "invalid YAML"}
	}
	f := Fault{Cause: Syntax, Pos: place(syntax.Token)}
	// The library puts what it quotes behind a colon.
	message := strings.ReplaceAll(syntax.Message, "'\t'", "TAB")
	end := strings.Index(message, ": ")
	if end < 0 {
		end = len(message)
	}
	f.Message, f.Quoted = "invalid YAML: "+message[:end], message[end:]
	if lines := bytes.Split(src, []byte("\n")); f.Pos.Line >= 1 && f.Pos.Line <= len(lines) {
		f.Line = string(lines[f.Pos.Line-1])
	}
	return f
}

func place(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{1, 1}
	}
	return Pos{t.Position.Line, t.Position.Column}
}
