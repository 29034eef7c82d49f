package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

// errNoDocument says that a text is something else than an OpenAPI document.
var errNoDocument = errors.New("it is no OpenAPI document")

// parsed is a document read and mended.
type parsed struct {
	version  string // as the document says: "3.0.3", "3.1.0", "2.0"
	spec     *openapi3.T
	tree     map[string]any // what references in Method and Record lead into
	warnings []string
}

// parseDocument reads an OpenAPI document. Parts that are broken are left out
// with a warning; an error means that there is nothing to work with.
func parseDocument(text []byte) (d parsed, err error) {
	// The parsers below are made for well-meant documents; this one comes from
	// whatever answered. A panic in them must not end the program.
	defer func() {
		if r := recover(); r != nil {
			d, err = parsed{}, fmt.Errorf("the document broke its parser: %v", r)
		}
	}()
	tree, src, broken, err := parseTree(text)
	if err != nil {
		return parsed{}, err
	}
	var warnings []warning
	if broken != nil {
		warnings = append(warnings, *broken)
	}
	d.version, err = versionOf(tree)
	if err != nil {
		return parsed{}, err
	}
	m := mender{root: tree, warnings: warnings}
	if strings.HasPrefix(d.version, "2.") {
		m.mendRefs()
		if tree, err = convert2(tree); err != nil {
			return parsed{}, fmt.Errorf("converting Swagger %s: %w", d.version, err)
		}
		m.root = tree
	}
	if d.spec, err = m.load(); err != nil {
		return parsed{}, err
	}
	d.tree = tree
	d.warnings = worded(m.warnings, src)
	return d, nil
}

// versionOf reads what kind of document a tree is.
func versionOf(tree map[string]any) (string, error) {
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

// load gives the tree to kin-openapi: as it is except for references, and if
// that fails once more with every part tried alone.
func (m *mender) load() (*openapi3.T, error) {
	m.mendShape()
	m.mendRefs()
	spec, err := loadSpec(m.root)
	if err == nil {
		return spec, nil
	}
	before := len(m.warnings)
	m.mendTypes()
	m.mendRefs()
	spec, again := loadSpec(m.root)
	if again != nil {
		return nil, again
	}
	if len(m.warnings) == before {
		m.warn("", "%s", err)
	}
	return spec, nil
}

func loadSpec(tree map[string]any) (*openapi3.T, error) {
	b, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(b)
}

// convert2 turns a Swagger 2.0 tree into an OpenAPI 3.0 one.
func convert2(tree map[string]any) (map[string]any, error) {
	b, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	var doc2 openapi2.T
	if err := json.Unmarshal(b, &doc2); err != nil {
		return nil, err
	}
	doc3, err := openapi2conv.ToV3(&doc2)
	if err != nil {
		return nil, err
	}
	if b, err = json.Marshal(doc3); err != nil {
		return nil, err
	}
	out, _, err := parseJSON(b)
	return out, err
}
