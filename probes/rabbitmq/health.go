package rabbitmq

import (
	"fmt"
	"net"
	"strings"

	"iscope/probes"
)

// backlog is from how many unacknowledged messages on a queue whose consumers
// acknowledge nothing is worth a warning.
const backlog = 1000

func (n *node) health() (probes.Health, string) {
	switch {
	case !n.Running:
		return probes.HealthFail, "not running"
	case n.MemAlarm:
		return probes.HealthFail, fmt.Sprintf("memory alarm: %d MiB of %d MiB used, publishers are blocked", n.MemUsed>>20, n.MemLimit>>20)
	case n.DiskAlarm:
		return probes.HealthFail, fmt.Sprintf("disk alarm: %d MiB free, limit %d MiB, publishers are blocked", int64(n.DiskFree)>>20, int64(n.DiskLimit)>>20)
	case len(n.Partitions) > 0:
		return probes.HealthFail, "network partition: it does not see " + strings.Join(n.Partitions, ", ")
	case n.BeingDrained:
		return probes.HealthWarn, "in maintenance mode"
	case n.FilesTotal > 0 && n.FilesUsed*10 > n.FilesTotal*9:
		return probes.HealthWarn, fmt.Sprintf("%d of %d file descriptors used", n.FilesUsed, n.FilesTotal)
	}
	return probes.HealthOK, ""
}

func (q *queue) health() (probes.Health, string) {
	count := func(n *int64) int64 {
		if n == nil {
			return 0
		}
		return *n
	}
	growing := q.Growth.Rate != nil && *q.Growth.Rate > 0
	idle := q.Stats != nil && q.Stats.Ack.Rate != nil && *q.Stats.Ack.Rate == 0
	switch {
	case q.State == "down" || q.State == "crashed" || q.State == "stopped":
		return probes.HealthFail, "the queue is " + q.State
	case len(q.Members) > 0 && 2*len(q.Online) <= len(q.Members) && q.Online != nil:
		return probes.HealthFail, fmt.Sprintf("no majority: %d of %d members online", len(q.Online), len(q.Members))
	case q.kind() == queueStream:
	case q.Consumers != nil && *q.Consumers == 0 && growing:
		return probes.HealthWarn, fmt.Sprintf("no consumer, %d messages and %.1f more each second", count(q.Messages), *q.Growth.Rate)
	case count(q.Unacked) >= backlog && idle:
		return probes.HealthWarn, fmt.Sprintf("%d messages are with consumers that acknowledge none", *q.Unacked)
	case len(q.Members) > len(q.Online) && q.Online != nil:
		return probes.HealthWarn, fmt.Sprintf("%d of %d members online", len(q.Online), len(q.Members))
	case q.State == "minority" || q.State == "syncing":
		return probes.HealthWarn, "the queue is " + q.State
	}
	return probes.HealthOK, ""
}

func connectionsHealth(list []*connection) (probes.Health, string) {
	for _, c := range list {
		switch c.State {
		case "blocked", "blocking":
			return probes.HealthWarn, "blocked from publishing by an alarm of the broker"
		case "flow":
			return probes.HealthWarn, "slowed down by flow control: it publishes faster than queues take"
		}
	}
	return probes.HealthOK, ""
}

// exposed reports a connection over a network without TLS.
func (c *connection) exposed() bool {
	ip := net.ParseIP(c.PeerHost)
	return !c.TLS && c.PeerHost != "" && (ip == nil || !ip.IsLoopback())
}
