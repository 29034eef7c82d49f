package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestBrokerFails is the suite of faults, on a broker of its own.
func TestBrokerFails(t *testing.T) {
	target := func(i *probetest.Instance) probes.Target { return (&bed{addr: i.Addresses["bootstrap"]}).target() }
	secured := func(i *probetest.Instance) probes.Target {
		s := target(i)
		s.Address, s.TLS = i.Addresses["sasl_tls"], probes.TLS{Enabled: true, CAFile: i.Addresses["ca"]}
		s.Auth = probes.Auth{Mechanism: "scram-sha-512", Username: i.Addresses["username"], Password: probes.NewSecret(i.Addresses["password"])}
		return s
	}
	made := 0
	probetest.RunFaults(t, probetest.FaultCase{
		Driver: Driver(), Server: "kafka", Target: target, Secured: secured,
		Denied: func(i *probetest.Instance) probes.Target {
			s := secured(i)
			s.Auth.Password = probes.NewSecret("not-the-password")
			return s
		},
		// The broker tells clients its address: a relay has to be where it says.
		Relayed: func(i *probetest.Instance) (listen, forward string) {
			return i.Addresses["relay"], i.Addresses["behind_relay"]
		},
		Tail: &probetest.FaultTail{
			Subject: func(t *testing.T, i *probetest.Instance) (topic string) {
				once(t, i, func(b *bed) { topic = b.topic(t, 3) })
				return topic
			},
			Produce: func(t *testing.T, i *probetest.Instance, topic string, n, size int) (bodies [][]byte) {
				var recs []*kgo.Record
				for range n {
					made++
					body := append(fmt.Appendf(nil, "record %d ", made), bytes.Repeat([]byte("."), size)...)
					bodies = append(bodies, body)
					recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(made % 3), Value: body, Timestamp: clock(made)})
				}
				once(t, i, func(b *bed) { b.produce(t, recs...) })
				return bodies
			}},
		Oversized: overLimit,
	})
}

// once does something with a client that is gone afterwards: one that lived on
// would start goroutines whenever the broker comes back.
func once(t *testing.T, i *probetest.Instance, do func(*bed)) {
	t.Helper()
	b := newBed(t, i.Addresses["bootstrap"])
	defer b.Close()
	do(b)
}

// overLimit publishes what the broker takes and what it does not. The large
// record is read back whole; the refusal says the limit's name.
func overLimit(t *testing.T, i *probetest.Instance, conn *probes.Conn) {
	var topic string
	once(t, i, func(b *bed) { topic = b.topic(t, 1) })
	pub, err := conn.Publisher()
	if err != nil {
		t.Fatal(err)
	}
	publish := func(size int) ([]byte, error) {
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
		_, err := pub.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: topic}, Body: body})
		return body, err
	}
	want, err := publish(12 << 20)
	if err != nil {
		t.Fatal(err)
	}
	_, err = publish(24 << 20)
	if !errors.Is(err, probes.ErrUsage) || !strings.Contains(err.Error()+probes.HintOf(err), "max.message.bytes") {
		t.Errorf("24 MB: %v, hint %q", err, probes.HintOf(err))
	}
	tailer, err := conn.Tailer()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]byte
	for rec, err := range tailer.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Until: latest}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec.Body)
	}
	if len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Errorf("%d records were read, want the one of %d bytes", len(got), len(want))
	}
}
