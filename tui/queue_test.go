package tui

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/probes/probetest"
)

// queues is a fake with a queue that cannot be tailed, an exchange whose tail
// makes something, and two places of dead letters.
func queues() *probetest.Fake {
	f := shop("orders", "payments")
	f.Seed("work", 12)
	f.Behave("work", probetest.Manner{Tail: &probes.Error{Target: "shop", Op: "tailing work", Kind: probes.ErrRefused,
		Err:  errors.New("a queue is tailed through the firehose, which is off, and switching it on is not allowed here"),
		Hint: "allow it with the option firehose: true, or look into the queue with peek, or tail what feeds it: exchange/orders"}})
	f.Seed("events", 3)
	f.Behave("events", probetest.Manner{Tapped: true})
	for i := range 14 {
		reason, origin := "rejected", "orders"
		switch {
		case i%5 == 1:
			reason, origin = "expired", "payments"
		case i == 7:
			origin = "gone"
		}
		f.Append("orders.dlq", probes.Record{Key: fmt.Appendf(nil, "c-%d", i), Body: fmt.Appendf(nil, `{"order":%d,"why":"%s"}`, i, reason),
			Attrs: []probes.Attr{{Name: probes.AttrDeadReason, Value: reason}, {Name: probes.AttrDeadOrigin, Value: origin},
				{Name: probes.AttrDeadCount, Value: "3"}, {Name: probes.AttrDeadTime, Value: f.Clock.Add(time.Duration(i) * time.Minute).Format(time.RFC3339)}}})
	}
	f.Behave("orders.dlq", probetest.Manner{Dead: &probes.DeadLetter{Origins: []string{"orders", "payments"}, Because: "dead-letter exchange of queue orders, payments"}})
	f.Behave("mail.dead", probetest.Manner{Dead: &probes.DeadLetter{Because: "named like one"}})
	s := &f.Snapshots[0]
	for name, kind := range map[string]probes.NodeKind{"work": probes.NodeQueue, "orders.dlq": probes.NodeQueue, "events": probes.NodeExchange} {
		s.Claims = append(s.Claims, probes.Claim{By: "shop", Call: "test", Class: probes.Declared, Seen: f.Clock,
			Node: &probes.Node{ID: probes.NodeID(kind, "shop", name), Kind: kind, Name: name, Health: probes.HealthOK}})
	}
	return f
}

// sizes are those that every screen has to look right in.
var sizes = [...][2]int{{80, 24}, {120, 40}, {200, 60}}

// look draws the screen in every size and hands each frame to check. With
// ISCOPE_FRAMES it prints them, for people.
func (s *stage) each(name string, check func(w int, frame string)) {
	s.t.Helper()
	for _, size := range sizes {
		s.p.Send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		s.shown(size[0], size[1])
		frame := s.now()
		if os.Getenv("ISCOPE_FRAMES") != "" {
			fmt.Printf("=== %s %dx%d\n%s\n", name, size[0], size[1], regexp.MustCompile(` *\n( *\n)+`).ReplaceAllString(frame, "\n~\n"))
		}
		check(size[0], frame)
	}
	for _, b := range s.broken {
		s.t.Error(b)
	}
}

// shown waits for a frame of that size.
func (s *stage) shown(w, h int) {
	s.t.Helper()
	stop := time.After(20 * time.Second)
	for {
		if rows := strings.Split(s.now(), "\n"); len(rows) == h && len([]rune(rows[0])) == w {
			return
		}
		select {
		case <-s.drawn:
		case <-stop:
			s.t.Fatalf("no frame of %dx%d:\n%s", w, h, s.now())
		}
	}
}

func (s *stage) now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frame
}

func (s *stage) has(name string, texts ...string) {
	s.t.Helper()
	s.each(name, func(w int, frame string) {
		s.t.Helper()
		for _, text := range texts {
			if !strings.Contains(frame, text) && !strings.Contains(strings.Join(strings.Fields(frame), " "), text) {
				s.t.Errorf("%s at %d columns has no %q:\n%s", name, w, text, frame)
			}
		}
	})
}

func (s *stage) command(text string) {
	s.press(":")
	s.until("COMMANDS")
	s.types(text)
	s.press("enter")
}

// openDead looks at the dead letters of orders.
func (s *stage) openDead() {
	s.t.Helper()
	s.until("probes 1/1")
	s.command("dlq shop/orders.dlq")
	s.until("LOOK at")
	s.press("down", "enter")
	s.until("14 read of 14")
}

// begin starts the dashboard on queues and enters a command.
func begin(t *testing.T, o Options, command string) *stage {
	t.Helper()
	s := start(t, o)
	s.until("probes 1/1")
	s.command(command)
	return s
}

