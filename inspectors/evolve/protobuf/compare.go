package protobuf

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"iscope/inspectors/evolve/change"
)

// Compare compares an old contract with a new one. What a stricter level forbids
// is dangerous. Notes tell what could not be read.
func Compare(a, b *Contract, level Level) (changes []change.Change, notes []string) {
	d := &differ{level: level, a: newIndex(a), b: newIndex(b)}
	d.alike()
	d.files()
	d.packages()
	d.messages()
	d.enums()
	d.services()
	d.extensions()
	for _, n := range a.notes {
		notes = append(notes, "old contract: "+n)
	}
	for _, n := range b.notes {
		notes = append(notes, "new contract: "+n)
	}
	return change.Sort(d.changes), notes
}

// index finds the parts of a contract by full name.
type index struct {
	c          *Contract
	files      map[string]protoreflect.FileDescriptor
	packages   map[string]bool
	messages   map[protoreflect.FullName]protoreflect.MessageDescriptor
	enums      map[protoreflect.FullName]protoreflect.EnumDescriptor
	services   map[protoreflect.FullName]protoreflect.ServiceDescriptor
	extensions map[protoreflect.FullName]protoreflect.ExtensionDescriptor
	order      []protoreflect.FullName // of messages, enums, services, as they stand
}

// container is a file or a message: what types are declared in.
type container interface {
	Messages() protoreflect.MessageDescriptors
	Enums() protoreflect.EnumDescriptors
	Extensions() protoreflect.ExtensionDescriptors
}

func newIndex(c *Contract) *index {
	x := &index{c: c, files: map[string]protoreflect.FileDescriptor{}, packages: map[string]bool{}, messages: map[protoreflect.FullName]protoreflect.MessageDescriptor{},
		enums: map[protoreflect.FullName]protoreflect.EnumDescriptor{}, services: map[protoreflect.FullName]protoreflect.ServiceDescriptor{},
		extensions: map[protoreflect.FullName]protoreflect.ExtensionDescriptor{}}
	for _, f := range c.files {
		if wellKnown(f.Path()) || infrastructure(string(f.Package())) {
			continue
		}
		x.files[f.Path()] = f
		x.packages[string(f.Package())] = true
		x.declared(f)
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			if !c.has(s.FullName()) {
				continue
			}
			x.services[s.FullName()] = s
			x.order = append(x.order, s.FullName())
		}
	}
	return x
}

func (x *index) declared(in container) {
	for i := range in.Messages().Len() {
		m := in.Messages().Get(i)
		if m.IsMapEntry() {
			continue
		}
		if x.c.has(m.FullName()) {
			x.messages[m.FullName()] = m
			x.order = append(x.order, m.FullName())
		}
		x.declared(m)
	}
	for i := range in.Enums().Len() {
		e := in.Enums().Get(i)
		if !x.c.has(e.FullName()) {
			continue
		}
		x.enums[e.FullName()] = e
		x.order = append(x.order, e.FullName())
	}
	for i := range in.Extensions().Len() {
		e := in.Extensions().Get(i)
		x.extensions[e.FullName()] = e
	}
}

// differ compares two contracts.
type differ struct {
	level   Level
	a, b    *index
	changes []change.Change
	// moved is the path in the new contract of a file of the old one, where each
	// is about one file and they are called differently.
	moved map[string]string
}

// alike takes two single files of different names for the same one: copies of a
// contract are often kept under other names.
func (d *differ) alike() {
	d.moved = map[string]string{}
	one := func(x *index) (path string) {
		for _, f := range x.c.files {
			if x.c.own[f.Path()] && path != "" {
				return ""
			} else if x.c.own[f.Path()] {
				path = f.Path()
			}
		}
		return path
	}
	if a, b := one(d.a), one(d.b); a != "" && b != "" && a != b {
		d.moved[a] = b
	}
}

// now returns the file of the new contract that a file of the old one became.
func (d *differ) now(f protoreflect.FileDescriptor) protoreflect.FileDescriptor {
	path := f.Path()
	if p, ok := d.moved[path]; ok {
		path = p
	}
	if g, ok := d.b.files[path]; ok {
		return g
	}
	return nil
}

// add notes that a rule is broken between two descriptors, of which one may be
// nil.
func (d *differ) add(rule string, a, b protoreflect.Descriptor, from, to, format string, args ...any) {
	d.tell(rule, d.severity(rule), a, b, from, to, format, args...)
}

// fine notes a change that breaks nothing.
func (d *differ) fine(rule string, a, b protoreflect.Descriptor, from, to, format string, args ...any) {
	d.tell(rule, change.Compatible, a, b, from, to, format, args...)
}

func (d *differ) tell(rule string, s change.Severity, a, b protoreflect.Descriptor, from, to, format string, args ...any) {
	of := a
	if of == nil {
		of = b
	}
	path := string(of.FullName())
	if f, ok := of.(protoreflect.FileDescriptor); ok {
		path = f.Path()
	}
	if m, ok := of.(protoreflect.MethodDescriptor); ok {
		path = string(m.Parent().FullName()) + "/" + string(m.Name())
	}
	d.changes = append(d.changes, change.Change{Rule: rule, Severity: s, Path: path, From: from, To: to, Text: fmt.Sprintf(format, args...), OldLine: lineOf(a), Line: lineOf(b)})
}

