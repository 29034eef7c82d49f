package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"iscope/cmd/internal/shop"
	"iscope/probes/probetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"iscope": func() { os.Exit(Main()) }})
}

// TestVerbs runs every verb as a user would, on the demo's shop.
func TestVerbs(t *testing.T) {
	s := openShop(t)
	runScripts(t, "testdata/script", func(env *testscript.Env) error {
		env.Setenv("ISCOPE_CONFIG", s.ConfigPath())
		return nil
	}, s.Addresses(), startPeers(t))
}

// TestVerbsOnRealSystems runs them on servers that nobody here wrote. The shop
// is there as the place to replay to.
func TestVerbsOnRealSystems(t *testing.T) {
	s := openShop(t)
	for name, prepare := range map[string]func(*testing.T, *testscript.Env) error{
		"kafka": createTopics, "interop": nil, "openfga": nil, "loopback": nil, "consul": nil, "yoga": nil, "registry": nil, "testenv": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := probetest.Need(t, name)
			runScripts(t, "testdata/real/"+name, func(env *testscript.Env) error {
				if prepare == nil {
					return nil
				}
				return prepare(t, env)
			}, s.Addresses(), server.Addresses)
		})
	}
}

func openShop(t *testing.T) *shop.Shop {
	s, err := shop.Start(t.Context(), shop.Options{Seed: 1, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// runScripts runs the scripts of a folder at once. Each finds addresses in
// variables (shop-api in SHOP_API), and in UNIQUE a name that no other script
// and no earlier run has used.
func runScripts(t *testing.T, dir string, setup func(*testscript.Env) error, addresses ...map[string]string) {
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, RequireUniqueNames: true, Cmds: scriptCommands(),
		Setup: func(env *testscript.Env) error {
			script := strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
			env.Setenv("UNIQUE", "iscope-"+script+"-"+strings.ToLower(rand.Text()[:8]))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("ESC", "\x1b")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else a second for every command under -race
			for _, named := range addresses {
				for name, addr := range named {
					env.Setenv(strings.ToUpper(strings.ReplaceAll(name, "-", "_")), addr)
				}
			}
			startCrew(env)
			return setup(env)
		},
	})
}
