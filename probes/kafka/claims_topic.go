package kafka

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go/protocol/describeconfigs"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

func (r *reporter) topic(t *metadata.ResponseTopic) {
	n := &probes.Node{ID: r.id(probes.NodeTopic, t.Name), Kind: probes.NodeTopic, Name: t.Name,
		Attrs: []probes.Attr{{Name: attrPartitions, Value: strconv.Itoa(len(t.Partitions))}}}
	if len(t.Partitions) > 0 {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrReplication, Value: strconv.Itoa(len(t.Partitions[0].ReplicaNodes))})
	}
	if t.IsInternal {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrInternal, Value: "true"})
	}
	if rate, ok := r.rates.produced(t.Name); ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.MetricRate, Value: strconv.FormatFloat(rate, 'f', 1, 64)})
	}
	n.Health, n.Reason = topicHealth(t)
	if r.detail {
		r.detailTopic(n, t)
	}
	r.node(n, "Metadata", probes.Declared)
	if r.detail {
		for i := range t.Partitions {
			r.partition(t.Name, &t.Partitions[i])
		}
	}
}

// detailTopic adds size, replication and configuration.
func (r *reporter) detailTopic(n *probes.Node, t *metadata.ResponseTopic) {
	add := func(name string, value int64) {
		n.Attrs = append(n.Attrs, probes.Attr{Name: name, Value: strconv.FormatInt(value, 10)})
	}
	minISR, minKnown := r.minISR(t.Name)
	var size, all, under, offline, underMin int64
	complete := true
	for i := range t.Partitions {
		tp := &t.Partitions[i]
		leaders, ok := r.sizeOf(part{t.Name, tp.PartitionIndex}, tp.LeaderID)
		size, complete = size+leaders, complete && ok
		for _, id := range tp.ReplicaNodes {
			bytes, ok := r.sizeOf(part{t.Name, tp.PartitionIndex}, id)
			all, complete = all+bytes, complete && ok
		}
		under += count1(len(tp.IsrNodes) < len(tp.ReplicaNodes))
		offline += count1(tp.LeaderID < 0)
		underMin += count1(minKnown && len(tp.IsrNodes) < minISR)
	}
	if complete {
		add(attrSize, size)
		add(attrSizeAll, all)
	}
	add(attrUnder, under)
	add(attrOffline, offline)
	if minKnown {
		add(attrUnderMin, underMin)
	}
	if underMin > 0 && n.Health != probes.HealthFail {
		n.Health, n.Reason = probes.HealthFail, fmt.Sprintf("fewer replicas in sync than min.insync.replicas=%d for %d partitions: they take no acks=all writes", minISR, underMin)
	}
	for _, e := range r.configs[t.Name] {
		if worthShowing(e) {
			n.Attrs = append(n.Attrs, probes.Attr{Name: attrConfig + e.ConfigName, Value: e.ConfigValue},
				probes.Attr{Name: attrConfig + e.ConfigName + ".source", Value: configSource(e.ConfigSource)})
		}
	}
}

func count1(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// minISR is the topic's min.insync.replicas, where it could be asked for.
func (s *survey) minISR(topic string) (int, bool) {
	for _, e := range s.configs[topic] {
		if e.ConfigName == "min.insync.replicas" {
			n, err := strconv.Atoi(e.ConfigValue)
			return n, err == nil
		}
	}
	return 0, false
}

// configSource names where a setting's value comes from, by its number (KIP-226).
func configSource(n int8) string {
	names := [...]string{"unknown", "topic", "broker, changed while it runs", "all brokers, changed while they run", "broker's file", "default"}
	if n < 0 || int(n) >= len(names) {
		n = 0
	}
	return names[n]
}

// sourceDefault is a setting that nobody has set.
const sourceDefault = 5

// worthShowing picks what somebody has set, and what says how long messages stay
// and when they are taken.
func worthShowing(e describeconfigs.ResponseConfigEntry) bool {
	switch e.ConfigName {
	case "cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "min.insync.replicas":
		return true
	}
	return e.ConfigSource != sourceDefault && !e.IsSensitive
}

func topicHealth(t *metadata.ResponseTopic) (probes.Health, string) {
	var headless, lagging []string
	for i := range t.Partitions {
		tp := &t.Partitions[i]
		id := strconv.Itoa(int(tp.PartitionIndex))
		switch {
		case tp.LeaderID < 0:
			headless = append(headless, id)
		case len(tp.IsrNodes) < len(tp.ReplicaNodes):
			lagging = append(lagging, id)
		}
	}
	switch {
	case t.ErrorCode != 0:
		return probes.HealthFail, brokerError(t.ErrorCode, "").Error()
	case len(headless) > 0:
		return probes.HealthFail, "no leader for partition " + fewOf(headless)
	case len(lagging) > 0:
		return probes.HealthWarn, "too few replicas in sync for partition " + fewOf(lagging)
	}
	return probes.HealthOK, ""
}

func (r *reporter) partition(topic string, tp *metadata.ResponsePartition) {
	pt := part{topic, tp.PartitionIndex}
	n := &probes.Node{ID: r.id(probes.NodePartition, pt.String()), Kind: probes.NodePartition, Name: pt.String(), Health: probes.HealthOK,
		Parent: r.id(probes.NodeTopic, topic), Attrs: []probes.Attr{{Name: probes.AttrPartition, Value: strconv.Itoa(int(pt.id))},
			{Name: attrLeader, Value: strconv.Itoa(int(tp.LeaderID))}, {Name: attrReplicas, Value: join32(tp.ReplicaNodes)},
			{Name: attrISR, Value: join32(tp.IsrNodes)}}}
	if off, ok := r.starts[pt]; ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrStart, Value: strconv.FormatInt(off, 10)})
	}
	if off, ok := r.ends[pt]; ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrEnd, Value: strconv.FormatInt(off, 10)})
	}
	if len(tp.OfflineReplicas) > 0 {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrOfflineReps, Value: join32(tp.OfflineReplicas)})
	}
	if size, ok := r.sizeOf(pt, tp.LeaderID); ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrSize, Value: strconv.FormatInt(size, 10)})
	}
	if each := r.replicaSizes(pt, tp.ReplicaNodes); each != "" {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrSizeAll, Value: each})
	}
	switch {
	case tp.LeaderID < 0:
		n.Health, n.Reason = probes.HealthFail, "no leader"
	case len(tp.IsrNodes) < len(tp.ReplicaNodes):
		n.Health, n.Reason = probes.HealthWarn, "too few replicas in sync"
	}
	r.node(n, "Metadata, ListOffsets", probes.Declared)
}

// replicaSizes is "1:4096,2:4096".
func (s *survey) replicaSizes(pt part, brokers []int32) string {
	var out []string
	for _, id := range brokers {
		if size, ok := s.sizeOf(pt, id); ok {
			out = append(out, fmt.Sprintf("%d:%d", id, size))
		}
	}
	return strings.Join(out, ",")
}

func join32(ids []int32) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.Itoa(int(id))
	}
	return strings.Join(words, ",")
}
