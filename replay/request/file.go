package request

import (
	"time"
)

// File is one file of saved requests: steps that are made one after the other.
type File struct {
	Path      string
	Name      string
	Target    Text
	Variables []Pair // of all environments
	// Environments have variables of their own, which come before those of all.
	Environments []Environment
	Steps        []Step
}

// Environment is the variables of one.
type Environment struct {
	Name      string
	At        Pos
	Variables []Pair
}

// Text is a text with its place. It may hold {{variables}} and references to
// secrets (${env:NAME}).
type Text struct {
	Raw string
	At  Pos
	// JSON says that Raw is JSON text: what stands in it for a whole string
	// becomes the variable's own value, a number a number.
	JSON bool
}

// Pair is a named text.
type Pair struct {
	Name  string
	At    Pos
	Value Text
}

// Step is one call to make.
type Step struct {
	Name        string
	At          Pos
	Target      Text // the file's if it is empty
	Method      Text
	Params      []Pair
	Header      []Pair
	Options     []Pair
	Documents   []Text
	Capture     []Pair // variables to take from the answer, by path
	Expect      []Text // conditions; without any, the call has to succeed
	Deadline    time.Duration
	Compression string
	Redirects   int
	Force       bool
	NoTrace     bool
}
