package schema

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"iscope/probes"
)

func ok(from string) (Found, time.Duration, error) { return Found{From: from}, time.Minute, nil }

func TestOneLoadForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(10, time.Now)
		defer c.Close()
		var loads atomic.Int32
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				found, err := c.Get(context.Background(), "k", time.Hour, 0, func(context.Context) (Found, time.Duration, error) {
					loads.Add(1)
					time.Sleep(time.Second)
					return ok("a")
				})
				if err != nil || found.From != "a" {
					t.Errorf("%v, %v", found, err)
				}
			})
		}
		wg.Wait()
		if loads.Load() != 1 {
			t.Errorf("%d loads", loads.Load())
		}
	})
}

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(10, time.Now)
		defer c.Close()
		slow := func(context.Context) (Found, time.Duration, error) { time.Sleep(time.Minute); return ok("a") }
		start := time.Now()
		if _, err := c.Get(context.Background(), "k", 2*time.Second, 0, slow); !errors.Is(err, ErrPending) || time.Since(start) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		start = time.Now()
		for range 100 {
			if _, err := c.Get(context.Background(), "k", 2*time.Second, 0, slow); !errors.Is(err, ErrPending) {
				t.Errorf("got %v", err)
			}
		}
		if time.Since(start) != 0 {
			t.Errorf("a slow load costs %v more", time.Since(start))
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := c.Get(ended, "k", time.Hour, 0, slow); !errors.Is(err, ErrPending) {
			t.Errorf("%v", err)
		}
		time.Sleep(2 * time.Minute)
		if found, err := c.Get(ended, "k", 0, 0, slow); err != nil || found.From != "a" {
			t.Errorf("the load that went on is lost: %v", err)
		}
	})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(10, time.Now)
		defer c.Close()
		n := 0
		load := func(context.Context) (Found, time.Duration, error) {
			n++
			if n == 1 {
				return Found{}, 5 * time.Second, errors.New("down")
			}
			return ok(fmt.Sprint(n))
		}
		get := func() string {
			found, err := c.Get(context.Background(), "k", time.Second, 10*time.Millisecond, load)
			synctest.Wait()
			return fmt.Sprint(found.From, err)
		}
		for i, want := range []string{"down", "down"} {
			if got := get(); got != want {
				t.Errorf("%d: %s", i, got)
			}
		}
		time.Sleep(6 * time.Second)
		if got := get(); got != "2<nil>" { // the new load was faster than grace
			t.Errorf("after the failure expired: %s", got)
		}
		time.Sleep(2 * time.Minute)
		if got := get(); got != "2<nil>" { // what is known, while the new is fetched
			t.Errorf("got %s", got)
		}
		if got := get(); got != "3<nil>" {
			t.Errorf("got %s", got)
		}
	})
}

func TestBounds(t *testing.T) {
	c := NewCache(3, time.Now)
	loads := 0
	get := func(key string) {
		if _, err := c.Get(context.Background(), key, time.Minute, 0, func(context.Context) (Found, time.Duration, error) { loads++; return Found{}, 0, nil }); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{"a", "b", "c", "a", "d", "a", "c", "d"} {
		get(key)
	}
	if loads != 4 || len(c.entries) != 3 || c.order.Len() != 3 {
		t.Errorf("%d loads, %d entries", loads, len(c.entries))
	}
	get("b") // was evicted
	if loads != 5 {
		t.Errorf("%d loads", loads)
	}
	c.Close()
	if _, err := c.Get(context.Background(), "a", time.Minute, 0, nil); err == nil {
		t.Error("a closed cache answers")
	}
}

func TestCloseEndsLoads(t *testing.T) {
	c := NewCache(3, time.Now)
	started := make(chan struct{})
	go func() {
		<-started
		c.Close()
	}()
	_, err := c.Get(context.Background(), "a", time.Minute, 0, func(ctx context.Context) (Found, time.Duration, error) {
		close(started)
		<-ctx.Done()
		return Found{}, 0, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	c.Close()
}

type describer struct {
	asked  atomic.Int32
	schema probes.Schema
}

func (d *describer) Schema(_ context.Context, ref string) (probes.Schema, error) {
	d.asked.Add(1)
	if ref == "none" {
		return probes.Schema{}, &probes.Error{Op: "resolving none", Kind: probes.ErrNotFound}
	}
	return d.schema, nil
}

func TestDescribed(t *testing.T) {
	from := &describer{schema: probes.Schema{Type: "protobuf", Data: []byte(set(t))}}
	d := Describe(from)
	defer d.Close()
	for range 3 {
		found, err := d.Find(context.Background(), Query{Ref: "shop.Single"})
		if err != nil || found.MessageName(nil, nil) != "shop.Single" {
			t.Fatalf("%v, %v", found, err)
		}
		if _, err := d.Find(context.Background(), Query{Ref: "none"}); !errors.Is(err, probes.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	if from.asked.Load() != 2 {
		t.Errorf("asked %d times", from.asked.Load())
	}
	for _, q := range []Query{{}, {Ref: "x", ID: 1}, {Ref: "x", Key: true}} {
		if _, err := d.Find(context.Background(), q); !errors.Is(err, ErrNone) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func BenchmarkCacheHit(b *testing.B) {
	c := NewCache(10, time.Now)
	defer c.Close()
	load := func(context.Context) (Found, time.Duration, error) { return Found{}, 0, nil }
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Get(context.Background(), "k", time.Second, 0, load); err != nil {
				b.Fatal(err)
			}
		}
	})
}
