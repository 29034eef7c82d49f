package inspectors

import (
	"context"
	"encoding/binary"
	"fmt"

	"iscope/probes"
)

// framed recognises messages in the wire format of Confluent's serializers: a
// zero byte, four bytes of schema id, the payload
// (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
// Payloads in JSON can be read without the schema; of others the bytes are shown
// and what is missing.
type framed struct{}

const (
	frameHead = 5
	// maxSchemaID keeps other binary formats that start with a zero out:
	// registries count ids up from 1.
	maxSchemaID = 1 << 24
)

func (framed) Name() string { return "framed" }

func (framed) Inspect(ctx context.Context, r *probes.Record, env Env) (View, error) {
	id, ok := schemaID(r)
	if !ok {
		return View{}, ErrNotMine
	}
	missing := Problem{Message: fmt.Sprintf("schema id %d, no registry configured", id), Offset: 0}
	inner := *r
	inner.Body = r.Body[frameHead:]
	v, err := document{}.Inspect(ctx, &inner, env)
	if err != nil {
		v, err = dump{}.Inspect(ctx, r, env)
		v.Inspector = dump{}.Name()
	} else {
		v.Inspector = document{}.Name()
	}
	v.Problems = append([]Problem{missing}, v.Problems...)
	return v, err
}

func schemaID(r *probes.Record) (uint32, bool) {
	if r.Kind != probes.Message || len(r.Body) <= frameHead || r.Body[0] != 0 {
		return 0, false
	}
	id := binary.BigEndian.Uint32(r.Body[1:])
	return id, id > 0 && id < maxSchemaID
}
