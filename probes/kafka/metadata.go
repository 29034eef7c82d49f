package kafka

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// topicID tells a topic from another one of the same name, made after the first
// was deleted (KIP-516). It is written as Kafka's own tools write it; "" is
// unknown.
type topicID string

// metadataWithIDs is the one version of Metadata that names topics by both name
// and id and still says what we may do to the cluster. The library stops at 8.
const metadataWithIDs = 10

// cluster asks for metadata. nil asks for all topics, an empty list for none.
// Topics are never created by asking.
func (p *probe) cluster(ctx context.Context, topics []string) (*cluster, error) {
	var c *cluster
	err := p.anywhere(ctx, func(addr string) error {
		return p.onLink(ctx, addr, func(ctx context.Context, l *link) (err error) {
			if l.speaks(protocol.Metadata, metadataWithIDs) {
				c, err = l.metadata(ctx, topics)
			} else {
				c, err = l.metadataBefore(ctx, topics)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for i := range c.topics {
		slices.SortFunc(c.topics[i].Partitions, func(a, b metadata.ResponsePartition) int {
			return int(a.PartitionIndex) - int(b.PartitionIndex)
		})
	}
	return c, nil
}

// metadataBefore asks brokers before 2.8, which know no ids.
func (l *link) metadataBefore(ctx context.Context, topics []string) (*cluster, error) {
	msg, err := l.call(ctx, &metadata.Request{TopicNames: topics, AllowAutoTopicCreation: false, IncludeClusterAuthorizedOperations: true})
	if err != nil {
		return nil, err
	}
	res := msg.(*metadata.Response)
	c := &cluster{id: res.ClusterID, controller: res.ControllerID, brokers: map[int32]broker{}, topics: res.Topics,
		operations: res.ClusterAuthorizedOperations}
	for _, b := range res.Brokers {
		c.brokers[b.NodeID] = broker{id: b.NodeID, addr: hostPort(b.Host, b.Port), rack: b.Rack}
	}
	return c, nil
}

func (l *link) metadata(ctx context.Context, topics []string) (*cluster, error) {
	body, err := l.exchangeRaw(ctx, rawCall{key: protocol.Metadata, version: metadataWithIDs, body: metadataRequest(topics)})
	if err != nil {
		return nil, err
	}
	c, err := readMetadata(body)
	if err != nil {
		return nil, protocolFault(err)
	}
	return c, nil
}

func metadataRequest(topics []string) []byte {
	b := []byte{0} // null: all topics
	if topics != nil {
		b = appendCompactCount(nil, len(topics))
	}
	for _, t := range topics {
		b = append(b, make([]byte, 16)...) // by name, not by id
		b = append(appendCompact(b, t), 0)
	}
	return append(b, 0, 1, 0) // create none; say what we may do to the cluster, not to each topic
}

// readMetadata reads a Metadata response v10
// (https://kafka.apache.org/protocol#The_Messages_Metadata).
func readMetadata(b []byte) (*cluster, error) {
	r := &wire{b: b}
	c := &cluster{brokers: map[int32]broker{}, ids: map[string]topicID{}}
	r.skip(4) // throttle time
	for range r.compactCount() {
		id, host, port, rack := r.int32(), r.compactString(), r.int32(), r.compactString()
		r.tags()
		c.brokers[id] = broker{id: id, addr: hostPort(host, port), rack: rack}
	}
	c.id, c.controller = r.compactString(), r.int32()
	for range r.compactCount() {
		t := metadata.ResponseTopic{ErrorCode: r.int16(), Name: r.compactString()}
		id := r.take(16)
		t.IsInternal = r.bool()
		for range r.compactCount() {
			t.Partitions = append(t.Partitions, readPartition(r))
		}
		r.skip(4) // what we may do to the topic
		r.tags()
		if r.err != nil {
			break
		}
		c.topics = append(c.topics, t)
		if binary.BigEndian.Uint64(id)|binary.BigEndian.Uint64(id[8:]) != 0 {
			c.ids[t.Name] = topicID(base64.RawURLEncoding.EncodeToString(id))
		}
	}
	c.operations = r.int32()
	return c, r.err
}

func readPartition(r *wire) metadata.ResponsePartition {
	p := metadata.ResponsePartition{ErrorCode: r.int16(), PartitionIndex: r.int32(), LeaderID: r.int32(), LeaderEpoch: r.int32(),
		ReplicaNodes: r.compactInts(), IsrNodes: r.compactInts(), OfflineReplicas: r.compactInts()}
	r.tags()
	return p
}
