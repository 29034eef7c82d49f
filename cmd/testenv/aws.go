package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// aws is moto: SQS, SNS and API Gateway v1 and v2 in one process, with any
// credentials. It is the one server that has all four, and it keeps what a tail
// must not break: visibility timeouts, receive counts, redrive to dead-letter
// queues, FIFO groups, filter policies and raw delivery (goaws has no API Gateway
// and counts receives wrongly).
//
// Known limits: everything is in memory, so a restart forgets it; sequence numbers
// of FIFO messages are random and only there with an explicit deduplication id; a
// deduplicated send answers a new message id; CreatedTimestamp has a fraction;
// the message move tasks and DeadLetterQueueSourceArn are missing, and so are
// v2 deployments and exports. For the SQS part of that, see elasticmq.
func aws() *server {
	return &server{
		name: "aws", version: "moto 5.2.5", profile: core, tool: "aws", disk: 200,
		needs: []string{"python3"}, builds: []string{"pip3"}, packages: []string{"python3", "python3-pip"},
		build: pipInstall,
		config: func(a map[string]string) string {
			same := "\n  options: {endpoint: " + a["http"] + "}\n  auth: {username: " + a["access_key"] + ", password: " + a["secret_key"] + "}"
			return "sqs:\n  url: sqs://" + a["region"] + same + "\nsns:\n  url: sns://" + a["region"] + same
		},
		start: func(_ context.Context, s *site) (plan, error) {
			port, err := s.freePort()
			url := "http://" + loopback(port)
			return plan{
				argv: []string{"python3", "-m", "moto.server", "-H", "127.0.0.1", "-p", fmt.Sprint(port)},
				// Python's own cache would be written into the installed files.
				env:       []string{"PYTHONPATH=" + filepath.Join(s.cache, "libs"), "PYTHONDONTWRITEBYTECODE=1"},
				addresses: awsAddresses(url), ready: httpReady(url+"/moto-api/data.json", nil),
			}, err
		},
	}
}

// awsAddresses is the endpoint and what an AWS client wants beside it.
func awsAddresses(url string) map[string]string {
	return map[string]string{"http": url, "region": "us-east-1", "account": "123456789012", "access_key": "iscope", "secret_key": "iscope"}
}

// pipInstall unpacks exactly the pinned packages into libs. It is no virtual
// environment: those hold absolute paths, and a cache entry is renamed when whole.
func pipInstall(ctx context.Context, b *builder) error {
	return b.run(ctx, b.dir, nil, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
		"--only-binary=:all:", "--require-hashes", "--target", filepath.Join(b.dir, "libs"), "-r", filepath.Join(b.tool, "requirements.txt"))
}
