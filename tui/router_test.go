package tui

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/tui/session"
)

func TestTheFirstFrameComesBeforeTheNetwork(t *testing.T) {
	f := shop("orders")
	d := f.Driver()
	opening, let := make(chan struct{}), make(chan struct{})
	d.Open = func(ctx context.Context, _ probes.Target) (probes.Probe, error) {
		close(opening)
		select {
		case <-let:
		case <-ctx.Done():
		}
		return f, nil
	}
	drivers := []probes.Driver{d}
	s := start(t, Options{Config: configured(t, drivers), Session: session.Options{Drivers: drivers}})
	s.until("1 Topology")
	<-opening // and only now is the target's answer awaited
	close(let)
	s.until("probes 1/1")
}

func TestAStreamFromTheListToTheRecord(t *testing.T) {
	f := shop("orders", "payments")
	s := start(t, options(t, f))
	s.until("probes 1/1")
	s.press("2")
	s.until("orders")
	s.press("/")
	s.types("orders")
	s.press("enter", "j", "t")
	s.until("3 Tail › shop/orders")
	s.until(`{"n":49}`)
	s.press("space")
	s.until("PAUSED")
	s.press("enter")
	s.until("[Payload]")
	s.press("]")
	s.until("[Headers]")
	s.press("esc", "f")
	s.until("FILTER")
	s.types(`"n":4`)
	s.press("enter")
	s.until("match")
	s.press("b")
	s.until("REC")
	f.Append("orders", probes.Record{Body: []byte("recorded")})
	feed := s.r.s.Feeds()[0]
	for n := uint64(0); n == 0; _, n = feed.Capturing() {
		<-s.drawn
	}
	s.press("b")
	s.until("recorded")
	s.press("5")
	s.until("CAPTURES 1")
	s.press("r")
	s.until("GUARD RAILS")
	s.until("refused") // there is no other target to send it to
}

func TestRefusedKeysSayWhy(t *testing.T) {
	s := start(t, options(t, shop("orders")))
	s.press("3", "space")
	s.until("pause: no stream is open")
}

func TestProductionIsShownAndReadOnly(t *testing.T) {
	s := start(t, options(t, shop("orders")))
	s.until("[LOCAL here]")
	s.press("E")
	s.until("ENVIRONMENT")
	s.types("live")
	s.press("enter")
	s.until("[PROD live]")
	s.until(" RO ")
	s.press(":")
	s.types("write live")
	s.press("enter")
	s.until(" RW ")
}

// Another environment is looked at on the same screen; back from there is the
// topology, whatever was seen in the one before.
func TestTheScreenStaysInAnotherEnvironment(t *testing.T) {
	s := start(t, options(t, shop("orders")))
	s.until("[LOCAL here]")
	s.press("4", "7", "2", "E")
	s.until("ENVIRONMENT")
	s.types("live")
	s.press("enter")
	s.until("[PROD live]")
	s.until("2 Endpoints")
	s.press("esc")
	s.until("1 Topology")
}

func TestWhatNoMenuKnowsIsSaid(t *testing.T) {
	s := start(t, options(t, shop("orders")))
	s.press(":")
	s.types("tail nowhere")
	s.press("enter")
	s.until(`nothing is called "tail nowhere" here`)
	s.press("esc", "E")
	s.types("mars")
	s.press("enter")
	s.until(`nothing is called "mars" here`)
}

func TestHelpRunsWhatItLists(t *testing.T) {
	s := start(t, options(t, shop("orders")))
	s.press("?")
	s.until("KEYS of")
	s.types("Diagnostics")
	s.press("enter")
	s.until("7 Diagnostics")
}

func TestWithoutConfigurationTheFirstRunScreen(t *testing.T) {
	f := shop("orders")
	s := start(t, Options{Session: session.Options{Drivers: []probes.Driver{f.Driver()}}})
	s.until("no configuration yet")
	s.until("Read-only until you allow more")
	s.press("c")
	s.types("fake://shop:1")
	s.press("enter")
	s.until("2 Endpoints")
	s.until("probes 1/1")
}

func TestCtrlCTwiceQuits(t *testing.T) {
	s := start(t, options(t, shop("orders")))
	s.until("1 Topology")
	s.press("ctrl+c")
	s.until("ctrl+c again quits")
	s.press("ctrl+c")
	<-s.done
}

// Every key has one meaning on a screen, and none is reachable only with
// modifiers or function keys, which terminals and multiplexers take away.
func TestKeysAreUniqueAndPlain(t *testing.T) {
	sess, err := session.New(session.Options{}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer sess.Close()
	r := newRouter(Options{}, sess, func() bool { return true })
	special := regexp.MustCompile(`^(ctrl|alt)\+|^f\d+$`)
	for n, screen := range r.screens {
		where := map[string]string{}
		for _, b := range append(slices.Clone(screen.Bindings()), r.globals...) {
			if b.ID == "" || b.Name == "" || b.Doc == "" || b.Run == nil {
				t.Errorf("screen %d: binding %+v lacks something", n, b)
			}
			for _, k := range b.Keys {
				if other, taken := where[k]; taken {
					t.Errorf("screen %d: %s is %s and %s", n, k, other, b.ID)
				}
				where[k] = b.ID
			}
			plain := slices.ContainsFunc(b.Keys, func(k string) bool { return !special.MatchString(k) })
			exempt := []string{"suspend", "redraw", "nav.half up", "nav.half down"} // have no plain twin anywhere
			if !plain && !slices.Contains(exempt, b.ID) {
				t.Errorf("screen %d: %s needs %v", n, b.ID, b.Keys)
			}
		}
	}
	if !strings.Contains(KeyTable(), "freeze the view") {
		t.Error("the table of keys is not made from the bindings")
	}
}

func TestNoColour(t *testing.T) {
	o := options(t, shop("orders"))
	o.NoColor = true
	s := start(t, o)
	s.until("probes 1/1")
	s.press("2", "7", "3", "1")
	s.until("1 Topology")
	s.p.Quit()
	<-s.done
	if m := regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?[349][0-9](?:;[0-9]+)*m`).FindString(s.out.String()); m != "" {
		t.Fatalf("a colour: %q", m)
	}
}
