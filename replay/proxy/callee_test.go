package proxy

import (
	"context"
	"iter"

	"iscope/probes"
)

// callee is a destination with one method; it keeps the last call.
type callee struct {
	in  probes.Invocation
	doc string
}

func (*callee) Check(context.Context) error { return nil }
func (*callee) Close() error                { return nil }

func (*callee) Methods(context.Context) ([]probes.Method, error) {
	return []probes.Method{{Name: "shop.orders.v1.Orders/Unary"}}, nil
}

func (c *callee) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		c.in = in
		doc, err := in.Next(ctx)
		if err != nil {
			yield(probes.Record{}, err)
			return
		}
		c.doc = string(doc)
		yield(probes.Record{Kind: probes.End, Attrs: []probes.Attr{{Name: probes.AttrRPCStatus, Value: "OK"}}}, nil)
	}
}
