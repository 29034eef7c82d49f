package protobuf

import (
	"strings"

	"github.com/jhump/protoreflect/v2/protoprint"
)

// Source writes the files that a contract is about as a person would, with a
// line between them that names each.
func (c *Contract) Source() (text string, err error) {
	defer recovered(&err)
	printer := protoprint.Printer{Compact: true, Indent: "  "}
	var b strings.Builder
	for _, f := range c.files {
		if !c.own[f.Path()] {
			continue
		}
		one, err := printer.PrintProtoToString(f)
		if err != nil {
			return "", err
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("// " + strings.ReplaceAll(f.Path(), "\n", " ") + "\n" + one)
	}
	return b.String(), nil
}
