package probetest_test

import (
	"fmt"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

// The fake has no address to be absent from, so it is held to the parts of the
// suite that need none.
func TestFakeKeepsTheContract(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 3)
	n := 0
	conn := f.Conn(probes.Environment{Write: true})
	s := probetest.Suite{Driver: conn.Driver, Target: conn.Target}
	s.RunParts(t, probetest.Suite{
		Tail: &probetest.TailCase{Subject: "orders", Unknown: "nope", Produce: func(_ *testing.T, k int) (bodies [][]byte) {
			for range k {
				n++
				b := fmt.Appendf(nil, `{"p":%d}`, n)
				f.Append("orders", probes.Record{Body: b})
				bodies = append(bodies, b)
			}
			return bodies
		}},
		Publish: &probetest.PublishCase{Subject: "orders", Unknown: "nope"},
	})
}
