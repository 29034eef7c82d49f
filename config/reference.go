package config

import (
	"fmt"
	"reflect"
	"strings"

	"iscope/probes"
)

// Reference returns a Markdown page of everything the file may say, made of the
// same structs the decoder fills and of what the drivers declare.
func Reference(drivers []probes.Driver) string {
	var b strings.Builder
	b.WriteString(referenceHead)
	section(&b, "Top level", reflect.TypeFor[document]())
	section(&b, "`environments.NAME`", reflect.TypeFor[environment]())
	section(&b, "`environments.NAME.targets.NAME`", reflect.TypeFor[target]())
	section(&b, "`….tls`", reflect.TypeFor[tlsShape]())
	section(&b, "`….auth`", reflect.TypeFor[authShape]())
	section(&b, "`….schemas`", reflect.TypeFor[schemasShape]())
	section(&b, "`captures`", reflect.TypeFor[captures]())
	section(&b, "`ui`", reflect.TypeFor[ui]())
	b.WriteString(referenceRefs)
	b.WriteString("\n## Drivers\n")
	for _, d := range drivers {
		driverSection(&b, d)
	}
	return b.String()
}

const referenceHead = `# Configuration

One YAML file: the one ` + "`--config`" + ` names, else ` + "`ISCOPE_CONFIG`" + `, else ` + "`./iscope.yaml`" + `, else
` + "`iscope/iscope.yaml`" + ` in your configuration folder. What the file does not know is an error;
` + "`iscope config check`" + ` says where. Relative file names start at the file's own folder.
`

const referenceRefs = `
## References

Values marked *reference* may hold these, alone or inside other text. They are resolved when the
target is used, and what they resolve to is never shown.

| reference | becomes |
|---|---|
| ` + "`${env:NAME}`" + ` | the environment variable; not set or empty is an error |
| ` + "`${file:PATH}`" + ` | the content of the file without its final line end; ` + "`~/`" + ` is your home folder |
| ` + "`${cmd:PROGRAM ARGUMENT…}`" + ` | what the command prints, without the final line end; no shell, ten seconds at most; refused in a file found in the working directory |
| ` + "`$${`" + ` | a literal ` + "`${`" + ` |
`

func section(b *strings.Builder, title string, t reflect.Type) {
	fmt.Fprintf(b, "\n## %s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", title)
	for _, f := range fieldsOf(t) {
		doc := f.doc
		if f.example != "" {
			doc += " Example: `" + f.example + "`."
		}
		def := f.def
		if f.required {
			def = "*required*"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.name, typeWords(f), cell(def), cell(doc))
	}
}

// typeWords says in words what a key takes.
func typeWords(f field) string {
	s := "map"
	switch {
	case f.enum != nil:
		s = "`" + strings.Join(f.enum, "`, `") + "`"
	case f.isDuration:
		s = "duration"
	case f.typ == reflect.TypeFor[text]() && f.path:
		s = "file name"
	case f.typ == reflect.TypeFor[text]():
		s = "text"
	case f.typ == reflect.TypeFor[toggle]():
		s = "true or false"
	case f.typ == reflect.TypeFor[number]():
		s = "number"
	case f.typ == reflect.TypeFor[[]text]():
		s = "list of names"
	}
	if f.ref {
		s += ", *reference*"
	}
	return s
}

func driverSection(b *strings.Builder, d probes.Driver) {
	schemes := make([]string, len(d.Schemes))
	for i, s := range d.Schemes {
		schemes[i] = "`" + s.Name + "://`"
		if s.TLS {
			schemes[i] += " (TLS)"
		}
	}
	fmt.Fprintf(b, "\n### %s: %s\n\n%s\n", d.Name, strings.Join(schemes, ", "), d.Doc)
	if d.Impact != "" {
		fmt.Fprintf(b, "\nImpact: %s\n", d.Impact)
	}
	if len(d.Options) == 0 {
		return
	}
	b.WriteString("\n| option | type | default | meaning |\n|---|---|---|---|\n")
	for _, o := range d.Options {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", o.Name, o.Type, cell(o.Default), cell(o.Doc))
	}
}

// cell keeps a text inside its cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
