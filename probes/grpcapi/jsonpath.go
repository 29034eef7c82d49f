package grpcapi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// step is one step from a JSON document's root: into a member or an element.
type step struct {
	key   string
	index int // -1 for a member
}

// frame is an open object or array while a document is scanned.
type frame struct {
	step    step
	object  bool
	wantKey bool // the next token is a member's name
}

// pathAt returns the way to the token that covers offset, as far as the
// document can be read: it is used on documents with errors in them.
func pathAt(doc []byte, offset int) []step {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var open []frame
	for {
		token, err := d.Token()
		reached := err != nil || d.InputOffset() > int64(offset)
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			open = open[:len(open)-1]
			if reached {
				return steps(open)
			}
			afterValue(open)
			continue
		}
		if name, ok := token.(string); ok && len(open) > 0 && open[len(open)-1].wantKey {
			top := &open[len(open)-1]
			top.step.key, top.wantKey = name, false
			if reached {
				return steps(open)
			}
			continue
		}
		if top := len(open) - 1; top >= 0 && !open[top].object && err == nil {
			open[top].step.index++
		}
		if reached {
			return steps(open)
		}
		switch token {
		case json.Delim('{'):
			open = append(open, frame{object: true, wantKey: true, step: step{index: -1}})
		case json.Delim('['):
			open = append(open, frame{step: step{index: -1}})
		default:
			afterValue(open)
		}
	}
}

// afterValue expects the next member's name once a member's value is complete.
func afterValue(open []frame) {
	if len(open) > 0 && open[len(open)-1].object {
		open[len(open)-1].wantKey = true
	}
}

func steps(open []frame) []step {
	var out []step
	for _, f := range open {
		if f.object && f.step.key == "" || !f.object && f.step.index < 0 {
			break // nothing inside it has been reached
		}
		out = append(out, f.step)
	}
	return out
}

// pathText writes a path as people do: items[2].sku.
func pathText(path []step) string {
	var b strings.Builder
	for _, s := range path {
		switch {
		case s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case protoreflect.Name(s.key).IsValid():
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.key)
		default:
			b.WriteString("[" + strconv.Quote(s.key) + "]")
		}
	}
	return b.String()
}

// walk follows a path through message descriptors. It returns the message that
// the last member belongs to and its field, nil where the path leaves the
// schema (an unknown name, the inside of a Struct or Any).
func walk(md protoreflect.MessageDescriptor, path []step) (owner protoreflect.MessageDescriptor, fd protoreflect.FieldDescriptor) {
	owner = md
	for i := 0; i < len(path); i++ {
		if path[i].index >= 0 {
			continue // an element of the list fd
		}
		if fd != nil && fd.IsMap() {
			fd = fd.MapValue()
			continue // the key of an entry
		}
		if fd != nil {
			if owner = fd.Message(); owner == nil || wellKnown[owner.FullName()] != "" {
				return nil, nil
			}
		}
		if fd = owner.Fields().ByJSONName(path[i].key); fd == nil {
			fd = owner.Fields().ByTextName(path[i].key)
		}
		if fd == nil {
			if i < len(path)-1 {
				return nil, nil
			}
			return owner, nil
		}
	}
	return owner, fd
}
