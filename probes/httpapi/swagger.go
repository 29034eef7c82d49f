package httpapi

import (
	"maps"
	"slices"
	"strings"
)

// convert2 gives a Swagger 2.0 tree the form of OpenAPI 3.0. It takes the parts
// of the old tree over, changed, so that the old one is of no use any more.
func convert2(old part) part {
	c := converter2{old: parsed{tree: old}, consumes: textsOf(old, "consumes"), produces: textsOf(old, "produces")}
	out := part{"openapi": "3.0.3", "info": old["info"], "servers": []any{part{"url": serverOf2(old)}}}
	for key, v := range old {
		if strings.HasPrefix(key, "x-") || slices.Contains([]string{"tags", "security", "externalDocs"}, key) {
			out[key] = v
		}
	}
	paths := part{}
	for name, v := range objectIn(old, "paths") {
		paths[name] = v
		if item, ok := v.(part); ok && item["$ref"] == nil && !strings.HasPrefix(name, "x-") {
			paths[name] = c.item(item)
		}
	}
	responses := part{}
	for name, v := range objectIn(old, "responses") {
		responses[name] = c.response(v, c.produces)
	}
	schemes := part{}
	for name, v := range objectIn(old, "securityDefinitions") {
		schemes[name] = schemeOf2(v)
	}
	definitions := objectIn(old, "definitions")
	if definitions == nil {
		definitions = part{}
	}
	out["paths"] = paths
	out["components"] = part{"schemas": definitions, "responses": responses, "securitySchemes": schemes}
	c.rewrite(out, false)
	return out
}

type converter2 struct {
	old                parsed
	consumes, produces []string
}

func serverOf2(old part) string {
	path := "/" + strings.Trim(textOf(old, "basePath"), "/")
	host := textOf(old, "host")
	if host == "" {
		return path
	}
	scheme := "https"
	if s := textsOf(old, "schemes"); len(s) > 0 && !slices.Contains(s, "https") {
		scheme = s[0]
	}
	return scheme + "://" + host + strings.TrimSuffix(path, "/")
}

func schemeOf2(v any) any {
	p, _ := v.(part)
	switch textOf(p, "type") {
	case "basic":
		p = maps.Clone(p)
		p["type"], p["scheme"] = "http", "basic"
		return p
	}
	return v
}

func (c *converter2) item(item part) part {
	out := part{}
	shared := listOf(item, "parameters")
	for key, v := range item {
		op, ok := v.(part)
		switch {
		case key == "parameters":
		case ok && isMethod(key):
			out[key] = c.operation(op, shared)
		default:
			out[key] = v
		}
	}
	return out
}

func (c *converter2) operation(op part, shared []any) part {
	out := maps.Clone(op)
	delete(out, "consumes")
	delete(out, "produces")
	delete(out, "schemes")
	var params []any
	var form []part
	for _, v := range parametersIn(&c.old, listOf(op, "parameters"), shared) {
		switch textOf(v, "in") {
		case "body":
			out["requestBody"] = c.body(v, orList(textsOf(op, "consumes"), c.consumes))
		case "formData":
			form = append(form, v)
		default:
			params = append(params, paramOf2(v))
		}
	}
	if len(form) > 0 {
		out["requestBody"] = c.form(form, orList(textsOf(op, "consumes"), c.consumes))
	}
	delete(out, "parameters")
	if len(params) > 0 {
		out["parameters"] = params
	}
	responses := part{}
	for code, v := range objectIn(op, "responses") {
		responses[code] = c.response(v, orList(textsOf(op, "produces"), c.produces))
	}
	out["responses"] = responses
	return out
}

func orList(first, second []string) []string {
	if len(first) > 0 {
		return first
	}
	return second
}

func (c *converter2) body(p part, types []string) part {
	content := part{}
	for _, t := range orList(types, []string{"application/json"}) {
		content[t] = part{"schema": p["schema"]}
	}
	out := part{"content": content}
	copyKeys(out, p, "description", "required")
	return out
}

// form gathers the parameters in a form into one body.
func (c *converter2) form(fields []part, types []string) part {
	properties, required, files := part{}, []any{}, false
	for _, f := range fields {
		s := schemaOf2(f)
		if textOf(f, "type") == "file" {
			files = true
			s["type"], s["format"] = "string", "binary"
		}
		copyKeys(s, f, "description")
		properties[textOf(f, "name")] = s
		if flagOf(f, "required") {
			required = append(required, f["name"])
		}
	}
	schema := part{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	content := part{}
	for _, t := range types {
		if t == multipartType || t == formType && !files {
			content[t] = part{"schema": schema}
		}
	}
	if len(content) == 0 {
		t := formType
		if files {
			t = multipartType
		}
		content[t] = part{"schema": schema}
	}
	return part{"content": content, "required": len(required) > 0}
}

func (c *converter2) response(v any, types []string) any {
	old, ok := v.(part)
	if !ok || old["$ref"] != nil {
		return v
	}
	out := part{}
	copyKeys(out, old, "description")
	if schema, ok := old["schema"]; ok {
		if s, _ := schema.(part); textOf(s, "type") == "file" {
			schema = part{"type": "string", "format": "binary"}
		}
		examples, content := objectIn(old, "examples"), part{}
		for _, t := range orList(types, []string{"application/json"}) {
			media := part{"schema": schema}
			if e, ok := examples[t]; ok {
				media["example"] = e
			}
			content[t] = media
		}
		out["content"] = content
	}
	headers := part{}
	for name, h := range objectIn(old, "headers") {
		if h, ok := h.(part); ok {
			headers[name] = part{"schema": schemaOf2(h)}
		}
	}
	if len(headers) > 0 {
		out["headers"] = headers
	}
	return out
}

// paramOf2 is a parameter outside the body.
func paramOf2(p part) part {
	out := part{"schema": schemaOf2(p)}
	copyKeys(out, p, "name", "in", "description", "required", "allowEmptyValue")
	in := textOf(p, "in")
	if in != "query" {
		return out
	}
	switch textOf(p, "collectionFormat") {
	case "multi":
		out["style"], out["explode"] = "form", true
	case "ssv":
		out["style"], out["explode"] = "spaceDelimited", false
	case "pipes":
		out["style"], out["explode"] = "pipeDelimited", false
	default:
		out["style"], out["explode"] = "form", false
	}
	return out
}

// schemaOf2 takes the schema out of a parameter or header, where 2.0 mixes both.
func schemaOf2(p part) part {
	out := part{}
	for key, v := range p {
		switch key {
		case "name", "in", "description", "required", "collectionFormat", "allowEmptyValue", "schema":
		default:
			out[key] = v
		}
	}
	return out
}

func copyKeys(to, from part, keys ...string) {
	for _, key := range keys {
		if v, ok := from[key]; ok {
			to[key] = v
		}
	}
}

// rewrite makes references lead to where 3.0 has things.
func (c *converter2) rewrite(node any, names bool) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			c.rewrite(v, false)
		}
	case part:
		if ref, ok := n["$ref"].(string); ok && !names {
			for from, to := range map[string]string{"#/definitions/": "schemas", "#/responses/": "responses"} {
				if name, ok := strings.CutPrefix(ref, from); ok {
					n["$ref"] = "#/components/" + to + "/" + name
				}
			}
		}
		for key, v := range n {
			k := keywordOf(key)
			if names {
				k = keyword{}
			}
			if !k.data || key == filesKey {
				c.rewrite(v, k.names)
			}
		}
	}
}
