package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// mender takes what is broken out of a tree and remembers what it did.
type mender struct {
	root     part
	warnings []warning
	beyond   int    // warnings that were too many to keep
	files    *files // where references to other documents lead; nil: nowhere
	at       []step // of the walk
}

// step is one part of the walk's position: a key, or an index if key is "".
type step struct {
	key   string
	index int
}

// keptWarnings bounds what a document can make us remember.
const keptWarnings = 4096

func (m *mender) warn(pointer, format string, args ...any) {
	if len(m.warnings) >= keptWarnings {
		m.beyond++
		return
	}
	m.warnings = append(m.warnings, warning{pointer: pointer, text: fmt.Sprintf(format, args...)})
}

// pointer writes the walk's position out. That is done for warnings alone: the
// walk visits every value of the document.
func (m *mender) pointer(more ...string) string {
	var b strings.Builder
	for _, s := range m.at {
		b.WriteByte('/')
		if s.key == "" {
			b.WriteString(strconv.Itoa(s.index))
			continue
		}
		b.WriteString(escapePointer(s.key))
	}
	for _, key := range more {
		b.WriteString("/" + escapePointer(key))
	}
	return b.String()
}

// mend makes a tree usable: a sound top level, keywords with values of their
// kind, references that lead somewhere.
func (m *mender) mend() {
	m.mendShape()
	m.walk(m.root, origin{}, false, 0)
	for m.files != nil {
		f, ok := m.files.next()
		if !ok {
			break
		}
		m.at = []step{{key: filesKey}, {key: f.name}}
		m.walk(f.tree, origin{file: f, lenient: true}, false, 0)
		m.at = nil
	}
	// The walk goes through objects in no order.
	slices.SortStableFunc(m.warnings, func(a, b warning) int { return strings.Compare(a.pointer, b.pointer) })
}

// mendShape makes the top level one that can be read at all.
func (m *mender) mendShape() {
	for _, key := range []string{"info", "paths", "components"} {
		v, there := m.root[key]
		if _, ok := v.(part); !ok && (there || key != "components") {
			if there && v != nil || key == "paths" && m.root["webhooks"] == nil && m.root["components"] == nil {
				m.warn("/"+key, "%s is not an object", key)
			}
			m.root[key] = part{}
		}
	}
	paths := objectIn(m.root, "paths")
	for _, p := range sortedKeys(paths) {
		if strings.HasPrefix(p, "x-") {
			continue
		}
		if _, ok := paths[p].(part); !ok || !strings.HasPrefix(p, "/") {
			m.warn("/paths/"+escapePointer(p), "it is no path with operations, left out")
			delete(paths, p)
		}
	}
}

// origin is where a part of the tree comes from.
type origin struct {
	file *file // nil: the document itself
	// lenient parts are not held to the keywords: a file of nothing but schemas
	// has names where the document has keywords.
	lenient bool
}

// walk visits everything below a value. names says that the keys of this one
// are names.
func (m *mender) walk(node any, from origin, names bool, depth int) {
	switch n := node.(type) {
	case []any:
		for i, v := range n {
			if kindOf(v)&(anObject|aList) == 0 {
				continue
			}
			m.at = append(m.at, step{index: i})
			m.walk(v, from, false, depth+1)
			m.at = m.at[:len(m.at)-1]
		}
	case part:
		if depth > maxDepth {
			m.warn(m.pointer(), "%v, left out", errTooDeep)
			clear(n)
			return
		}
		if ref, ok := n["$ref"].(string); ok && !names && !m.mendRef(n, ref, from) {
			return
		}
		for key, v := range n {
			m.visit(n, key, v, from, names, depth)
		}
	}
}

func (m *mender) visit(n part, key string, v any, from origin, names bool, depth int) {
	var k keyword
	if !names {
		if k = keywordOf(key); k.data {
			return
		}
		if wrong := k.misfit(n, key); wrong != "" && !from.lenient {
			m.warn(m.pointer(key), "%s", wrong)
			delete(n, key)
			return
		}
	}
	switch kindOf(v) {
	case aList:
		if key == "examples" && !names {
			return // JSON Schema's examples are data, OpenAPI's are a map
		}
	case anObject:
	default:
		return
	}
	m.at = append(m.at, step{key: key})
	m.walk(v, from, k.names, depth+1)
	m.at = m.at[:len(m.at)-1]
}

// mendRef replaces a reference that leads nowhere, in a circle or to a document
// that is not followed by an empty object, which accepts anything; false then.
func (m *mender) mendRef(n part, ref string, from origin) bool {
	local, why := ref, ""
	if m.files != nil {
		local, why = m.files.localize(ref, from.file)
	}
	if why == "" {
		why = m.brokenRef(local)
	}
	if why == "" {
		n["$ref"] = local
		return true
	}
	m.warn(m.pointer(), "$ref %q %s", ref, why)
	clear(n)
	return false
}

// brokenRef says in words why a reference cannot be used, "" if it can. Nothing
// is ever fetched for a reference: a document must not make us call other hosts.
func (m *mender) brokenRef(ref string) string {
	for range maxHops {
		pointer, local := strings.CutPrefix(ref, "#")
		if !local {
			return "leads to another document, which is not followed"
		}
		target, ok := lookup(m.root, unescapeFragment(pointer))
		if !ok {
			return "leads nowhere"
		}
		if m.files != nil {
			// What is in another file may not have been walked yet, so that its
			// references are not those of this tree.
			return ""
		}
		next, _ := target.(part)
		ref, ok = next["$ref"].(string)
		if !ok {
			return ""
		}
	}
	return "leads in a circle"
}

// unescapeFragment undoes the percent-encoding of a URI fragment.
func unescapeFragment(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
