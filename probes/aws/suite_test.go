package aws

import (
	"errors"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestQueues runs what every driver must do, on two servers that have nothing in
// common.
func TestQueues(t *testing.T) {
	for _, server := range []string{"aws", "elasticmq"} {
		t.Run(server, func(t *testing.T) {
			b := newBed(t, server)
			name, _, _, _ := b.pair(t, "", 5)
			probetest.Run(t, probetest.Suite{Driver: SQS(), Target: b.target("sqs"),
				Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeQueue, probes.NodeBroker}, Subject: name, Unknown: "no-such-queue"}})
		})
	}
}

func TestTopics(t *testing.T) {
	b := newBed(t, "aws")
	name, count := unique(t, ""), &counter{}
	arn := b.topic(t, name)
	probetest.Run(t, probetest.Suite{Driver: SNS(), Target: b.target("sns"),
		Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeTopic, probes.NodeBroker}, Subject: name, Unknown: "no-such-topic"},
		Tail: &probetest.TailCase{Subject: name, Unknown: "no-such-topic", Live: true, Produce: func(t *testing.T, n int) (bodies [][]byte) {
			for _, body := range count.bodies(n) {
				b.publish(t, arn, body)
				bodies = append(bodies, []byte(body))
			}
			return bodies
		}}})
}

// TestServerFaults restarts and stops a server of its own.
func TestServerFaults(t *testing.T) {
	on := func(driver string) func(*probetest.Instance) probes.Target {
		return func(i *probetest.Instance) probes.Target { return (&bed{Server: i.Server}).target(driver) }
	}
	probetest.RunFaults(t, probetest.FaultCase{Driver: SQS(), Server: "aws", Target: on("sqs")})
}

// TestQueueKeepsMessagesOverARestart peeks before and after: ElasticMQ keeps its
// queues on disk.
func TestQueueKeepsMessagesOverARestart(t *testing.T) {
	i := probetest.Own(t, "elasticmq")
	b := bedOf(i.Server)
	name := unique(t, "")
	url := b.queue(t, name, nil)
	b.send(t, url, "one", "two")
	conn := b.open(t, "sqs", nil)
	for range 2 {
		recs, err := peekAt(t, conn, probes.PeekQuery{Subject: name})
		if err != nil || len(bodiesOf(recs)) != 2 {
			t.Fatal(recs, err)
		}
		i.Kill()
		if _, err := peekAt(t, conn, probes.PeekQuery{Subject: name}); !errors.Is(err, probes.ErrUnreachable) {
			t.Error(err)
		}
		i.Start()
	}
}

// TestTopicTailOverARestart: moto forgets all at a restart, so the tail ends, and
// says that the topic is not there.
func TestTopicTailOverARestart(t *testing.T) {
	i := probetest.Own(t, "aws")
	b := bedOf(i.Server)
	name := unique(t, "")
	arn := b.topic(t, name)
	conn := b.open(t, "sns", nil)
	tailer, err := conn.Tailer()
	must(t, 0, err)
	f := followBy(t, b, tailer.Tail, name, arn, probes.TailQuery{})
	i.Kill()
	for range f.recs {
	}
	err = <-f.err
	var e *probes.Error
	if !errors.As(err, &e) || !probes.Transient(err) || e.Resume == "" {
		t.Fatal(err)
	}
	i.Start()
	_, err = drained(t, tailer.Tail(within(t), probes.TailQuery{Subject: name, Resume: e.Resume}))
	wants(t, err, probes.ErrNotFound, name, "")
}
