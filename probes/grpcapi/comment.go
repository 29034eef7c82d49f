package grpcapi

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// comment is what the contract says of an element. Servers rarely keep
// comments, so where this one has not, the sources are asked.
func (l *link) comment(d protoreflect.Descriptor) string {
	if text := commentOf(d); text != "" || l.set.sources == nil {
		return text
	}
	same, err := l.set.sources.files.FindDescriptorByName(d.FullName())
	if err != nil {
		return ""
	}
	return commentOf(same)
}

// commentOf is the comment before an element, else the one behind it on its
// line, which is where fields and enum values often have theirs.
func commentOf(d protoreflect.Descriptor) string {
	file := d.ParentFile()
	if file == nil || file.SourceLocations().Len() == 0 {
		return ""
	}
	at := file.SourceLocations().ByDescriptor(d)
	text := strings.TrimSpace(at.LeadingComments)
	if text == "" {
		text = strings.TrimSpace(at.TrailingComments)
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
