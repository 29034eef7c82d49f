package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"unicode/utf8"

	"iscope/config/yamltree"
	"iscope/probes"
)

// maxFile bounds the file: the YAML library takes seconds for deep nesting, and
// a hundred targets are 20 KiB.
const maxFile = 256 << 10

// Load reads and checks a file. What is wrong with it comes back as Problems,
// all at once. Secrets are not resolved yet.
func Load(at Location, drivers []probes.Driver) (*Config, error) {
	f, err := os.Open(at.Path)
	if err != nil {
		return nil, unreadable(at.Path, err, "")
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(at.Path, err, "")
	}
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(at.Path, err, "")
	}
	c, err := parse(at, src, drivers, os.Getenv)
	if err != nil {
		return nil, err
	}
	c.warnAboutMode(info.Mode())
	return c, nil
}

// Empty is the configuration where there is no file.
func Empty(drivers []probes.Driver) *Config {
	return &Config{s: &state{drivers: drivers, getenv: os.Getenv}}
}

func parse(at Location, src []byte, drivers []probes.Driver, getenv func(string) string) (*Config, error) {
	r := &report{path: at.Path}
	dir, err := filepath.Abs(filepath.Dir(at.Path))
	if err != nil {
		return nil, unreadable(at.Path, err, "")
	}
	s := &state{at: at, dir: dir, drivers: drivers, getenv: getenv}
	if readable(src, r) {
		if root := parseYAML(src, r); root != nil {
			decoder{r}.decode(root, reflect.ValueOf(&s.doc).Elem(), field{})
			checker{r, drivers, at.Trusted()}.document(&s.doc)
		}
	}
	if ps := r.sorted(); len(ps) > 0 {
		return nil, &ps
	}
	s.warn()
	return &Config{Path: at.Path, s: s}, nil
}

// readable refuses what is no text before the YAML library sees it.
func readable(src []byte, r *report) bool {
	if len(src) > maxFile {
		r.add(yamltree.Pos{Line: 1, Column: 1}, "", "the file is larger than %d KiB", maxFile>>10)
		return false
	}
	line := 1
	for rest := src; len(rest) > 0; line++ {
		text, after, _ := bytes.Cut(rest, []byte("\n"))
		if i := bytes.IndexByte(text, 0); i >= 0 || !utf8.Valid(text) {
			r.add(yamltree.Pos{Line: line, Column: 1}, "", "this line is no UTF-8 text")
			return false
		}
		rest = after
	}
	return true
}

// warn collects what is allowed and unwise.
func (s *state) warn() {
	r := &report{path: s.at.Path}
	if len(s.doc.Environments) == 0 {
		r.add(yamltree.Pos{Line: 1, Column: 1}, "", "no environment is configured")
	}
	walk(reflect.ValueOf(&s.doc).Elem(), field{}, func(f field, raw string, at yamltree.Pos) {
		if f.secret && raw != "" && !allReferences(raw) {
			s.literals = true
			r.add(at, "keep it elsewhere and refer to it: ${env:NAME}, ${file:PATH}", "%s stands here in plain text", f.name)
		}
	})
	for _, e := range s.doc.Environments {
		for _, t := range e.Value.Targets {
			if tls := t.Value.TLS; tls != nil && tls.Insecure.Value {
				r.add(tls.Insecure.At, "", "certificates of %s are not verified: anyone in between can read and change the traffic", t.Name.Raw)
			}
		}
	}
	s.warnings = r.sorted()
}

func (c *Config) warnAboutMode(mode os.FileMode) {
	if c.s.literals && mode.Perm()&0o077 != 0 {
		c.s.warnings = append(c.s.warnings, Problem{Path: c.s.at.Path, Hint: "chmod 600 " + c.s.at.Path,
			Message: fmt.Sprintf("the file holds secrets, and its mode %04o lets others read it", mode.Perm())})
	}
}

// allReferences reports whether nothing of a value stands in the file itself.
func allReferences(raw string) bool {
	parts, err := parseParts(raw)
	if err != nil {
		return false
	}
	for _, p := range parts {
		if p.ref == nil {
			return false
		}
	}
	return true
}
