package endpoints

import (
	"bytes"
	"encoding/json"
	"strings"
)

// indented lays a JSON document out over lines; anything else stays one line.
func indented(doc []byte) []string {
	var out bytes.Buffer
	if json.Indent(&out, doc, "", "  ") != nil {
		return []string{string(doc)}
	}
	return strings.Split(out.String(), "\n")
}
