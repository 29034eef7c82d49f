package shop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// configName is the name of the file that tells iscope where the shop is.
const configName = "iscope.yaml"

// target is one entry of the configuration.
type target struct {
	name, url, note string
	options         string // YAML flow mapping, "" for none
	aliases         string // YAML flow sequence, "" for none
}

// writeConfig writes the configuration into dir and returns its path. The
// file replaces an older one in one step.
func writeConfig(dir string, targets []target) (string, error) {
	var b strings.Builder
	b.WriteString("# Written by iscope demo: the shop that runs right now. Its ports change with every start.\n")
	b.WriteString("default: shop\nenvironments:\n  shop:\n    class: local\n    write: true\n    dial: true\n    targets:\n")
	for _, t := range targets {
		fmt.Fprintf(&b, "      # %s\n      %s:\n        url: %s\n", t.note, t.name, t.url)
		if t.options != "" {
			fmt.Fprintf(&b, "        options: %s\n", t.options)
		}
		if t.aliases != "" {
			fmt.Fprintf(&b, "        aliases: %s\n", t.aliases)
		}
	}
	path, err := filepath.Abs(filepath.Join(dir, configName))
	if err != nil {
		return "", fmt.Errorf("placing the configuration: %w", err)
	}
	tmp, err := os.CreateTemp(dir, configName+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("writing the configuration: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(b.String())
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("writing the configuration: %w", err)
	}
	return path, nil
}
