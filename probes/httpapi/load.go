package httpapi

import (
	"errors"
	"fmt"
	"strings"
)

// errNoDocument says that a text is something else than an OpenAPI document.
var errNoDocument = errors.New("it is no OpenAPI document")

// parsed is a document read and mended. Its tree is not changed any more.
type parsed struct {
	version  string // as the document says: "3.0.3", "3.1.0", "2.0"
	tree     part   // what references in Method and Record lead into; 2.0 in the form of 3.0
	split    bool   // it has parts from other files
	warnings []string
	compiled checkers
}

// parseDocument reads an OpenAPI document. Parts that are broken are left out
// with a warning; an error means that there is nothing to work with. file is
// where the text comes from, "" if that is no local file.
func parseDocument(text []byte, file string) (d *parsed, err error) {
	// The YAML parser is made for well-meant documents; this one comes from
	// whatever answered. A panic in it must not end the program.
	defer func() {
		if r := recover(); r != nil {
			d, err = nil, fmt.Errorf("the document broke its parser: %v", r)
		}
	}()
	tree, src, broken, err := parseTree(text)
	if err != nil {
		return nil, err
	}
	d = &parsed{tree: tree}
	if d.version, err = versionOf(tree); err != nil {
		return nil, err
	}
	m := mender{root: tree}
	if broken != nil {
		m.warnings = append(m.warnings, *broken)
	}
	if file != "" {
		m.files = newFiles(file, tree)
	}
	m.mend()
	if strings.HasPrefix(d.version, "2.") {
		d.tree = convert2(tree)
	}
	d.split = tree[filesKey] != nil
	d.warnings = worded(m.warnings, m.beyond, src)
	return d, nil
}

// versionOf reads what kind of document a tree is.
func versionOf(tree part) (string, error) {
	for _, key := range []string{"openapi", "swagger"} {
		v, ok := tree[key]
		if !ok {
			continue
		}
		version := strings.TrimSpace(fmt.Sprint(v))
		tree[key] = version // unquoted in YAML it is a number
		if key == "openapi" && strings.HasPrefix(version, "3.") || key == "swagger" && version == "2.0" {
			return version, nil
		}
		return "", fmt.Errorf("%s %q is not supported; 2.0, 3.0 and 3.1 are", key, version)
	}
	return "", errNoDocument
}

// since31 tells whether schemas are those of JSON Schema 2020-12.
func (d *parsed) since31() bool {
	return !strings.HasPrefix(d.version, "2") && !strings.HasPrefix(d.version, "3.0")
}
