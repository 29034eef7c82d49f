package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad feeds anything to the loader. It must answer with a configuration
// whose every use works, or with problems that have a place, and never panic.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, s := range []string{full, shown, "", "---\n", "# nothing\n", "&a [*a]", "a: &a {<<: *a}", "? [x]\n: y", "%YAML 1.2\n---\n", "a: !!binary x", "{", "\t", "ui: {ascii: tRue}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 8<<10 || strings.Contains(string(src), "cmd:") {
			return // the library is quadratic in depth; commands are not run by a fuzzer
		}
		c, err := parse(Location{"iscope.yaml", FromFlag}, src, testDrivers(), noEnv)
		if err != nil {
			var ps *Problems
			if !errors.As(err, &ps) || len(*ps) == 0 {
				t.Fatalf("got %v", err)
			}
			for _, p := range *ps {
				if p.Message == "" || p.Line < 1 || p.Column < 1 {
					t.Fatalf("a problem without a place: %+v", p)
				}
			}
			return
		}
		for _, name := range c.EnvironmentNames() {
			if _, err := c.Environment(name); err != nil {
				t.Fatal(err)
			}
			for _, target := range c.TargetNames(name) {
				if strings.Contains(string(src), "${file:") {
					break
				}
				c.Target(name, target)
			}
		}
		checkShown(t, c)
	})
}

// checkShown verifies that what Show writes is a configuration again.
func checkShown(t *testing.T, c *Config) {
	t.Helper()
	for _, format := range []string{"yaml", "json"} {
		var b strings.Builder
		if err := c.Show(&b, format); err != nil {
			t.Fatal(err)
		}
		if b.Len() > maxFile {
			continue
		}
		if _, err := parse(Location{"iscope.yaml", FromFlag}, []byte(b.String()), testDrivers(), noEnv); err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
	}
}

func FuzzReferences(f *testing.F) {
	for _, s := range []string{"a${env:B}c", "$${env:X}", "${cmd:a '}' b}", "${", "${file:~/x}${env:Y}", "$$${env:A}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := parseParts(s)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, p := range parts {
			if p.ref != nil {
				b.WriteString("${" + p.ref.scheme + ":" + p.ref.arg + "}")
				continue
			}
			b.WriteString(strings.ReplaceAll(p.literal, "${", "$${"))
		}
		again, err := parseParts(b.String())
		if err != nil || len(again) != len(parts) {
			t.Fatalf("%q became %q: %v", s, b.String(), err)
		}
	})
}
