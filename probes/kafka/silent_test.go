package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestSilentBroker: a broker that is there and says nothing is a lost one, though
// looks for new topics wait for it, too.
func TestSilentBroker(t *testing.T) {
	i := probetest.Own(t, "kafka")
	b := newBed(t, i.Addresses["bootstrap"])
	topic := b.topic(t, 1)
	b.produce(t, &kgo.Record{Topic: topic, Value: []byte("first")})
	p := b.open(t, func(t *probes.Target) { t.Timeout = 2 * time.Second })
	p.refresh = 500 * time.Millisecond
	var got []string
	var silent *probes.Error
	for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest}) {
		if err != nil {
			if !errors.As(err, &silent) {
				t.Fatal(err)
			}
			break
		}
		got = append(got, string(r.Body))
		i.Pause()
	}
	if len(got) != 1 || silent == nil || !probes.Transient(silent) || silent.Resume == "" || !strings.Contains(silent.Error(), "has been silent for 2s") {
		t.Errorf("got %q, then %v", got, silent)
	}
	i.Resume() // the topic's removal needs it
}
