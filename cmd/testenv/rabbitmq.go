package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Where Debian's package puts the broker. The commands of the same names on PATH
// switch to a user of their own and keep everything in system folders.
const rabbitHome = "/usr/lib/rabbitmq"

// rabbitmq is Debian's RabbitMQ with the plugins for management, streams, logins by
// certificate, and the exchanges that a tap must not be bound to.
func rabbitmq() *server {
	return &server{
		name: "rabbitmq", profile: core, disk: 150,
		needs: []string{rabbitHome + "/bin/rabbitmq-server", "epmd"}, packages: []string{"rabbitmq-server"},
		start: startRabbitMQ,
		config: func(a map[string]string) string {
			return "rabbitmq:\n  url: amqp://" + a["amqp"] + "\n  auth: {username: " + a["username"] + ", password: " + a["password"] + "}" +
				"\n  options: {management: " + a["management"] + "}"
		},
	}
}

// rabbitScript runs the broker together with the name server that Erlang needs,
// a port mapper, which would otherwise be started as a daemon outside the group
// and outlive it. The first line before the broker ends the group when stdin
// does, which is when this program was killed. "detached" makes the package's
// script become the broker instead of watching over it.
const rabbitScript = `exec 3<&0
(read -r line; kill -TERM 0) <&3 &
epmd </dev/null &
until epmd -names >/dev/null 2>&1; do
  kill -0 $! || exit 1
  sleep 0.05
done
detached=yes exec "$0" </dev/null 3<&-`

func startRabbitMQ(_ context.Context, s *site) (plan, error) {
	version, err := rabbitVersion()
	if err != nil {
		return plan{}, err
	}
	p, err := s.freePorts(6)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	node := fmt.Sprintf("iscope-%d@localhost", p[4])
	env := rabbitEnv(s.data, node, p[4], p[5])
	ctl := filepath.Join(s.data, "rabbitmqctl")
	management := "http://" + loopback(p[2])
	a := map[string]string{"amqp": loopback(p[0]), "amqps": loopback(p[1]), "management": management, "stream": loopback(p[3]),
		"username": user, "password": password, "external_user": certClient, "node": node, "rabbitmqctl": ctl}
	c.addTo(a)
	return plan{argv: []string{"sh", "-c", rabbitScript, rabbitHome + "/bin/rabbitmq-server"}, env: env, version: version,
			addresses: a, ready: rabbitReady(management, a["amqp"], a["amqps"], a["stream"])},
		errors.Join(
			os.WriteFile(filepath.Join(s.data, "rabbitmq.conf"), []byte(rabbitConf(p, c)), 0o600),
			os.WriteFile(filepath.Join(s.data, "enabled_plugins"), []byte("[rabbitmq_management,rabbitmq_stream,rabbitmq_stream_management,"+
				"rabbitmq_consistent_hash_exchange,rabbitmq_random_exchange,rabbitmq_sharding,rabbitmq_recent_history_exchange,rabbitmq_auth_mechanism_ssl]."), 0o600),
			os.Mkdir(filepath.Join(s.data, "home"), 0o700),
			os.WriteFile(ctl, []byte(rabbitCtl(env)), 0o700))
}

// rabbitVersion reads the version from the name of the folder that Debian's
// package keeps the broker in: it is needed before a broker runs.
func rabbitVersion() (string, error) {
	const prefix = rabbitHome + "/lib/rabbitmq_server-"
	found, err := filepath.Glob(prefix + "*")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("one %s* expected, %d found; is the package rabbitmq-server complete?", prefix, len(found))
	}
	return strings.TrimPrefix(found[0], prefix), nil
}

func rabbitConf(p []int, c certs) string {
	return strings.Join([]string{
		"listeners.tcp.default = " + loopback(p[0]),
		"listeners.ssl.default = " + loopback(p[1]),
		"ssl_options.cacertfile = " + c.ca,
		"ssl_options.certfile = " + c.serverCert,
		"ssl_options.keyfile = " + c.serverKey,
		"ssl_options.verify = verify_peer",
		"ssl_options.fail_if_no_peer_cert = false",
		// EXTERNAL is offered to who shows a certificate: its common name is the user.
		"auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = AMQPLAIN", "auth_mechanisms.3 = EXTERNAL",
		"ssl_cert_login_from = common_name",
		"management.tcp.ip = 127.0.0.1",
		fmt.Sprintf("management.tcp.port = %d", p[2]),
		"stream.listeners.tcp.default = " + loopback(p[3]),
		"stream.advertised_host = 127.0.0.1",
		fmt.Sprintf("stream.advertised_port = %d", p[3]),
		"default_user = " + user,
		"default_pass = " + password,
		// Tests that wait for counters wait one second, not five.
		"collect_statistics_interval = 1000",
		"log.console = true", "log.console.level = warning", "log.file = false",
	}, "\n") + "\n"
}

// rabbitEnv points everything below dir and to loopback. Files that need not
// exist are named so that those in /etc are not read.
func rabbitEnv(dir, node string, dist, epmd int) []string {
	in := func(name string) string { return filepath.Join(dir, name) }
	return []string{
		"HOME=" + in("home"),
		"RABBITMQ_NODENAME=" + node,
		fmt.Sprintf("RABBITMQ_DIST_PORT=%d", dist),
		fmt.Sprintf("ERL_EPMD_PORT=%d", epmd), "ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_CRASH_DUMP=" + in("erl_crash.dump"),
		"RABBITMQ_CONFIG_FILE=" + in("rabbitmq.conf"),
		"RABBITMQ_CONFIG_FILES=" + in("conf.d"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + in("advanced.config"),
		"RABBITMQ_CONF_ENV_FILE=" + in("rabbitmq-env.conf"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + in("enabled_plugins"),
		"RABBITMQ_MNESIA_BASE=" + in("mnesia"),
		"RABBITMQ_LOG_BASE=" + in("log"),
		// No Erlang node of ours may start a port mapper by itself.
		"ERL_AFLAGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
		"RABBITMQ_CTL_DIST_PORT_MIN=0", "RABBITMQ_CTL_DIST_PORT_MAX=0",
	}
}

// rabbitCtl is a script that runs rabbitmqctl on this node, with what tests pass
// to it.
func rabbitCtl(env []string) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, setting := range env {
		name, value, _ := strings.Cut(setting, "=")
		fmt.Fprintf(&b, "export %s='%s'\n", name, value)
	}
	b.WriteString("exec " + rabbitHome + "/bin/rabbitmqctl \"$@\"\n")
	return b.String()
}

// rabbitReady asks for alarms: the answer comes when all plugins run.
func rabbitReady(management string, listeners ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, addr := range listeners { // they open after the management API
			if err := tcpReady(addr)(ctx); err != nil {
				return err
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, management+"/api/health/checks/alarms", nil)
		if err != nil {
			return err
		}
		req.SetBasicAuth(user, password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", req.URL, resp.Status)
		}
		return nil
	}
}
