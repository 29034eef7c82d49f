package kit

import (
	"context"

	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/probes"
)

// Judge says whether a record is chosen. The error is why it could not be judged:
// then it is not.
type Judge func(*probes.Record) (bool, error)

// Judging makes a judge of a filter; nil of none. Gaps and notices are always
// chosen: they are about the stream, not in it.
func Judging(ctx context.Context, f *filter.Filter) Judge {
	if f == nil {
		return nil
	}
	return func(r *probes.Record) (bool, error) {
		if r.Kind == probes.Gap || r.Kind == probes.Notice {
			return true, nil
		}
		return f.Match(ctx, r)
	}
}

// Decoding makes a filter read bodies with what there is for them. nil stays nil.
func Decoding(f *filter.Filter, env func(*probes.Record) inspectors.Env) *filter.Filter {
	if f == nil {
		return nil
	}
	return f.Decoding(func(ctx context.Context, r *probes.Record) ([]byte, error) {
		text, _, err := inspectors.Decode(ctx, r, env(r))
		return text, err
	})
}
