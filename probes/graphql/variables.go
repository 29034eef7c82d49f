package graphql

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"iscope/probes"
)

// maxViolations bounds what is said about one request.
const maxViolations = 20

// judge holds variables against the types an operation declares for them.
type judge struct {
	schema *ast.Schema
	found  []string // "PATH: what is wrong"
}

func (j *judge) say(path, format string, args ...any) {
	if len(j.found) < maxViolations {
		j.found = append(j.found, path+": "+fmt.Sprintf(format, args...))
	}
}

// variables checks all of them. What is wrong is told by path and by what was
// expected, never with the value, which may be a secret.
func (j *judge) variables(op *ast.OperationDefinition, text json.RawMessage) {
	values := map[string]any{}
	if len(text) > 0 && string(text) != "null" {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&values); err != nil {
			j.say("variables", "expected an object")
			return
		}
	}
	var names []string
	for _, v := range op.VariableDefinitions {
		names = append(names, v.Variable)
		value, given := values[v.Variable]
		switch {
		case given:
			if value != nil || v.Type.NonNull && v.DefaultValue == nil {
				j.value("variables."+v.Variable, v.Type, value, 0)
			}
		case v.Type.NonNull && v.DefaultValue == nil:
			j.say("variables."+v.Variable, "missing; expected %s", v.Type)
		}
	}
	for _, name := range sortedKeys(values) {
		if !slices.Contains(names, name) {
			j.say("variables."+name, "the operation has no such variable; %s", probes.NearestHint(name, names))
		}
	}
}

// maxNesting bounds values within values.
const maxNesting = 64

func (j *judge) value(path string, t *ast.Type, v any, depth int) {
	switch {
	case depth > maxNesting:
		j.say(path, "nested deeper than %d", maxNesting)
	case v == nil:
		if t.NonNull {
			j.say(path, "expected %s, got null", t)
		}
	case t.NamedType == "":
		list, ok := v.([]any)
		if !ok { // one value stands for a list of one (October 2021 §3.11)
			j.value(path, t.Elem, v, depth+1)
			return
		}
		for i, elem := range list {
			j.value(path+"["+itoa(i)+"]", t.Elem, elem, depth+1)
		}
	default:
		j.named(path, t, v, depth)
	}
}

func (j *judge) named(path string, t *ast.Type, v any, depth int) {
	def := j.schema.Types[t.NamedType]
	switch {
	case def == nil: // said of the query already
	case def.Kind == ast.Enum:
		j.enum(path, def, v)
	case def.Kind == ast.InputObject:
		j.object(path, def, v, depth)
	case !isScalar(t.NamedType, v):
		j.say(path, "expected %s%s, got %s", t, ofScalar(t.NamedType), kindOf(v))
	}
}

func (j *judge) enum(path string, def *ast.Definition, v any) {
	name, ok := v.(string)
	switch {
	case !ok:
		j.say(path, "expected a value of %s as a string, got %s", def.Name, kindOf(v))
	case def.EnumValues.ForName(name) == nil:
		names := make([]string, len(def.EnumValues))
		for i, e := range def.EnumValues {
			names[i] = e.Name
		}
		j.say(path, "no value of %s; %s", def.Name, probes.NearestHint(name, names))
	}
}

func (j *judge) object(path string, def *ast.Definition, v any, depth int) {
	object, ok := v.(map[string]any)
	if !ok {
		j.say(path, "expected an object (%s), got %s", def.Name, kindOf(v))
		return
	}
	var names []string
	for _, f := range def.Fields {
		names = append(names, f.Name)
		value, given := object[f.Name]
		switch {
		case given:
			j.value(path+"."+f.Name, f.Type, value, depth+1)
		case f.Type.NonNull && f.DefaultValue == nil:
			j.say(path+"."+f.Name, "missing; expected %s", f.Type)
		}
	}
	for _, name := range sortedKeys(object) {
		if !slices.Contains(names, name) {
			j.say(path+"."+name, "%s has no such field; %s", def.Name, probes.NearestHint(name, names))
		}
	}
	if def.Directives.ForName("oneOf") != nil && len(object) != 1 {
		j.say(path, "exactly one field of %s has to be set: %s", def.Name, strings.Join(names, ", "))
	}
}

// isScalar follows the input coercion of October 2021 §3.5; a schema's own
// scalars take anything.
func isScalar(name string, v any) bool {
	number, isNumber := v.(json.Number)
	_, isString := v.(string)
	switch name {
	case "Int":
		n, whole := wholeNumber(number)
		return isNumber && whole && n >= math.MinInt32 && n <= math.MaxInt32
	case "Float":
		return isNumber
	case "String":
		return isString
	case "ID":
		_, whole := wholeNumber(number)
		return isString || isNumber && whole
	case "Boolean":
		_, ok := v.(bool)
		return ok
	}
	return true
}

func wholeNumber(n json.Number) (int64, bool) {
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return int64(f), err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53
}

func ofScalar(name string) string {
	switch name {
	case "Int":
		return " (a whole number of 32 bits)"
	case "ID":
		return " (a string or a whole number)"
	}
	return ""
}

// kindOf names what a JSON value is.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	}
	return "an object"
}
