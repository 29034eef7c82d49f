// Package kafka watches Apache Kafka: topics, brokers, consumer groups with
// their lag, and the records themselves. It reads without a trace: no group is
// joined, nothing is committed, and no topic is ever created.
//
// It is built on the protocol layer of segmentio/kafka-go (message types,
// codecs, error codes) and deliberately on nothing above it. Reader and Conn
// show aborted transactions and create mistyped topics; Transport answers
// metadata from a cache, offers refused credentials again and again in the
// background, cannot be cancelled and hides internal topics. So a link here is
// one plain connection that one caller uses at a time, and there is not a
// goroutine beyond the running tails. APIs and versions that the library lacks are
// written and read here (raw.go), but for DescribeLogDirs, whose types are given to
// the library (logdirs.go).
//
// Record batches are taken as bytes and decoded here, one batch at a time, as
// KIP-98 (https://kafka.apache.org/documentation/#recordbatch) describes them.
//
// Records do not share memory with what came off the wire: a batch is copied in
// portions of at most 32 KiB, which its records share, so that one record kept for
// long keeps no megabytes alive, and a batch costs a few allocations rather than
// several for each record. The memory of an answer is used again for another one;
// so is that of portions, where records are only lent (probes.TailQuery.Lend).
package kafka
