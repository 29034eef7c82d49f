package shop

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// noon is a clock that stands still, so that whole messages can be compared.
func noon() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

// messages are a shop's messages as text, by partition, or for the dead letters
// (which come from two services) in order of their content.
func messages(t *testing.T, seed int64, upTo int) map[string][]string {
	t.Helper()
	s := open(t, Options{Seed: seed, Rate: 500, Now: noon})
	wanted := map[string]bool{}
	for n := 1; n <= upTo; n++ {
		c := planCheckout(seed, n)
		if turnedAway(seed, c.request) == 0 {
			wanted[c.order.ID] = true
		}
	}
	all := consume(t, s.Addresses()["shop-kafka"], []string{topicCreated, topicDead}, func(all []*kgo.Record) bool {
		missing := maps.Clone(wanted)
		for _, r := range all {
			if r.Value != nil {
				delete(missing, string(r.Key))
			}
		}
		return len(missing) == 0
	})
	found := map[string][]string{}
	for _, r := range all {
		if !wanted[string(r.Key)] || r.Value == nil {
			continue
		}
		place := fmt.Sprintf("%s/%d", r.Topic, r.Partition)
		found[place] = append(found[place], fmt.Sprintf("%q %s %q %d", r.Key, r.Value, r.Headers, r.Timestamp.UnixMilli()))
	}
	for _, list := range found {
		slices.Sort(list) // customers overtake each other
	}
	return found
}

func TestTheSameSeedMakesTheSameShop(t *testing.T) {
	const orders = historyOrders + 60
	first, second := messages(t, 42, orders), messages(t, 42, orders)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same seed made different shops:\n%s", diff)
	}
	if other := messages(t, 43, orders); cmp.Equal(first, other) {
		t.Error("another seed made the same shop")
	}
}

// TestTheHistoryIsTheSameToTheByte includes the order of the messages.
func TestTheHistoryIsTheSameToTheByte(t *testing.T) {
	history := func() string {
		s := &ordersService{store: newStore(), goods: newWarehouse()}
		p, err := s.relive(7, noon())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(p.records)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first, second := history(), history()
	if first != second {
		t.Error("it differs")
	}
}

func TestTheShareOfFailuresIsAsDocumented(t *testing.T) {
	const n = 20000
	failed, slow := 0, 0
	for i := range n {
		c := planCheckout(1, i)
		switch {
		case turnedAway(1, c.request) != 0, c.order.Card == cardDeclined, c.order.Card == cardFlaky:
			failed++
		case c.order.Card == cardSlow:
			slow++
		}
	}
	if share := float64(failed) / n; share < 0.035 || share > 0.045 {
		t.Errorf("%.2f %% fail", share*100)
	}
	if share := float64(slow) / n; share < 0.008 || share > 0.012 {
		t.Errorf("%.2f %% are slow", share*100)
	}
}
