package load

import (
	"iter"

	"iscope/probes"
)

// Observe takes the records of one call and says how it ended. pointless is the
// failure of a call that would fail every other time as well, for what it asks or
// for who asks: a load of such calls has nothing to measure.
func Observe(records iter.Seq2[probes.Record, error]) (out Outcome, pointless error) {
	for rec, err := range records {
		if err != nil {
			out.Status, out.Err = "failed", err.Error()
			switch kind := probes.KindOf(err); kind {
			case nil:
			case probes.ErrUsage, probes.ErrRefused, probes.ErrUnsupported, probes.ErrAuth, probes.ErrTLS:
				out.Status, pointless = kind.Error(), err
			default:
				out.Status = kind.Error()
			}
			return out, pointless
		}
		if peer, ok := rec.Attr(probes.AttrPeer); ok {
			out.Peer = peer
		}
		if rec.Kind == probes.End {
			out.Status, _ = rec.Attr(probes.AttrStatus)
			out.Err = rec.Err
		}
	}
	return out, nil
}