// A queue that cannot be tailed says so, offers to peek, asks, and shows what is
// there as a list that ends.
func TestARefusedTailOffersToPeek(t *testing.T) {
	f := queues()
	s := begin(t, options(t, f), "tail shop/work")
	s.until("Not tailed")
	s.has("refused", "Not tailed", "firehose", "allow it with the option", "p  peeks: receives some messages", "p peek")
	s.press("p")
	s.until("PEEK at shop/work")
	s.has("question", "In environment here (class local)", "delivery counts rise", "no ", "look at up to 10 messages")
	s.press("enter") // no
	s.until("Not tailed")
	s.press("p")
	s.until("PEEK at shop/work")
	s.press("down", "enter")
	s.until("10 of at most 10 messages")
	s.has("peek", "PEEK shop/work", "1 change", `{"n":9}`)
	if n := len(s.r.s.Feeds()); n != 1 {
		t.Errorf("%d feeds: the refused tail is still there", n)
	}
	s.press("enter", "]", "]")
	s.until("[Meta]")
	s.has("ledger", "LEDGER", "changed", "up to 10 messages of work taken and put back")
}

func TestAPeekThatIsRefusedCanBeForced(t *testing.T) {
	f := queues()
	f.Behave("work", probetest.Manner{Look: &probes.Error{Target: "shop", Op: "peeking work", Kind: probes.ErrRefused,
		Err: errors.New("a look counts as a delivery, the limit is 3"), Hint: "pass --force if that does not matter"}})
	s := begin(t, options(t, f), "peek shop/work")
	s.until("PEEK at")
	s.press("down", "enter")
	s.until("Not looked into")
	s.has("refused", "the limit is 3", "pass --force if that does not matter", "asks whether to look all the same")
	s.press("p")
	s.until("force: look at up to 10 messages")
	s.press("down", "enter")
	s.until("10 of at most 10 messages")
}

func TestWhereNothingMayBeWrittenNothingIsPeekedAt(t *testing.T) {
	o := options(t, queues())
	o.Environment = "live"
	s := begin(t, o, "tail shop/work")
	s.until("Not tailed")
	s.has("refused", `read-only`, ":write live allows writing")
	s.press("p")
	s.until("peek: environment")
	s.command("peek shop/work")
	s.until(`peek: environment "live" (class prod) is read-only`)
	s.press("8")
	s.until("mail.dead")
	s.press("enter")
	s.until("counts as a write")
	if n := len(s.r.s.Feeds()); n != 1 {
		t.Errorf("%d feeds", n)
	}
}

func TestTheStatusRowSaysWhatATailMade(t *testing.T) {
	f := queues()
	s := begin(t, options(t, f), "tail shop/events")
	s.until("1 queue of ours")
	s.has("tap", "1 queue of ours")
	s.press("enter", "]", "]")
	s.until("[Meta]")
	s.has("meta", "created", "queue iscope.tap.1 bound to events")
	s.press("esc", "A")
	s.until("what was ours is removed")
	s.command("tail shop/orders")
	s.until("reads only")
}

func TestWhatIsLeftBehindIsAWarning(t *testing.T) {
	f := queues()
	f.Behave("events", probetest.Manner{Tapped: true, Stuck: true})
	s := begin(t, options(t, f), "tail shop/events")
	s.until("1 queue of ours")
	s.press("A")
	s.until("1 left behind")
	s.has("left", "▲ 1 left behind")
	s.press("7")
	s.until("left queue iscope.tap.1 bound to events: the broker is away (remove it by hand)")
}

func TestDeadLettersFromTheListToTheAccount(t *testing.T) {
	f := queues()
	o := options(t, f)
	o.Session.Now = func() time.Time { return f.Clock.Add(3 * time.Hour) }
	s := start(t, o)
	s.until("probes 1/1")
	s.press("8")
	s.until("14 in 2 places")
	s.has("places", "SUBJECT", "COUNT", "OLDEST", "ORIGINS", "BECAUSE", "mail.dead", "orders.dlq", "named like", "enter shows them")
	s.press("/")
	s.types("payments")
	s.press("enter")
	s.until("14 in 1 place")
	s.press("esc", "enter")
	s.until("LOOK at dead letters of shop/orders.dlq")
	s.has("question", "look at up to 20 messages", "delivery counts rise")
	s.press("down", "enter")
	s.until("14 read of 14")
	s.has("messages", "REASON", "ORIGIN", "COUNT", "rejected", "expired", "11-22 14:13:00", "1 change")
	s.press("enter")
	s.until("[Payload]")
	s.has("record", "[Payload]", `"why"`)
	s.press("esc", "/")
	s.types("rejected")
	s.press("enter")
	s.until("11 of 14")
	s.press("g", "space", "space", "space")
	s.until("3 marked")
	s.has("marked", "3 marked", "◆")
	s.press("r")
	s.until("GUARD RAILS")
	s.has("plan", "nothing is sent yet", "3 of 14 that were read: the marked ones", "because", "3  rejected", "orders", "r sends them, after a question")
	s.press("r")
	s.until("REDRIVE 3 dead letters of shop/orders.dlq")
	s.has("confirm", "In environment here (class local), to orders (3)", "send 3 dead letters")
	s.press("down", "enter")
	s.until("selected 3 = sent 3 + failed 0")
	s.until("DONE")
	s.has("account", "selected 3 = sent 3 + failed 0", "LEDGER")
	if got := len(f.Log("orders.dlq")); got != 11 {
		t.Errorf("%d dead letters are left", got)
	}
	for _, r := range f.Log("orders")[50:] {
		if _, ok := r.HeaderValue(probes.HeaderRedriven); !ok || !strings.Contains(string(r.Body), "rejected") {
			t.Errorf("sent %s %v", r.Body, r.Header)
		}
	}
	s.press("esc")
	s.until("read before the redrive")
	s.press("esc", "esc")
	s.until("11 in 2 places")
}

