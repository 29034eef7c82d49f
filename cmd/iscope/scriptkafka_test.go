package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/segmentio/kafka-go"
)

// createTopics makes topics for one script, because iscope never makes one:
// TOPIC with three partitions, OTHER with one, BIG with one that takes messages
// of 16 MB.
func createTopics(t *testing.T, env *testscript.Env) error {
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	client := &kafka.Client{Addr: kafka.TCP(env.Getenv("BOOTSTRAP")), Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	var topics []kafka.TopicConfig
	for variable, config := range map[string]kafka.TopicConfig{
		"TOPIC": {NumPartitions: 3, ReplicationFactor: 1},
		"OTHER": {NumPartitions: 1, ReplicationFactor: 1},
		"BIG": {NumPartitions: 1, ReplicationFactor: 1,
			ConfigEntries: []kafka.ConfigEntry{{ConfigName: "max.message.bytes", ConfigValue: "16000000"}}},
	} {
		config.Topic = env.Getenv("UNIQUE") + "-" + variable
		env.Setenv(variable, config.Topic)
		topics = append(topics, config)
	}
	created, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: topics})
	if err != nil {
		return fmt.Errorf("creating topics: %w", err)
	}
	for name, err := range created.Errors {
		if err != nil {
			return fmt.Errorf("creating topic %s: %w", name, err)
		}
	}
	// The controller has them; the broker leads their partitions a moment later.
	for {
		missing, err := leaderless(ctx, client, topics)
		if err != nil || missing == nil {
			return err
		}
	}
}

// leaderless says which of the topics cannot be read or written yet.
func leaderless(ctx context.Context, client *kafka.Client, topics []kafka.TopicConfig) (missing, err error) {
	ask := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for _, t := range topics {
		for p := range t.NumPartitions {
			ask.Topics[t.Topic] = append(ask.Topics[t.Topic], kafka.LastOffsetOf(p))
		}
	}
	answer, err := client.ListOffsets(ctx, ask)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("waiting for the topics: %w", errors.Join(ctx.Err(), err))
	}
	if err != nil {
		return err, nil // the client itself looks for the leaders first
	}
	for _, partitions := range answer.Topics {
		for _, p := range partitions {
			missing = errors.Join(missing, p.Error)
		}
	}
	return missing, nil
}
