package config

import (
	"errors"
	"fmt"
	"strings"
)

// A value is literal text with references in it. "$${" stands for a literal
// "${".
//
//	${env:NAME}      environment variable
//	${file:PATH}     content of a file without the final line end; ~ is the home folder
//	${cmd:PROG ARG}  output of a command without the final line end; no shell
type part struct {
	literal string
	ref     *reference
}

type reference struct {
	scheme, arg string
}

const (
	refEnv  = "env"
	refFile = "file"
	refCmd  = "cmd"
)

var refSchemes = []string{refEnv, refFile, refCmd}

// hasReference reports whether s holds something that looks like a reference.
func hasReference(s string) bool { return strings.Contains(s, "${") }

// parseParts splits a value. Its errors name no part of the value that may be a
// secret, only what stands in the references.
func parseParts(s string) ([]part, error) {
	var parts []part
	var lit strings.Builder
	for s != "" {
		i := strings.Index(s, "${")
		if i < 0 {
			lit.WriteString(s)
			break
		}
		if i > 0 && s[i-1] == '$' {
			lit.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		lit.WriteString(s[:i])
		if lit.Len() > 0 {
			parts = append(parts, part{literal: lit.String()})
			lit.Reset()
		}
		ref, rest, err := parseReference(s[i+2:])
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{ref: &ref})
		s = rest
	}
	if lit.Len() > 0 {
		parts = append(parts, part{literal: lit.String()})
	}
	return parts, nil
}

// parseReference reads a reference after its "${".
func parseReference(s string) (ref reference, rest string, err error) {
	end := closingBrace(s)
	if end < 0 {
		return ref, "", errors.New("a reference has no closing brace")
	}
	inner, rest := s[:end], s[end+1:]
	scheme, arg, ok := strings.Cut(inner, ":")
	if !ok {
		return ref, "", errors.New(plainReference(inner))
	}
	arg = strings.TrimSpace(arg)
	switch {
	case scheme != refEnv && scheme != refFile && scheme != refCmd:
		return ref, "", fmt.Errorf("unknown kind of reference; %s", nearestKey(scheme, refSchemes))
	case arg == "":
		return ref, "", fmt.Errorf("the reference ${%s:} names nothing", scheme)
	case scheme == refEnv && !isEnvName(arg):
		return ref, "", fmt.Errorf("%q is no name of an environment variable", arg)
	case scheme == refCmd:
		if _, err := splitArgs(arg); err != nil {
			return ref, "", err
		}
	}
	return reference{scheme: scheme, arg: arg}, rest, nil
}

// plainReference words the mistake of writing ${NAME}. It repeats only what can
// be nothing but the name of a variable: the rest may be part of a secret.
func plainReference(inner string) string {
	if isEnvName(inner) && inner == strings.ToUpper(inner) {
		return "unknown reference ${" + inner + "}; write ${env:" + inner + "} for an environment variable"
	}
	return "unknown reference; write ${env:NAME} for an environment variable, and $${ for a literal ${"
}

// closingBrace finds the end of a reference; quotes protect braces in commands.
func closingBrace(s string) int {
	quote := byte(0)
	isCmd := strings.HasPrefix(s, refCmd+":")
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case isCmd && (c == '"' || c == '\''):
			quote = c
		case c == '}':
			return i
		}
	}
	return -1
}

func isEnvName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
