package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go/protocol"

	"iscope/probes"
)

// registerLogDirs adds DescribeLogDirs, which the library lacks, to its table of
// APIs. That table belongs to the process and is not locked, so this happens once,
// before the first link is made.
var registerLogDirs = sync.OnceFunc(func() { protocol.Register(&logDirsRequest{}, &logDirsResponse{}) })

// logDirsRequest asks a broker how many bytes it stores of partitions
// (https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs).
type logDirsRequest struct {
	Topics []logDirsTopic `kafka:"min=v0,max=v1,nullable"`
}

type logDirsTopic struct {
	Topic      string  `kafka:"min=v0,max=v1"`
	Partitions []int32 `kafka:"min=v0,max=v1"`
}

type logDirsResponse struct {
	ThrottleTimeMs int32    `kafka:"min=v0,max=v1"`
	Dirs           []logDir `kafka:"min=v0,max=v1"`
}

type logDir struct {
	ErrorCode int16         `kafka:"min=v0,max=v1"`
	Dir       string        `kafka:"min=v0,max=v1"`
	Topics    []logDirTopic `kafka:"min=v0,max=v1"`
}

type logDirTopic struct {
	Topic      string            `kafka:"min=v0,max=v1"`
	Partitions []logDirPartition `kafka:"min=v0,max=v1"`
}

type logDirPartition struct {
	Partition int32 `kafka:"min=v0,max=v1"`
	Size      int64 `kafka:"min=v0,max=v1"` // bytes of its segments
	OffsetLag int64 `kafka:"min=v0,max=v1"`
	IsFuture  bool  `kafka:"min=v0,max=v1"` // being moved here from another disk
}

// ApiKey is the number of the API.
func (*logDirsRequest) ApiKey() protocol.ApiKey { return protocol.DescribeLogDirs }

// ApiKey is the number of the API.
func (*logDirsResponse) ApiKey() protocol.ApiKey { return protocol.DescribeLogDirs }

// replica is a partition on a broker.
type replica struct {
	part
	broker int32
}

// weigh asks every broker with a replica how large it is there.
func (s *survey) weigh(ctx context.Context, p *probe) {
	held := map[int32][]logDirsTopic{}
	for _, t := range s.topics {
		byBroker := map[int32][]int32{}
		for i := range t.Partitions {
			for _, id := range t.Partitions[i].ReplicaNodes {
				byBroker[id] = append(byBroker[id], t.Partitions[i].PartitionIndex)
			}
		}
		for id, parts := range byBroker {
			held[id] = append(held[id], logDirsTopic{Topic: t.Name, Partitions: parts})
		}
	}
	s.sizes = map[replica]int64{}
	for _, id := range slices.Sorted(maps.Keys(held)) {
		if err := s.weighOn(ctx, p, id, held[id]); err != nil {
			s.missing = append(s.missing, fmt.Sprintf("sizes on broker %d: %v", id, err))
		}
	}
}

func (s *survey) weighOn(ctx context.Context, p *probe, id int32, topics []logDirsTopic) error {
	b, ok := s.cluster.brokers[id]
	if !ok {
		return fmt.Errorf("it is down")
	}
	res, err := ask[*logDirsResponse](ctx, p, b.addr, &logDirsRequest{Topics: topics})
	if err != nil {
		return err
	}
	found := 0
	for _, d := range res.Dirs {
		if d.ErrorCode != 0 {
			err = fmt.Errorf("folder %s: %w", d.Dir, brokerError(d.ErrorCode, ""))
		}
		for _, t := range d.Topics {
			for _, tp := range t.Partitions {
				found++
				if !tp.IsFuture {
					s.sizes[replica{part{t.Topic, tp.Partition}, id}] = tp.Size
				}
			}
		}
	}
	if found == 0 && err == nil {
		// That is how a broker refuses in these versions.
		return &fault{kind: probes.ErrDenied, err: fmt.Errorf("it does not say; that takes the DESCRIBE permission on the cluster")}
	}
	return err
}

// sizeOf is what a partition's leader stores of it; not ok where that is not
// known.
func (s *survey) sizeOf(pt part, leader int32) (int64, bool) {
	n, ok := s.sizes[replica{pt, leader}]
	return n, ok
}
