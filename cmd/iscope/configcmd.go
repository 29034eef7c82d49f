package main

import (
	"errors"

	"github.com/spf13/cobra"

	"iscope/config"
	"iscope/probes"
)

func configCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "check, show or describe the configuration",
		Args:  args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError(cmd, errors.New("which of check, show, schema?"))
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check", Short: "report every problem of the file, with its line", Args: args(0, 0),
			RunE: func(*cobra.Command, []string) error { return a.configCheck() },
		},
		&cobra.Command{
			Use: "show", Short: "print the configuration in force, without secrets", Args: args(0, 0),
			RunE: func(*cobra.Command, []string) error { return a.configShow() },
		},
		&cobra.Command{
			Use: "schema", Short: "print the JSON schema, for editors", Args: args(0, 0),
			RunE: func(*cobra.Command, []string) error {
				_, err := a.out.Write(config.Schema(a.drivers))
				return err
			},
		},
		&cobra.Command{
			Use: "reference", Short: "print the reference page (Markdown)", Args: args(0, 0),
			RunE: func(*cobra.Command, []string) error {
				_, err := a.out.WriteString(config.Reference(a.drivers))
				return err
			},
		})
	return cmd
}

// mustLoad loads the configuration where a verb is about nothing else.
func (a *app) mustLoad() (*config.Config, error) {
	cfg, err := a.load()
	if err == nil && cfg == nil {
		err = &probes.Error{Op: "looking for the configuration", Kind: probes.ErrUsage, Err: errors.New("there is none"),
			Hint: "pass --config FILE, set ISCOPE_CONFIG, or write ./iscope.yaml (iscope config schema describes it)"}
	}
	return cfg, err
}

func (a *app) configCheck() error {
	cfg, err := a.mustLoad()
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings() {
		a.warn("%v", w)
	}
	// Secrets are resolved too: a variable that is not set is a problem today,
	// not at 3 a.m. Their values go nowhere.
	var errs []error
	for _, env := range cfg.EnvironmentNames() {
		for _, name := range cfg.TargetNames(env) {
			_, err := cfg.Target(env, name)
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]any{"path": cfg.Path, "ok": true, "environments": cfg.EnvironmentNames()})
	}
	a.out.WriteString(line(cfg.Path) + ": ok\n")
	return nil
}

func (a *app) configShow() error {
	cfg, err := a.mustLoad()
	if err != nil {
		return err
	}
	format := "yaml"
	if a.output == "json" {
		format = "json"
	}
	return cfg.Show(a.out, format)
}
