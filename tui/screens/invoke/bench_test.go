package invoke

import (
	"bytes"
	"fmt"
	"testing"

	"iscope/probes"
	"iscope/tui/kit"
)

// many makes the method list of a contract as large as GitHub's, and ten times
// that.
func many(b *testing.B, n int) *screen {
	sc, _ := build(b, "local", true)
	ms := make([]probes.Method, n)
	for i := range ms {
		group := fmt.Sprintf("group-%d", i%45)
		ms[i] = probes.Method{Name: fmt.Sprintf("GET /repos/{owner}/{repo}/%s/things/%d", group, i), Group: group, Effect: probes.EffectRead,
			Doc: "Lists all of the things that somebody may want to look at in a repository"}
	}
	sc.targets[target].methods = ms
	sc.lay()
	return sc
}

// A key press in the filter, until its frame is drawn.
func BenchmarkFilterKeystroke(b *testing.B) {
	for _, n := range []int{1_200, 12_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			sc := many(b, n)
			sc.Update(kit.Find)
			for b.Loop() {
				for _, k := range []string{"t", "h", "backspace", "backspace"} {
					sc.Update(key(k))
					sc.View(120, 37)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/4, "µs/key")
		})
	}
}

// answered is a screen with a call that was answered with so much JSON.
func answered(b *testing.B, size int) *screen {
	sc, p := build(b, "local", true)
	var body bytes.Buffer
	body.WriteString(`{"items":[`)
	for i := 0; body.Len() < size; i++ {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":%d,"name":"thing number %d","tags":["a","b"],"nested":{"x":[%d]}}`, i, i, i)
	}
	body.WriteString(`]}`)
	p.answer = body.Bytes()
	run(b, sc, sc.Update(kit.Go{Screen: kit.Invoke, Ref: probes.Ref{Target: target, Subject: "fake.Svc/Big"}}))
	press(b, sc, "s")
	return sc
}

// A key press on a 50 MB answer, until its first screen is drawn, for each tab.
func BenchmarkFirstScreenOf50MB(b *testing.B) {
	for _, tab := range []int{tabText, tabTree, tabRaw, tabHex} {
		b.Run(tabs[tab], func(b *testing.B) {
			sc := answered(b, 50<<20)
			for b.Loop() {
				sc.resp.reset()
				sc.toResponse(tab)
				sc.View(120, 37)
			}
		})
	}
}

// Scrolling in a 50 MB answer.
func BenchmarkScroll50MB(b *testing.B) {
	for _, tab := range []int{tabText, tabTree, tabRaw, tabHex} {
		b.Run(tabs[tab], func(b *testing.B) {
			sc := answered(b, 50<<20)
			run(b, sc, sc.toResponse(tab))
			sc.View(120, 37)
			for b.Loop() {
				sc.Update(kit.PageDown)
				sc.View(120, 37)
			}
		})
	}
}
