package httpapi

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"strings"
)

// Kinds of JSON values, to be combined.
const (
	aText = 1 << iota
	aNumber
	aBool
	aList
	anObject
)

// kindNames words the bits above.
func kindNames(kinds int) string {
	var out []string
	for i, name := range [...]string{"a text", "a number", "true or false", "a list", "an object"} {
		if kinds&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, " or ")
}

func kindOf(v any) int {
	switch v.(type) {
	case string:
		return aText
	case json.Number:
		return aNumber
	case bool:
		return aBool
	case []any:
		return aList
	case part:
		return anObject
	}
	return 0
}

// keyword says what OpenAPI (and the JSON Schema in it) expects below a key.
type keyword struct {
	kinds int  // allowed, 0 for any
	names bool // the keys of its object are names, not keywords: a property may be called "example" or "$ref"
	data  bool // its value is data; a $ref there means nothing
}

// keywordOf knows the keywords of OpenAPI 2.0, 3.0 and 3.1. It is a switch
// because it is asked for every key of documents of many megabytes.
func keywordOf(key string) keyword {
	switch key {
	case "properties", "patternProperties", "dependentSchemas", "dependentRequired", "$defs", "definitions", "schemas",
		"responses", "requestBodies", "securitySchemes", "securityDefinitions", "links", "callbacks", "paths", "pathItems",
		"content", "encoding", "variables", "webhooks", "headers", "scopes", "additionalOperations":
		return keyword{kinds: anObject, names: true}
	case "parameters":
		return keyword{kinds: anObject | aList, names: true}
	case "examples":
		return keyword{kinds: anObject | aList, names: true}
	case "example", "default", "enum", "const", "mapping", "value":
		return keyword{data: true}
	case "get", "put", "post", "delete", "options", "head", "patch", "trace", "query", "components",
		"contact", "license", "externalDocs", "xml", "flows":
		return keyword{kinds: anObject}
	case "schema", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
		"unevaluatedProperties", "unevaluatedItems":
		return keyword{kinds: anObject | aBool}
	case "items":
		return keyword{kinds: anObject | aBool | aList}
	case "allOf", "anyOf", "oneOf", "prefixItems", "tags", "servers", "security", "consumes", "produces", "schemes":
		return keyword{kinds: aList}
	case "type":
		return keyword{kinds: aText | aList}
	case "required":
		return keyword{kinds: aList | aBool}
	case "title", "summary", "description", "operationId", "in", "style", "format", "pattern", "url", "host", "basePath",
		"contentType", "scheme", "collectionFormat":
		return keyword{kinds: aText}
	case "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
		return keyword{kinds: aNumber}
	case "exclusiveMinimum", "exclusiveMaximum":
		return keyword{kinds: aNumber | aBool}
	case "nullable", "readOnly", "writeOnly", "deprecated", "explode", "allowReserved", "allowEmptyValue", "uniqueItems":
		return keyword{kinds: aBool}
	}
	if strings.HasPrefix(key, "x-") {
		return keyword{data: true}
	}
	return keyword{}
}

// misfit says what is wrong with the value of a keyword, "" if nothing is. A
// number or a flag where a text belongs is one that YAML was not told to quote.
func (k keyword) misfit(p part, key string) string {
	v := p[key]
	if k.kinds == 0 || kindOf(v)&k.kinds != 0 {
		return ""
	}
	switch {
	case v == nil && key == "type":
		p[key] = "null"
		return ""
	case v == nil: // written down and left empty
		delete(p, key)
		return ""
	case k.kinds == aText && bits.OnesCount(uint(kindOf(v)&(aNumber|aBool))) == 1:
		p[key] = fmt.Sprint(v)
		return ""
	}
	return fmt.Sprintf("%s is %s, not %s; left out", key, kindNames(kindOf(v)), kindNames(k.kinds))
}
