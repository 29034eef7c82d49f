package graphql

import "strings"

// features are the parts of an introspection query that servers of older
// versions of the specification refuse.
type features struct {
	schemaDescription bool // __Schema.description, October 2021
	specifiedByURL    bool // __Type.specifiedByURL, October 2021
	isOneOf           bool // __Type.isOneOf, September 2025
	isRepeatable      bool // __Directive.isRepeatable, October 2021
	deprecatedInput   bool // includeDeprecated on args and inputFields, draft after October 2021
	directives        bool // __Schema.directives
	depth             int  // of ofType within ofType
}

func allFeatures() features {
	return features{schemaDescription: true, specifiedByURL: true, isOneOf: true, isRepeatable: true, deprecatedInput: true, directives: true, depth: 7}
}

// oldest is the query of the specification of 2016.
func oldest() features { return features{directives: true, depth: 5} }

// without leaves out what a server's complaint names; ok is false if it names
// nothing that could be left out.
func (f features) without(complaint string) (_ features, ok bool) {
	for _, x := range []struct {
		word string
		on   *bool
	}{{"isOneOf", &f.isOneOf}, {"specifiedByURL", &f.specifiedByURL}, {"isRepeatable", &f.isRepeatable},
		{"includeDeprecated", &f.deprecatedInput}, {"isDeprecated", &f.deprecatedInput}, {"deprecationReason", &f.deprecatedInput},
		{`"description" on type "__Schema"`, &f.schemaDescription}, {"directives", &f.directives}} {
		if *x.on && strings.Contains(complaint, x.word) {
			*x.on, ok = false, true
		}
	}
	return f, ok
}

// query asks for the whole schema at once.
func (f features) query() string {
	var b strings.Builder
	b.WriteString("query IntrospectionQuery {\n  __schema {\n")
	f.writeTop(&b)
	b.WriteString("    types { ...FullType }\n  }\n}\n")
	f.writeFragments(&b)
	return b.String()
}

// writeTop asks for all of a schema but its types.
func (f features) writeTop(b *strings.Builder) {
	if f.schemaDescription {
		b.WriteString("    description\n")
	}
	b.WriteString("    queryType { name }\n    mutationType { name }\n    subscriptionType { name }\n")
	if f.directives {
		b.WriteString("    directives { name description locations")
		if f.isRepeatable {
			b.WriteString(" isRepeatable")
		}
		b.WriteString(" args" + f.deprecated() + " { ...InputValue } }\n")
	}
}

func (f features) deprecated() string {
	if f.deprecatedInput {
		return "(includeDeprecated: true)"
	}
	return ""
}

func (f features) writeFragments(b *strings.Builder) {
	b.WriteString("fragment FullType on __Type {\n  kind name description")
	if f.specifiedByURL {
		b.WriteString(" specifiedByURL")
	}
	if f.isOneOf {
		b.WriteString(" isOneOf")
	}
	b.WriteString("\n  fields(includeDeprecated: true) { name description args" + f.deprecated() +
		" { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }\n" +
		"  inputFields" + f.deprecated() + " { ...InputValue }\n" +
		"  interfaces { name }\n  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }\n" +
		"  possibleTypes { name }\n}\n")
	b.WriteString("fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue")
	if f.deprecatedInput {
		b.WriteString(" isDeprecated deprecationReason")
	}
	b.WriteString(" }\nfragment TypeRef on __Type { kind name" + strings.Repeat(" ofType { kind name", f.depth) + strings.Repeat(" }", f.depth+1) + "\n")
}

// splitTop asks for the names of the types only, for servers with a limit of
// depth or cost; splitTypes then asks for some of them.
func (f features) splitTop() string {
	var b strings.Builder
	b.WriteString("query IntrospectionQuery {\n  __schema {\n")
	f.directives = false
	f.writeTop(&b)
	b.WriteString("    types { kind name }\n  }\n}\n")
	return b.String()
}

// splitTypes asks for types by name: the answer has them as t0, t1 and so on.
func (f features) splitTypes(names []string) string {
	var b strings.Builder
	b.WriteString("query IntrospectionQuery {\n")
	for i, name := range names {
		b.WriteString("  t" + itoa(i) + `: __type(name: "` + name + "\") { ...FullType }\n")
	}
	b.WriteString("}\n")
	f.writeFragments(&b)
	return b.String()
}
