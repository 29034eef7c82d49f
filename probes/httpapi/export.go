package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"iscope/probes"
)

// Contract gives the document as JSON, with everything that is wrong with it: a
// broken part is a difference too. Only a document of several files is given as
// it was read.
func (p *probe) Contract(ctx context.Context) (probes.Schema, error) {
	const op = "reading the contract"
	doc, err := p.docs.Get(ctx, fresh)
	if err != nil {
		return probes.Schema{}, p.NotHad(op, theDocument, err)
	}
	data, err := doc.asJSON()
	if err != nil {
		return probes.Schema{}, p.Fail(op, probes.ErrProtocol, err, "")
	}
	return probes.Schema{Ref: doc.place, Type: "openapi", Text: string(doc.text), Data: data}, nil
}

func (d *document) asJSON() ([]byte, error) {
	if d.split {
		return json.Marshal(d.tree)
	}
	if text := bytes.TrimPrefix(d.text, []byte("\xef\xbb\xbf")); json.Valid(text) {
		return text, nil
	}
	// The tree in hand has been mended, and what was Swagger 2.0 is not any more.
	tree, _, _, err := parseTree(d.text)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

func errNoOperation(name string) error { return fmt.Errorf("the document has no operation %q", name) }
