package shop

import (
	"fmt"
	"hash/fnv"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	topicCreated  = "orders.created"
	topicCaptured = "payments.captured"
	topicDead     = "orders.dlq"
)

// startBroker starts a Kafka broker (franz-go's kfake: the protocol is real,
// the storage is memory) with the shop's topics and returns its address.
// Topics are never created by being asked for.
func startBroker(c *crew, id string) (string, error) {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID(id),
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "60000"}),
	)
	if err != nil {
		return "", fmt.Errorf("starting the broker %s: %w", id, err)
	}
	c.after(cluster.Close)
	// Bytes of a partition: at five orders a second, more than half an hour.
	// Memory is freed by whole segments.
	limits := map[string]string{"retention.bytes": "2097152", "segment.bytes": "524288"}
	for topic, partitions := range map[string]int32{topicCreated: 3, topicCaptured: 3, topicDead: 1} {
		if err := cluster.CreateTopic(topic, partitions, limits); err != nil {
			return "", fmt.Errorf("creating the topic %s: %w", topic, err)
		}
	}
	return cluster.ListenAddrs()[0], nil
}

// dialBroker returns a Kafka client that is closed when the crew has stopped.
func dialBroker(c *crew, address, id string, opts ...kgo.Opt) (*kgo.Client, error) {
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(address),
		kgo.ClientID(id),
		kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int { return choosePartition })),
	}, opts...)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting %s to Kafka: %w", id, err)
	}
	c.after(client.Close)
	return client, nil
}

// choosePartition hashes the key as kafka-go's Hash balancer does (FNV-1a). A
// record without a key says itself where it goes, so that equal shops put it
// into equal places.
func choosePartition(r *kgo.Record, n int) int {
	if r.Key == nil {
		return int(r.Partition) % n
	}
	h := fnv.New32a()
	h.Write(r.Key)
	return int(h.Sum32() % uint32(n))
}