// lineOf is the line of a descriptor in its file, 0 where there is no source.
func lineOf(d protoreflect.Descriptor) int {
	if d == nil || d.ParentFile() == nil {
		return 0
	}
	if _, ok := d.(protoreflect.FileDescriptor); ok {
		return 0
	}
	loc := d.ParentFile().SourceLocations().ByDescriptor(d)
	if loc.Path == nil {
		return 0
	}
	return loc.StartLine + 1
}

func (d *differ) files() {
	if d.a.c.only != nil {
		return // one service is compared, not its file
	}
	for _, f := range d.a.c.files {
		if d.a.files[f.Path()] == nil {
			continue
		}
		g := d.now(f)
		if g == nil {
			if d.a.c.own[f.Path()] && !d.b.c.Partial {
				d.add("FILE_NO_DELETE", f, nil, "", "", "the file is gone")
			}
			continue
		}
		if f.Package() != g.Package() {
			d.add("FILE_SAME_PACKAGE", f, g, string(f.Package()), string(g.Package()), "the package was %s and is %s: all types have other names", f.Package(), g.Package())
		}
		if syntax(f) != syntax(g) {
			d.add("FILE_SAME_SYNTAX", f, g, syntax(f), syntax(g), "%s became %s", syntax(f), syntax(g))
		}
		d.fileOptions(f, g)
	}
	for _, g := range d.b.c.files {
		if d.b.files[g.Path()] != nil && d.a.files[g.Path()] == nil && d.b.c.own[g.Path()] && !d.isTarget(g.Path()) {
			d.fine("FILE_ADDED", nil, g, "", "", "a new file")
		}
	}
}

func (d *differ) isTarget(path string) bool {
	for _, to := range d.moved {
		if to == path {
			return true
		}
	}
	return false
}

func syntax(f protoreflect.FileDescriptor) string {
	if f.Syntax() == protoreflect.Editions {
		if p, ok := f.(interface{ Edition() int32 }); ok {
			return fmt.Sprintf("edition %d", p.Edition())
		}
		return "editions"
	}
	return f.Syntax().String()
}

// fileOptions compares the options that generated code depends on.
func (d *differ) fileOptions(f, g protoreflect.FileDescriptor) {
	x, _ := f.Options().(*descriptorpb.FileOptions)
	y, _ := g.Options().(*descriptorpb.FileOptions)
	if x == nil || y == nil || proto.Equal(x, y) {
		return
	}
	for _, o := range []struct{ rule, from, to string }{
		{"FILE_SAME_GO_PACKAGE", x.GetGoPackage(), y.GetGoPackage()},
		{"FILE_SAME_JAVA_PACKAGE", x.GetJavaPackage(), y.GetJavaPackage()},
		{"FILE_SAME_JAVA_OUTER_CLASSNAME", x.GetJavaOuterClassname(), y.GetJavaOuterClassname()},
		{"FILE_SAME_JAVA_MULTIPLE_FILES", fmt.Sprint(x.GetJavaMultipleFiles()), fmt.Sprint(y.GetJavaMultipleFiles())},
		{"FILE_SAME_CSHARP_NAMESPACE", x.GetCsharpNamespace(), y.GetCsharpNamespace()},
		{"FILE_SAME_OBJC_CLASS_PREFIX", x.GetObjcClassPrefix(), y.GetObjcClassPrefix()},
		{"FILE_SAME_PHP_CLASS_PREFIX", x.GetPhpClassPrefix(), y.GetPhpClassPrefix()},
		{"FILE_SAME_PHP_NAMESPACE", x.GetPhpNamespace(), y.GetPhpNamespace()},
		{"FILE_SAME_PHP_METADATA_NAMESPACE", x.GetPhpMetadataNamespace(), y.GetPhpMetadataNamespace()},
		{"FILE_SAME_RUBY_PACKAGE", x.GetRubyPackage(), y.GetRubyPackage()},
		{"FILE_SAME_SWIFT_PREFIX", x.GetSwiftPrefix(), y.GetSwiftPrefix()},
		{"FILE_SAME_OPTIMIZE_FOR", x.GetOptimizeFor().String(), y.GetOptimizeFor().String()},
		{"FILE_SAME_CC_ENABLE_ARENAS", fmt.Sprint(x.GetCcEnableArenas()), fmt.Sprint(y.GetCcEnableArenas())},
		{"FILE_SAME_CC_GENERIC_SERVICES", fmt.Sprint(x.GetCcGenericServices()), fmt.Sprint(y.GetCcGenericServices())},
		{"FILE_SAME_JAVA_GENERIC_SERVICES", fmt.Sprint(x.GetJavaGenericServices()), fmt.Sprint(y.GetJavaGenericServices())},
		{"FILE_SAME_PY_GENERIC_SERVICES", fmt.Sprint(x.GetPyGenericServices()), fmt.Sprint(y.GetPyGenericServices())},
	} {
		if o.from != o.to {
			name := strings.ToLower(strings.TrimPrefix(o.rule, "FILE_SAME_"))
			d.add(o.rule, f, g, o.from, o.to, "%s was %q and is %q: generated code is elsewhere or called otherwise", name, o.from, o.to)
		}
	}
}

func (d *differ) packages() {
	if d.level != Package || d.b.c.Partial {
		return
	}
	seen := map[protoreflect.FullName]bool{}
	for _, f := range d.a.c.files {
		if d.a.files[f.Path()] == nil || !d.a.c.own[f.Path()] || seen[f.Package()] {
			continue
		}
		seen[f.Package()] = true
		if !d.b.packages[string(f.Package())] {
			d.add("PACKAGE_NO_DELETE", f, nil, string(f.Package()), "", "the package %s is gone", f.Package())
		}
	}
}
