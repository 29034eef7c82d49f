package inspectors

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"strings"

	"iscope/probes"
)

// packed unpacks bodies that HTTP compressed with gzip (RFC 9110 §8.4.1.3) and
// hands what is inside to the rest of the chain.
type packed struct{}

func (packed) Name() string { return "gzip" }

func (packed) Inspect(ctx context.Context, r *probes.Record, env Env) (View, error) {
	enc, _ := r.HeaderValue("content-encoding")
	said := strings.EqualFold(string(enc), "gzip") || strings.EqualFold(string(enc), "x-gzip")
	if !said && !bytes.HasPrefix(r.Body, []byte{0x1f, 0x8b, 8}) {
		return View{}, ErrNotMine
	}
	zr, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return View{}, &malformed{kind: "gzip", reason: err.Error()}
	}
	// One byte more than is laid out tells whether there is more; a bomb is
	// never unpacked beyond that.
	body, err := io.ReadAll(io.LimitReader(zr, int64(env.limit())+1))
	if err != nil && len(body) == 0 {
		return View{}, &malformed{kind: "gzip", reason: err.Error()}
	}
	inner := *r
	inner.Body, inner.Cut = body, 0
	// Offsets of problems below are those of the unpacked body.
	v := Chain{empty{}, document{}, form{}, markup{}, plain{}, dump{}}.Inspect(ctx, &inner, env)
	v.Inspector = "gzip+" + v.Inspector
	if err != nil {
		v.Truncated = true
		v.Problems = append(v.Problems, Problem{Message: "unpacking stopped: " + err.Error(), Offset: -1})
	}
	return v, nil
}
