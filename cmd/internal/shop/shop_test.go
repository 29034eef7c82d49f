package shop

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds a wait for a condition; nothing is measured with it.
const patience = 30 * time.Second

// open starts a shop for a test and closes it with the test.
func open(t *testing.T, o Options) *Shop {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	t.Cleanup(stop)
	return ctx
}

// get sends one request and returns its answer and body.
func get(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func getJSON[T any](t *testing.T, url string) T {
	t.Helper()
	res, text := get(t, "GET", url, "")
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil || res.StatusCode != 200 {
		t.Fatalf("GET %s: %s %v %s", url, res.Status, err, text)
	}
	return v
}

func TestEveryTargetIsInTheConfigurationAndListens(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	if want := filepath.Join(dir, "iscope.yaml"); s.ConfigPath() != want {
		t.Errorf("the configuration is at %s, want %s", s.ConfigPath(), want)
	}
	info, err := os.Stat(s.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the configuration's mode is %o", mode)
	}
	text, err := os.ReadFile(s.ConfigPath())
	if err != nil {
		t.Fatal(err)
	}
	var conf struct {
		Default      string
		Environments map[string]struct {
			Class       string
			Write, Dial bool
			Targets     map[string]struct {
				URL     string
				Options map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &conf, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	env := conf.Environments["shop"]
	if conf.Default != "shop" || env.Class != "local" || !env.Dial || !env.Write {
		t.Errorf("the environment is %q: %+v", conf.Default, env)
	}
	want := []string{"shop-kafka", "shop-orders", "shop-payments", "shop-gateway", "shop-api", "shop-graphql",
		"shop-registry", "staging-kafka", "staging-orders", "staging-api"}
	if len(env.Targets) != len(want) || len(s.Addresses()) != len(want) {
		t.Errorf("there are %d targets and %d addresses, want %d", len(env.Targets), len(s.Addresses()), len(want))
	}
	for _, name := range want {
		at := s.Addresses()[name]
		if !strings.Contains(env.Targets[name].URL, "://"+at) || at == "" {
			t.Errorf("%s is at %q, its URL is %q", name, at, env.Targets[name].URL)
		}
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Errorf("%s does not listen: %v", name, err)
			continue
		}
		conn.Close()
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s := open(t, Options{Rate: 200})
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	s.Close()
	s.Close()
	if err := <-ended; err != nil {
		t.Errorf("waiting gave %v", err)
	}
	for name, at := range s.Addresses() {
		if conn, err := net.Dial("tcp", at); err == nil {
			conn.Close()
			t.Errorf("%s still listens", name)
		}
	}
}

// TestCloseDoesNotWaitForPolls closes the shop under requests that would last
// for minutes.
func TestCloseDoesNotWaitForPolls(t *testing.T) {
	s := open(t, Options{Rate: 0.001}) // nobody comes during the test
	orders := reflect(t, s.Addresses()["shop-orders"], "shop.orders.v1.Orders")
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := orders.exchange(t, "shop.orders.v1.Orders.WatchOrders", `{"limit":-1}`); err == nil {
			t.Error("the watch ended well")
		}
	})
	sent := make(chan struct{})
	waiting.Go(func() {
		url := "http://" + s.Addresses()["shop-registry"] + "/v1/config/service-intentions?index=100000&wait=9m"
		ctx := httptrace.WithClientTrace(within(t), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }})
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			t.Error(err)
			return
		}
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		if res, err := transport.RoundTrip(req); err == nil {
			res.Body.Close()
		}
	})
	<-sent
	s.Close()
	waiting.Wait()
}

func TestTheShopEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	s, err := Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := s.Wait(); err != nil {
		t.Errorf("waiting gave %v", err)
	}
	s.Close()
	if _, err := os.Stat(s.ConfigPath()); !os.IsNotExist(err) {
		t.Errorf("the temporary configuration is still there: %v", err)
	}
}

func TestStartRefusesWhatItCannotDo(t *testing.T) {
	for name, o := range map[string]Options{
		"a rate below zero":       {Rate: -1},
		"a folder that is absent": {Dir: filepath.Join(t.TempDir(), "absent")},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Start(t.Context(), o)
			if err == nil {
				s.Close()
				t.Fatal("it started")
			}
			if !strings.HasPrefix(err.Error(), "starting the shop: ") {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func TestStartEndsWithACancelledContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if s, err := Start(ctx, Options{Dir: t.TempDir()}); err == nil {
		s.Close()
		t.Fatal("it started")
	}
}
