package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

const (
	// commandTimeout bounds a ${cmd:…}: a password manager may have to ask.
	commandTimeout = 10 * time.Second
	// maxSecret bounds what a file or command may supply.
	maxSecret = 64 << 10
)

// splitArgs splits a command line at blanks. Single and double quotes keep
// blanks and are removed; a backslash takes the next character literally,
// except in single quotes. There is no shell: no variables, no pipes.
func splitArgs(s string) ([]string, error) {
	var args []string
	var cur strings.Builder
	quote, inArg := rune(0), false
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			cur.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inArg = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				cur.WriteRune(r)
			}
		case r == '"' || r == '\'':
			quote, inArg = r, true
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if inArg {
				args = append(args, cur.String())
				cur.Reset()
				inArg = false
			}
		default:
			cur.WriteRune(r)
			inArg = true
		}
	}
	switch {
	case quote != 0:
		return nil, errors.New("a quote in the command is not closed")
	case escaped:
		return nil, errors.New("the command ends in a backslash")
	case inArg:
		args = append(args, cur.String())
	}
	if len(args) == 0 || args[0] == "" {
		return nil, errors.New("the command is empty")
	}
	return args, nil
}

// runCommand returns what the command prints. Its errors name the program only:
// arguments and output may hold secrets.
func runCommand(ctx context.Context, line, dir string) (string, error) {
	args, err := splitArgs(line)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second // a grandchild may hold the pipe open
	out := &limited{max: maxSecret}
	cmd.Stdout = out
	switch err := cmd.Run(); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("command %s gave no answer within %s: %w", args[0], commandTimeout, context.DeadlineExceeded)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case out.over:
		return "", fmt.Errorf("command %s printed more than %d KiB", args[0], maxSecret>>10)
	case err != nil:
		return "", fmt.Errorf("command %s: %w", args[0], execCause(err))
	}
	return out.String(), nil
}

// execCause is the error without the command line exec puts into it.
func execCause(err error) error {
	var ee *exec.Error
	if errors.As(err, &ee) {
		return ee.Err
	}
	return err
}

// limited keeps the first max bytes written to it.
type limited struct {
	bytes.Buffer
	max  int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.max - l.Len(); len(p) > room {
		l.over = true
		l.Buffer.Write(p[:room])
		return len(p), nil
	}
	return l.Buffer.Write(p)
}
