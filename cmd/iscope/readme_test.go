package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// readmeInstead shortens what would run until it is interrupted or take minutes;
// "" leaves a command to the scripts.
var readmeInstead = map[string]string{
	"iscope doctor kafka://127.0.0.1:9092":                                          "", // whatever runs there
	"iscope tail shop-registry":                                                     "iscope tail shop-registry --for 100ms",
	"iscope tail shop-kafka/orders.created,payments.captured --limit 1000 -o json":  "iscope tail shop-kafka/orders.created,payments.captured --limit 5 -o json",
	"iscope capture --listen 127.0.0.1:9000 --to shop-api -w calls.mcap --limit 20": "", // proxy.txtar
	"iscope replay orders.mcap --to staging-kafka --send --pace 2x":                 "iscope replay orders.mcap --to staging-kafka --send --pace 500x",
	"iscope completion bash > /etc/bash_completion.d/iscope":                        "iscope completion bash > iscope.bash",
}

// TestReadmeCommands runs the walk through every verb as it is written, in
// order, by a shell.
func TestReadmeCommands(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walk, ok := strings.Cut(string(content), "## A walk through every verb")
	walk, _, ok2 := strings.Cut(walk, "\n## ")
	if !ok || !ok2 {
		t.Fatal("README.md has no walk through every verb")
	}
	s, dir := openShop(t), t.TempDir()
	unused := map[string]bool{}
	for command := range readmeInstead {
		unused[command] = true
	}
	for command := range strings.Lines(walk) {
		command = strings.TrimSpace(command)
		if !strings.HasPrefix(command, "iscope ") {
			continue
		}
		run := command
		if other, ok := readmeInstead[command]; ok {
			delete(unused, command)
			run = other
		}
		if run == "" || strings.Contains(run, "| jq") && !found("jq") {
			continue
		}
		cmd := exec.CommandContext(t.Context(), shell, "-c", run)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GORACE=atexit_sleep_ms=0", "ISCOPE_CONFIG="+s.ConfigPath(), "ISCOPE_HISTORY="+filepath.Join(dir, "history.jsonl"))
		out, err := cmd.CombinedOutput()
		if err != nil || len(out) == 0 && !strings.Contains(run, ">") && !strings.Contains(run, "--for") && !strings.Contains(run, "--save") {
			t.Errorf("%s: %v\n%s", run, err, out)
		}
	}
	for command := range unused {
		t.Errorf("README.md no longer has: %s", command)
	}
}

func found(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}
