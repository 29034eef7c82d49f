package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// mender replaces what is broken in a tree and remembers what it did.
type mender struct {
	root     map[string]any
	warnings []warning
}

func (m *mender) warn(pointer, format string, args ...any) {
	m.warnings = append(m.warnings, warning{pointer: pointer, text: fmt.Sprintf(format, args...)})
}

// mendShape makes the top level what kin-openapi can read at all.
func (m *mender) mendShape() {
	for _, key := range []string{"info", "paths", "components"} {
		v, there := m.root[key]
		if _, ok := v.(map[string]any); !ok && (there || key != "components") {
			if there || key == "paths" && m.root["webhooks"] == nil {
				m.warn("/"+key, "%s is not an object", key)
			}
			m.root[key] = map[string]any{}
		}
	}
	paths, _ := m.root["paths"].(map[string]any)
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if strings.HasPrefix(p, "x-") {
			continue
		}
		if _, ok := paths[p].(map[string]any); !ok || !strings.HasPrefix(p, "/") {
			m.warn("/paths/"+escapePointer(p), "it is no path with operations, left out")
			delete(paths, p)
		}
	}
}

// mendRefs replaces references that lead nowhere, in a circle or to another
// document by an empty object, which accepts anything. Nothing is ever fetched
// for a reference: a document must not make us call other hosts or read files.
func (m *mender) mendRefs() { m.refs(m.root, "", false) }

// nameMaps are the keywords whose keys are names, not keywords: a property may
// be called "example" or "$ref".
var nameMaps = map[string]bool{
	"properties": true, "patternProperties": true, "dependentSchemas": true, "$defs": true, "definitions": true,
	"schemas": true, "responses": true, "parameters": true, "headers": true, "requestBodies": true,
	"securitySchemes": true, "links": true, "callbacks": true, "examples": true, "paths": true, "pathItems": true,
	"content": true, "encoding": true, "variables": true, "webhooks": true,
}

// plainData are the keywords whose values are data; a $ref there means nothing.
var plainData = map[string]bool{"example": true, "default": true, "enum": true, "const": true, "mapping": true}

func (m *mender) refs(node any, pointer string, names bool) {
	switch n := node.(type) {
	case []any:
		for i, v := range n {
			m.refs(v, pointer+"/"+strconv.Itoa(i), false)
		}
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok && !names {
			if why := m.brokenRef(ref); why != "" {
				m.warn(pointer, "$ref %q %s", ref, why)
				clear(n)
				return
			}
		}
		for _, key := range slices.Sorted(maps.Keys(n)) {
			if !names && (plainData[key] || strings.HasPrefix(key, "x-")) {
				continue
			}
			_, isMap := n[key].(map[string]any)
			if _, isList := n[key].([]any); key == "examples" && isList {
				continue // JSON Schema's examples are data, OpenAPI's are a map
			}
			m.refs(n[key], pointer+"/"+escapePointer(key), !names && isMap && nameMaps[key])
		}
	}
}

// brokenRef says in words why a reference cannot be used, "" if it can.
func (m *mender) brokenRef(ref string) string {
	for range 64 {
		pointer, local := strings.CutPrefix(ref, "#")
		if !local {
			return "leads to another document, which is not followed"
		}
		target, ok := lookup(m.root, unescapeFragment(pointer))
		if !ok {
			return "leads nowhere"
		}
		next, _ := target.(map[string]any)
		ref, ok = next["$ref"].(string)
		if !ok {
			return ""
		}
	}
	return "leads in a circle"
}

// unescapeFragment undoes the percent-encoding of a URI fragment.
func unescapeFragment(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// mendTypes tries every component and every operation alone and takes out those
// that have values of the wrong type.
func (m *mender) mendTypes() {
	components, _ := m.root["components"].(map[string]any)
	for _, kind := range slices.Sorted(maps.Keys(components)) {
		named, ok := components[kind].(map[string]any)
		if !ok && !strings.HasPrefix(kind, "x-") {
			m.warn("/components/"+escapePointer(kind), "it is not an object, left out")
			delete(components, kind)
		}
		for _, name := range slices.Sorted(maps.Keys(named)) {
			if err := fits(componentType(kind), named[name]); err != nil {
				m.warn("/components/"+kind+"/"+escapePointer(name), "%s; replaced by an empty one", err)
				named[name] = map[string]any{}
			}
		}
	}
	paths, _ := m.root["paths"].(map[string]any)
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[p].(map[string]any)
		m.mendItem("/paths/"+escapePointer(p), item)
	}
	m.mendRest()
}

func (m *mender) mendItem(pointer string, item map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(item)) {
		var err error
		if isMethod(key) {
			err = fits(new(openapi3.Operation), item[key])
		} else {
			err = fits(new(openapi3.PathItem), map[string]any{key: item[key]})
		}
		if err != nil {
			m.warn(pointer+"/"+escapePointer(key), "%s; left out", err)
			delete(item, key)
		}
	}
}

// mendRest takes out other top-level keys of the wrong type.
func (m *mender) mendRest() {
	for _, key := range slices.Sorted(maps.Keys(m.root)) {
		if key == "paths" || key == "components" || key == "openapi" {
			continue
		}
		if err := fits(new(openapi3.T), map[string]any{"openapi": m.root["openapi"], key: m.root[key]}); err != nil {
			m.warn("/"+escapePointer(key), "%s; left out", err)
			delete(m.root, key)
			if key == "info" {
				m.root[key] = map[string]any{}
			}
		}
	}
}

// componentType is a value to decode a component of that kind into.
func componentType(kind string) any {
	switch kind {
	case "schemas":
		return new(openapi3.SchemaRef)
	case "responses":
		return new(openapi3.ResponseRef)
	case "parameters":
		return new(openapi3.ParameterRef)
	case "examples":
		return new(openapi3.ExampleRef)
	case "requestBodies":
		return new(openapi3.RequestBodyRef)
	case "headers":
		return new(openapi3.HeaderRef)
	case "securitySchemes":
		return new(openapi3.SecuritySchemeRef)
	case "links":
		return new(openapi3.LinkRef)
	case "callbacks":
		return new(openapi3.CallbackRef)
	case "pathItems":
		return new(openapi3.PathItem)
	}
	return new(any)
}

// fits reports why a part of a tree cannot be decoded into a value.
func fits(into, part any) error {
	b, err := json.Marshal(part)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
