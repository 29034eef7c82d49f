package protobuf

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Only returns the part of a contract that one service, or one method of it
// ("shop.v1.Orders/Get"), is about: itself and all types it sends or answers
// with. It returns the names of all services where there is no such one.
func (c *Contract) Only(subject string) (*Contract, []string) {
	service, method, one := strings.Cut(subject, "/")
	var names []string
	for _, f := range c.files {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			names = append(names, string(s.FullName()))
			if string(s.FullName()) != service {
				continue
			}
			r := reached{}
			for j := range s.Methods().Len() {
				if m := s.Methods().Get(j); !one || string(m.Name()) == method {
					r[m.FullName()] = true
					r.message(m.Input(), 0)
					r.message(m.Output(), 0)
				}
			}
			if one && len(r) == 0 {
				return nil, methods(s)
			}
			r[s.FullName()] = true
			return &Contract{files: c.files, own: map[string]bool{f.Path(): true}, notes: c.notes, only: r, Partial: c.Partial}, nil
		}
	}
	slices.Sort(names)
	return nil, names
}

func methods(s protoreflect.ServiceDescriptor) (names []string) {
	for i := range s.Methods().Len() {
		names = append(names, string(s.FullName())+"/"+string(s.Methods().Get(i).Name()))
	}
	return names
}

// reached are the names that a service needs.
type reached map[protoreflect.FullName]bool

func (r reached) message(m protoreflect.MessageDescriptor, depth int) {
	if r[m.FullName()] || depth > 1000 {
		return
	}
	r[m.FullName()] = true
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if f.Message() != nil {
			r.message(f.Message(), depth+1)
		}
		if f.Enum() != nil {
			r[f.Enum().FullName()] = true
		}
	}
}

// has reports whether a name is part of a contract.
func (c *Contract) has(name protoreflect.FullName) bool { return c.only == nil || c.only[name] }
