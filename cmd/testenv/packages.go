package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// available reports which program is missing for a server and what would bring
// it, or nil. What only the install takes is asked for only if that is to come.
func (s *server) available(toBuild bool) error {
	programs := s.needs
	if toBuild {
		programs = slices.Concat(s.needs, s.builds)
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if len(s.packages) == 0 {
			return fmt.Errorf("%s needs %s, which is not here", s.name, program)
		}
		return fmt.Errorf("%s needs %s, which is not here; run: %s", s.name, program, installCommand(s.packages))
	}
	return nil
}

func installCommand(packages []string) string {
	return "sudo apt-get install --no-install-recommends " + strings.Join(packages, " ")
}

// installPackages installs the Debian packages of the chosen servers that lack a
// program, all at once, where this program may: as root on a system with apt.
// Elsewhere each server's own line says what is missing.
func (b *bed) installPackages(ctx context.Context) error {
	var missing []string
	for _, s := range b.chosen {
		if _, err := b.installed(s); err != nil && s.available(true) != nil {
			missing = append(missing, s.packages...)
		}
	}
	apt, err := exec.LookPath("apt-get")
	if len(missing) == 0 || err != nil || os.Getuid() != 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	fmt.Fprintln(os.Stderr, "testenv: installing Debian packages:", strings.Join(missing, " "))
	// No service is started by its package: the tests' servers are ours.
	env := []string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"}
	lock := "-oDPkg::Lock::Timeout=300"
	if err := quiet(ctx, "/", env, apt, lock, "update", "-q"); err != nil {
		fmt.Fprintln(os.Stderr, "testenv: the package lists stay as they are:", err)
	}
	argv := append([]string{apt, lock, "install", "-qy", "--no-install-recommends"}, missing...)
	if err := quiet(ctx, "/", env, argv...); err != nil {
		return fmt.Errorf("installing Debian packages: %w", err)
	}
	return nil
}
