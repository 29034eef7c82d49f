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
	var names []string
	for variable, config := range map[string]kafka.TopicConfig{
		"TOPIC": {NumPartitions: 3, ReplicationFactor: 1},
		"OTHER": {NumPartitions: 1, ReplicationFactor: 1},
		"BIG": {NumPartitions: 1, ReplicationFactor: 1,
			ConfigEntries: []kafka.ConfigEntry{{ConfigName: "max.message.bytes", ConfigValue: "16000000"}}},
	} {
		config.Topic = env.Getenv("UNIQUE") + "-" + variable
		env.Setenv(variable, config.Topic)
		topics, names = append(topics, config), append(names, config.Topic)
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
	// The controller has them; the broker learns of them a moment later.
	for {
		known, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
		if err != nil {
			return fmt.Errorf("waiting for the topics: %w", err)
		}
		var missing error
		for _, topic := range known.Topics {
			missing = errors.Join(missing, topic.Error)
			for _, p := range topic.Partitions {
				missing = errors.Join(missing, p.Error)
			}
		}
		if missing == nil {
			return nil
		}
	}
}
