package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"iscope/config/yamltree"
	"iscope/probes"
)

// Write makes a first configuration of targets that were found on this machine:
// one environment, read-only until its owner says otherwise. The file is
// created with mode 0600 and never overwrites another. Targets with secrets are
// refused: secrets do not belong into the file.
func Write(path string, drivers []probes.Driver, targets []probes.Target) error {
	src, err := firstFile(drivers, targets)
	if err == nil {
		// What was written must be readable: names come from outside.
		_, err = parse(Location{Path: path, Origin: FromFlag}, src, drivers, os.Getenv)
	}
	if err == nil {
		err = create(path, src)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if err == nil {
		return nil
	}
	e := &probes.Error{Target: path, Op: "writing the configuration", Kind: probes.ErrUsage, Err: err}
	if errors.Is(err, fs.ErrExist) {
		e.Hint = "it is not overwritten; move it away or add the targets to it"
	}
	return e
}

// create writes a new file, whole or not at all.
func create(path string, src []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(src)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

func firstFile(drivers []probes.Driver, targets []probes.Target) ([]byte, error) {
	found := &yamltree.Node{Kind: yamltree.Map}
	for _, t := range targets {
		n, err := targetNode(drivers, t)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
		found.Set(t.Name, n)
	}
	env := object("class", textNode("local"), "write", rawNode(yamltree.Bool, "false"), "targets", found)
	env.Entries[1].Comment = "true allows calls and messages that may change something"
	var b strings.Builder
	b.WriteString("# What every key means: iscope config schema\n")
	writeYAML(&b, object("default", textNode("local"), "environments", object("local", env)), "")
	return []byte(b.String()), nil
}

func targetNode(drivers []probes.Driver, t probes.Target) (*yamltree.Node, error) {
	if !t.Auth.Password.IsZero() || !t.Auth.Token.IsZero() {
		return nil, errors.New("it has a secret, which is not written to a file")
	}
	d, ok := probes.FindDriver(drivers, t.Driver)
	if !ok {
		return nil, fmt.Errorf("unknown driver %q", t.Driver)
	}
	i := slices.IndexFunc(d.Schemes, func(s probes.Scheme) bool { return s.TLS == t.TLS.Enabled })
	if i < 0 {
		return nil, fmt.Errorf("driver %s has no scheme for it", d.Name)
	}
	n := object("url", literalNode(d.Schemes[i].Name+"://"+t.Address))
	setTexts(n, "tls", "ca", t.TLS.CAFile, "cert", t.TLS.CertFile, "key", t.TLS.KeyFile, "server_name", t.TLS.ServerName)
	setTexts(n, "auth", "mechanism", t.Auth.Mechanism, "username", t.Auth.Username, "header", t.Auth.Header)
	if len(t.Aliases) > 0 {
		n.Set("aliases", list(t.Aliases...))
	}
	if len(t.Options) > 0 {
		n.Set("options", optionsNode(d, t.Options))
	}
	return n, nil
}

// setTexts adds a map of those of the alternating keys and texts that are not
// empty, and nothing if all are.
func setTexts(n *yamltree.Node, key string, kv ...string) {
	m := &yamltree.Node{Kind: yamltree.Map}
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] != "" {
			m.Set(kv[i], literalNode(kv[i+1]))
		}
	}
	if len(m.Entries) > 0 {
		n.Set(key, m)
	}
}

func optionsNode(d probes.Driver, given map[string]string) *yamltree.Node {
	out := &yamltree.Node{Kind: yamltree.Map}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		v := literalNode(given[name])
		if i := slices.IndexFunc(d.Options, func(o probes.Option) bool { return o.Name == name }); i >= 0 {
			v.Kind = optionKind(d.Options[i])
		}
		out.Set(name, v)
	}
	return out
}

// literalNode keeps text that was found somewhere from becoming a reference.
func literalNode(s string) *yamltree.Node { return textNode(strings.ReplaceAll(s, "${", "$${")) }