func TestFailedOnesStayAndAreCounted(t *testing.T) {
	f := queues()
	s := start(t, options(t, f))
	s.openDead()
	s.press("r")
	s.until("all of them")
	s.press("r")
	s.until("REDRIVE 14 dead letters")
	s.press("down", "enter")
	s.until("DONE")
	s.has("account", "selected 14 = sent 13 + failed 1", `no subject "gone"`, "1 of 14 could not be sent; they are still dead letters")
}

func TestProductionTypesTheName(t *testing.T) {
	f := queues()
	f.Steps = make(chan struct{})
	o := options(t, f)
	o.Environment, o.Session.Write = "live", true
	s := start(t, o)
	s.openDead()
	s.press("r")
	s.until("PLAN")
	s.press("t")
	s.types("payments")
	s.press("enter")
	s.until("14  payments")
	s.press("r")
	s.until("Type live and enter to send 14 dead letters")
	s.types("here")
	s.press("enter")
	s.until("not done: that is not live")
	s.press("r")
	s.until("Type live")
	s.types("live")
	s.press("enter")
	s.until("RUNNING")
	f.Steps <- struct{}{}
	s.until("selected 1 = sent 1 + failed 0")
	s.has("running", "RUNNING", "1/14", "redrive 1")
	s.press("E")
	s.until("ENVIRONMENT")
	s.types("here")
	s.press("enter")
	s.until("a redrive is running")
	s.press("q", "q")
	s.until("A redrive is running (1 sent). Stop it and quit?")
	s.press("esc", "8", "K")
	s.until("STOPPED")
	if n := len(f.Log("orders.dlq")); n != 13 {
		t.Errorf("%d dead letters are left after one was sent", n)
	}
}

// What is read is read before anything can be chosen, also when the plan is asked
// for from the list; and a plan of everything says what it did not see.
func TestAPlanFromTheList(t *testing.T) {
	f := queues()
	for i := range 30 {
		f.Append("orders.dlq", probes.Record{Body: fmt.Appendf(nil, `{"late":%d}`, i)})
	}
	s := start(t, options(t, f))
	s.until("probes 1/1")
	s.press("8")
	s.until("44 in 2 places")
	s.press("r")
	s.until("LOOK at dead letters of shop/orders.dlq")
	s.press("down", "enter")
	s.until("only 20 were looked at")
	s.has("plan", "20 of 20 that were read: all of them", "there may be more, and they are sent too", "6 unknown: name one (t)", "6 do not say where they came from")
	s.press("r")
	s.until("REDRIVE all dead letters of shop/orders.dlq")
	s.press("down", "enter")
	s.until("DONE")
	s.has("account", "44/44", "selected 44 = sent 13 + failed 31", `30 shop: redriving: not found: no subject ""`)
}

// Both lists of what there is lead to a queue's tail and to a look into it.
func TestQueuesAreReachedFromTheLists(t *testing.T) {
	for _, screen := range []string{"1", "2"} {
		s := start(t, options(t, queues()))
		s.until("probes 1/1")
		s.press(screen, "/")
		s.types("work")
		s.press("enter")
		s.until("work")
		if screen == "2" {
			s.press("j") // the target stands above it
		}
		s.press("p")
		s.until("PEEK at shop/work")
		s.press("esc", "t")
		s.until("Not tailed")
		s.press(":")
		s.types("peek shop/wo")
		s.until("peek shop/work")
	}
}

// The records' pane scrolls while it has the focus.
func TestTheRecordPaneScrolls(t *testing.T) {
	f := shop("orders")
	f.Append("orders", probes.Record{Body: []byte(strings.Repeat("line of text\n", 200) + "the last line")})
	s := begin(t, options(t, f), "tail shop/orders")
	s.until("line of text")
	s.press("enter", "tab", "G")
	s.until("the last line")
	s.press("tab", "k")
	s.until(`"n": 49`)
}
