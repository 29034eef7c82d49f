package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"iscope/config"
	"iscope/probes"
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

// flow is a stream that offers so many records a second, and makes up for the
// time it was held up.
type flow struct {
	began    time.Time
	accepted atomic.Uint64
}

const (
	flowRate  = 50_000
	flowBytes = 300
)

func (f *flow) driver() probes.Driver {
	return probes.Driver{Name: "fake", Doc: "a stream for the benchmark", Schemes: []probes.Scheme{{Name: "fake"}},
		Columns: []probes.Column{{Title: "OFFSET", Attr: probes.AttrOffset, Width: 8, Right: true}, {Title: "KEY", Attr: "key", Width: 12}, {Title: "SUMMARY", Attr: "summary", Width: 40}},
		Open:    func(context.Context, probes.Target) (probes.Probe, error) { return f, nil }}
}

func (f *flow) Check(context.Context) error { return nil }
func (f *flow) Close() error                { return nil }

func (f *flow) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		n := probes.Node{ID: probes.NodeID(probes.NodeTopic, "shop", "flow"), Kind: probes.NodeTopic, Name: "flow"}
		if yield(probes.Snapshot{Complete: true, Claims: []probes.Claim{{By: "shop", Class: probes.Declared, Node: &n}}}, nil) {
			<-ctx.Done()
		}
	}
}

func (f *flow) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		f.began = time.Now()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := uint64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for due := uint64(time.Since(f.began).Seconds() * flowRate); n < due; n++ {
				if !yield(f.record(n), nil) {
					return
				}
				f.accepted.Store(n + 1)
			}
		}
	}
}

func (f *flow) record(n uint64) probes.Record {
	body := fmt.Appendf(make([]byte, 0, flowBytes+16), `{"orderId":"A-%d","status":"CREATED","amount":120.50,"note":"`, n)
	for len(body) < flowBytes-2 {
		body = append(body, 'x')
	}
	id := fmt.Sprint(n)
	return probes.Record{ID: id, Kind: probes.Message, Source: probes.Ref{Target: "shop", Subject: "flow"}, Time: time.Now(),
		Key: []byte("c-4411"), Body: append(body, `"}`...), Attrs: []probes.Attr{{Name: probes.AttrOffset, Value: id}}}
}

// flowReport is what the child says of its stream.
type flowReport struct {
	Offered, Accepted uint64
	Seconds           float64
}

func (f *flow) report(path string) {
	if f.began.IsZero() {
		return
	}
	s := time.Since(f.began).Seconds()
	b, err := json.Marshal(flowReport{Offered: uint64(s * flowRate), Accepted: f.accepted.Load(), Seconds: s})
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
	}
}
