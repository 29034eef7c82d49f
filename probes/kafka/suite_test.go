package kafka

import (
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestSuite runs what every driver must do.
func TestSuite(t *testing.T) {
	test := func(t *testing.T, b *bed) {
		tails, stores := b.topic(t, 3), b.topic(t, 1)
		b.group(t, tails)
		n := 0
		probetest.Run(t, probetest.Suite{
			Driver: Driver(),
			Target: b.target(),
			Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeTopic, probes.NodeBroker, probes.NodeGroup},
				Subject: tails, Unknown: "no-such-thing"},
			Tail: &probetest.TailCase{Subject: tails, Unknown: "no-such-topic", Produce: func(t *testing.T, count int) [][]byte {
				var recs []*kgo.Record
				var bodies [][]byte
				for range count {
					body := fmt.Appendf(nil, "message %d", n)
					recs = append(recs, &kgo.Record{Topic: tails, Partition: int32(n % 3), Value: body, Timestamp: clock(n)})
					bodies, n = append(bodies, body), n+1
				}
				b.produce(t, recs...)
				return bodies
			}},
			Publish: &probetest.PublishCase{Subject: stores, Unknown: "no-such-topic"},
		})
		b.absent(t, "no-such-thing", "no-such-topic")
	}
	// The suite counts goroutines, so kfake's have to be elsewhere.
	t.Run("kfake", func(t *testing.T) { test(t, newBed(t, kfakeProcess(t))) })
	t.Run("real", func(t *testing.T) { test(t, realBed(t)) })
}

// serveKfake makes TestMain serve a kfake, print its address and wait for stdin
// to end.
const serveKfake = "ISCOPE_TEST_SERVE_KFAKE"

func TestMain(m *testing.M) {
	if args := os.Getenv(tailForTest); args != "" {
		tailAndPrint(args)
		return
	}
	if os.Getenv(serveKfake) == "" {
		os.Exit(m.Run())
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.ListenAddrs()[0])
	io.Copy(io.Discard, os.Stdin)
	c.Close()
}

func kfakeProcess(t *testing.T) (addr string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveKfake+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	if _, err := fmt.Fscan(out, &addr); err != nil {
		t.Fatal(err)
	}
	return addr
}
