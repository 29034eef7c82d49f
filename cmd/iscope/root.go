package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"iscope/probes"
)

// newRoot builds the tree of verbs. Without a verb, iscope opens the dashboard.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "iscope",
		Short: "see what goes on between services",
		Long: `iscope shows, tails, calls, captures and replays the communication between
services: brokers, registries, HTTP and gRPC endpoints.

Without a verb it opens the dashboard. A TARGET is a name from the
configuration, with a subject after a slash (orders-kafka/orders.created), or
a URL (kafka://127.0.0.1:9092/orders.created, grpc://127.0.0.1:50051,
http://127.0.0.1:8080, consul://127.0.0.1:8500). URLs are read-only unless
--write is given.

Exit codes: 0 success; 1 not as expected; 2 usage or configuration;
3 unreachable or timed out; 4 denied; 5 not found; 6 refused by a safety rule;
7 finished but incomplete; 8 stopped by a breaker or limit; 70 a bug in
iscope; 130 interrupted.`,
		Args:          noVerb,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err) })

	f := root.PersistentFlags()
	f.StringVar(&a.configPath, "config", "", "configuration `file` (else $ISCOPE_CONFIG, ./iscope.yaml, the user's)")
	f.StringVarP(&a.env, "env", "e", "", "`environment` of the configuration")
	f.StringVarP(&a.output, "output", "o", "", "output `format`: json, text or, for tail and peek, raw: bare values (default: text on a terminal, else json)")
	f.BoolVar(&a.write, "write", false, "allow calls and messages that may change something")
	f.BoolVar(&a.readOnly, "read-only", false, "allow none, whatever the configuration says")
	f.BoolVar(&a.noColor, "no-color", false, "no colours (also: NO_COLOR)")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.checkFlags(cmd) }

	dashboard(a, root)
	root.AddCommand(topologyCmd(a), listCmd(a), describeCmd(a), tailCmd(a), invokeCmd(a), runCmd(a), historyCmd(a), importCmd(a), publishCmd(a),
		captureCmd(a), capturesCmd(a), inspectCmd(a), replayCmd(a), peekCmd(a), dlqCmd(a), doctorCmd(a), configCmd(a), demoCmd(a), versionCmd(a), filterCmd())
	for _, verb := range root.Commands() {
		completeTargets(a, verb)
		switch verb.Name() {
		case "invoke", "run", "list", "describe", "tail", "publish", "peek", "doctor":
			targetFlags(a, verb)
		}
	}
	return root
}

// noVerb is what cobra asks about words that are no verb.
func noVerb(root *cobra.Command, words []string) error {
	if len(words) == 0 {
		return nil
	}
	var verbs []string
	for _, verb := range root.Commands() {
		verbs = append(verbs, verb.Name())
	}
	return &probes.Error{Op: "reading the command line", Kind: probes.ErrUsage, Err: fmt.Errorf("%q is no verb", words[0]),
		Hint: probes.NearestHint(words[0], verbs)}
}

func (a *app) checkFlags(cmd *cobra.Command) error {
	switch a.output {
	case "", "json", "text":
	case "raw":
		if cmd.Name() != "tail" && cmd.Name() != "peek" {
			return usageError(cmd, fmt.Errorf("--output raw is for tail and peek, not for %s", cmd.Name()))
		}
		if a.tty() {
			return usageError(cmd, errors.New("--output raw prints bytes as they are, which a terminal could take for commands: redirect it"))
		}
	default:
		return usageError(cmd, fmt.Errorf("--output %q is none of json, text, raw", a.output))
	}
	if a.write && a.readOnly {
		return usageError(cmd, errors.New("--write and --read-only contradict each other"))
	}
	return nil
}

// completeTargets offers configured targets where a verb takes one.
func completeTargets(a *app, verb *cobra.Command) {
	if verb.ValidArgsFunction != nil || verb.HasSubCommands() {
		return
	}
	verb.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		cfg, err := a.load()
		if err != nil || cfg == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		env, err := a.environment(cfg)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return cfg.TargetNames(env.Name), cobra.ShellCompDirectiveDefault
	}
}

// withTarget opens the first argument, runs f and closes it again.
func (a *app) withTarget(ctx context.Context, arg string, f func(*probes.Conn, string) error) error {
	conn, subject, err := a.open(ctx, arg)
	if err != nil {
		return err
	}
	defer conn.Close()
	return f(conn, subject)
}
