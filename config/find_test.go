package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iscope/probes"
)

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("environments: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFindTakesTheFirstPlaceThatHasAFile(t *testing.T) {
	root := t.TempDir()
	flagged, named := filepath.Join(root, "flag.yaml"), filepath.Join(root, "env.yaml")
	here, user := filepath.Join(root, "work"), filepath.Join(root, "xdg")
	vars := map[string]string{"XDG_CONFIG_HOME": user, EnvVar: named}
	for _, p := range []string{flagged, named, filepath.Join(here, FileName), filepath.Join(user, "iscope", FileName)} {
		touch(t, p)
	}
	t.Chdir(here)
	check := func(flag string, want Location, trusted bool) {
		t.Helper()
		got, err := Find(flag, env(vars))
		if err != nil || got != want || got.Trusted() != trusted {
			t.Errorf("got %+v trusted=%v, %v; want %+v", got, got.Trusted(), err, want)
		}
	}
	check(flagged, Location{flagged, FromFlag}, true)
	check("", Location{named, FromEnv}, true)
	delete(vars, EnvVar)
	check("", Location{FileName, FromFolder}, false)
	os.Remove(filepath.Join(here, FileName))
	check("", Location{filepath.Join(user, "iscope", FileName), FromUser}, true)
	os.Remove(filepath.Join(user, "iscope", FileName))
	check("", Location{}, true)
}

func TestTheUsersOwnFileIsTrustedWhereverTheyStand(t *testing.T) {
	root := t.TempDir()
	touch(t, filepath.Join(root, "iscope", FileName))
	t.Chdir(filepath.Join(root, "iscope"))
	got, err := Find("", env(map[string]string{"XDG_CONFIG_HOME": root}))
	if err != nil || got.Origin != FromUser || !got.Trusted() {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestANamedFileThatIsMissingIsAnError(t *testing.T) {
	root := t.TempDir()
	gone := filepath.Join(root, "gone.yaml")
	for name, find := range map[string]func() (Location, error){
		"--config":    func() (Location, error) { return Find(gone, noEnv) },
		EnvVar:        func() (Location, error) { return Find("", env(map[string]string{EnvVar: gone})) },
		"is a folder": func() (Location, error) { return Find(root, noEnv) },
	} {
		_, err := find()
		if !errors.Is(err, probes.ErrUsage) || !strings.Contains(err.Error()+probes.HintOf(err), name) {
			t.Errorf("%s: got %v; %s", name, err, probes.HintOf(err))
		}
	}
	if err := os.Mkdir(filepath.Join(root, FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if _, err := Find("", noEnv); err == nil {
		t.Error("a folder named iscope.yaml was passed over in silence")
	}
}
