package kafka

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func at(offset int64) probes.Position { return probes.Position{Kind: probes.PosOffset, Offset: offset} }
func when(i int) probes.Position      { return probes.Position{Kind: probes.PosTime, Time: clock(i)} }

func TestTailReadsTheRangeAskedFor(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		single, spread := b.topic(t, 1), b.topic(t, 4)
		b.numbered(t, single, 1, 0, 20)
		b.numbered(t, spread, 4, 0, 200)
		p := b.open(t, nil)
		for name, c := range map[string]struct {
			q    probes.TailQuery
			want []string
		}{
			"all":                       {probes.TailQuery{Subject: single, From: earliest, Until: latest}, numbers(0, 20)},
			"all partitions in order":   {probes.TailQuery{Subject: spread, From: earliest, Until: latest}, numbers(0, 200)},
			"from an offset":            {probes.TailQuery{Subject: single, From: at(15), Until: latest}, numbers(15, 20)},
			"from the very end":         {probes.TailQuery{Subject: single, From: at(20), Until: latest}, nil},
			"between offsets":           {probes.TailQuery{Subject: single, From: at(3), Until: at(7)}, numbers(3, 7)},
			"from a time":               {probes.TailQuery{Subject: spread, From: when(150), Until: latest}, numbers(150, 200)},
			"between times":             {probes.TailQuery{Subject: spread, From: when(50), Until: when(60)}, numbers(50, 60)},
			"from a time without any":   {probes.TailQuery{Subject: spread, From: when(900), Until: latest}, nil},
			"the newest":                {probes.TailQuery{Subject: spread, Last: 7}, numbers(193, 200)},
			"the newest of few":         {probes.TailQuery{Subject: single, Last: 50}, numbers(0, 20)},
			"from the latest to it":     {probes.TailQuery{Subject: single, From: latest, Until: latest}, nil},
			"one partition":             {probes.TailQuery{Subject: spread + "/1", From: at(48), Until: latest}, []string{"193", "197"}},
			"the newest of a partition": {probes.TailQuery{Subject: spread + "/3", Last: 2}, []string{"195", "199"}},
		} {
			t.Run(name, func(t *testing.T) {
				if d := cmp.Diff(c.want, bodies(read(t, p, c.q))); d != "" {
					t.Error(d)
				}
			})
		}
	})
}
