package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"iscope/config"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/tui/session"
)

// The dashboard runs in a process of its own where a terminal is looked at: this
// test binary, told by a variable what to be.
const (
	childVar  = "ISCOPE_TUI_CHILD"
	childDir  = "ISCOPE_TUI_DIR"
	noColours = "NO_COLOR"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(childVar); mode != "" {
		if err := child(mode, os.Getenv(childDir)); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// self is the command that runs this binary as a child.
func self(t testing.TB, mode string, env ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), append([]string{childVar + "=" + mode, childDir + "=" + t.TempDir(), "EDITOR=true", "VISUAL=true", "PAGER=true"}, env...)...)
	return cmd
}

func child(mode, dir string) error {
	d := shop("orders", "payments").Driver()
	switch mode {
	case "shop", "first":
	case "hostile":
		d = hostileShop().Driver()
	case "left":
		f := shop("orders")
		f.Behave("events", probetest.Manner{Tapped: true, Stuck: true})
		d = f.Driver()
	case "calls":
		d = callee{shop("orders")}.driver()
	case "panic":
		d.Open = func(context.Context, probes.Target) (probes.Probe, error) { panic("a bug in a driver") }
	case "flow":
		f := &flow{}
		d = f.driver()
		defer f.report(filepath.Join(dir, "flow.json"))
	default:
		return errors.New("no such mode: " + mode)
	}
	drivers := []probes.Driver{d}
	o := Options{NoColor: os.Getenv(noColours) != "", In: os.Stdin, Out: os.Stdout,
		Session: session.Options{Drivers: drivers, CaptureDir: filepath.Join(dir, "captures")}}
	if mode != "first" {
		path := filepath.Join(dir, "iscope.yaml")
		if err := os.WriteFile(path, []byte(configuration), 0o600); err != nil {
			return err
		}
		cfg, err := config.Load(config.Location{Path: path, Origin: config.FromFlag}, drivers)
		if err != nil {
			return err
		}
		o.Config = cfg
	}
	_, err := Run(context.Background(), o)
	return err
}

const configuration = `
default: here
environments:
  here: {class: local, targets: {shop: {url: "fake://shop:1"}}}
  live: {class: prod, targets: {shop: {url: "fake://shop:1"}}}
`

// hostileShop names, sends and answers what could take over a terminal.
func hostileShop() *probetest.Fake {
	f := shop(append([]string{"orders"}, hostile...)...)
	for i, h := range hostile {
		f.Append("orders", probes.Record{ID: h, Call: h, Key: []byte(h), Body: []byte(h), Err: hostile[(i+1)%len(hostile)], Schema: h,
			Header: []probes.Field{{Name: h, Value: []byte(h)}, {Name: h}}, Attrs: []probes.Attr{{Name: h, Value: h}, {Name: probes.AttrStatus, Value: h},
				{Name: probes.AttrDeadReason, Value: h}, {Name: probes.AttrDeadOrigin, Value: h}, {Name: probes.AttrDeadTime, Value: h}, {Name: probes.AttrDeadCount, Value: h}}})
	}
	f.Append("orders", probes.Record{Body: []byte(hostile[0])})
	f.Append("orders", probes.Record{Body: []byte("the harmless last one")})
	s := &f.Snapshots[0]
	s.Complete, s.Missing = false, hostile
	f.Behave("orders", probetest.Manner{Dead: &probes.DeadLetter{Origins: hostile, Because: hostile[0]}})
	for _, h := range hostile {
		evil := &probes.Error{Target: "shop", Op: h, Kind: probes.ErrRefused, Err: errors.New(h), Hint: h}
		f.Behave(h, probetest.Manner{Tail: evil, Look: evil, Dead: &probes.DeadLetter{Origins: []string{h}, Because: h}})
		s.Claims = append(s.Claims, probes.Claim{By: "shop", Call: h, Class: probes.Declared, Seen: f.Clock,
			Node: &probes.Node{ID: probes.NodeID(probes.NodeQueue, "shop", h), Kind: probes.NodeQueue, Name: h}})
		service, group := probes.NodeID(probes.NodeService, "shop", h), probes.NodeID(probes.NodeGroup, "shop", h)
		for _, n := range []probes.Node{
			{ID: service, Kind: probes.NodeService, Name: h, Addr: h, Health: probes.HealthFail, Reason: h, Attrs: []probes.Attr{{Name: h, Value: h}}},
			{ID: group, Kind: probes.NodeGroup, Name: h, Health: probes.HealthWarn, Reason: h},
		} {
			s.Claims = append(s.Claims, probes.Claim{By: "shop", Call: h, AsOf: h, Class: probes.Declared, Seen: f.Clock, Node: &n})
		}
		s.Claims = append(s.Claims, probes.Claim{By: "shop", Call: h, Class: probes.Attached, Seen: f.Clock,
			Edge: &probes.Edge{From: probes.NodeID(probes.NodeTopic, "shop", h), To: group, Kind: probes.EdgeConsumes, Protocol: h,
				Metrics: []probes.Metric{{Name: probes.MetricLag, Value: 1e9, Unit: h}}, Attrs: []probes.Attr{{Name: h, Value: h}}}},
			probes.Claim{By: "shop", Call: h, Class: probes.ObservedOne, Seen: f.Clock,
				Edge: &probes.Edge{From: service, To: probes.NodeID(probes.NodeService, "shop", "orders"), Kind: probes.EdgeCalls, Protocol: h}})
	}
	return f
}
