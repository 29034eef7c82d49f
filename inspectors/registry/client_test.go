package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"go.uber.org/goleak"

	"iscope/inspectors/emit"
	"iscope/inspectors/schema"
	"iscope/probes"
	"iscope/probes/probetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const orderAvro = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}`

func open(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func fake(t *testing.T, opts ...srfake.Option) *srfake.Registry {
	t.Helper()
	r := srfake.New(opts...)
	t.Cleanup(r.Close)
	return r
}

func byID(id uint32) schema.Query { return schema.Query{ID: id} }

func TestByIDAndNotFound(t *testing.T) {
	f := fake(t)
	f.SeedSchema("orders-value", 1, 31, sr.Schema{Schema: orderAvro})
	c := open(t, Options{URL: f.URL() + "/"})
	for range 2 {
		found, err := c.Find(context.Background(), byID(31))
		if err != nil || found.Type != schema.Avro || found.Name != "shop.Order" || found.From != "id 31" {
			t.Fatalf("%+v, %v", found, err)
		}
	}
	_, err := c.Find(context.Background(), byID(77))
	if !errors.Is(err, probes.ErrNotFound) || err.Error() != "not found: schema id 77 is not in registry "+f.URL() || probes.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Find(context.Background(), schema.Query{Subject: "orders"}); !errors.Is(err, schema.ErrNone) {
		t.Errorf("without a strategy: %v", err)
	}
	if err := c.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestGUID(t *testing.T) {
	const guid = "00112233-4455-6677-8899-aabbccddeeff"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/schemas/guids/"+guid {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"schema":%q}`, orderAvro)
	}))
	defer s.Close()
	c := open(t, Options{URL: s.URL})
	found, err := c.Find(context.Background(), schema.Query{GUID: [16]byte{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}})
	if err != nil || found.From != guid {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestStrategies(t *testing.T) {
	f := fake(t)
	for i, subject := range []string{"orders-value", "orders-key", "shop.Order", "orders-shop.Order", "a/b-value"} {
		f.SeedSchema(subject, 1, i+1, sr.Schema{Schema: strings.ReplaceAll(orderAvro, "Order", fmt.Sprint("Order", i))})
	}
	f.SeedSchema("orders-value", 2, 9, sr.Schema{Schema: strings.ReplaceAll(orderAvro, "Order", "Newer")})
	records := []Record{{Pattern: "other", Name: "shop.Other"}, {Pattern: "ord*", Key: true, Name: "shop.Key"}, {Pattern: "ord*", Name: "shop.Order"}}
	for _, tc := range []struct {
		strategy  Strategy
		q         schema.Query
		name, why string
	}{
		{TopicName, schema.Query{Subject: "orders"}, "shop.Newer", "orders-value version 2, id 9"},
		{TopicName, schema.Query{Subject: "orders", Key: true}, "shop.Order1", "orders-key version 1, id 2"},
		{TopicName, schema.Query{Subject: "a/b"}, "shop.Order4", "a/b-value version 1, id 5"},
		{RecordName, schema.Query{Subject: "orders"}, "shop.Order2", "shop.Order version 1, id 3"},
		{TopicRecordName, schema.Query{Subject: "orders"}, "shop.Order3", "orders-shop.Order version 1, id 4"},
		{TopicRecordName, schema.Query{Subject: "orders", Key: true}, "", "subject orders-shop.Key is not in registry"},
		{RecordName, schema.Query{Subject: "payments"}, "", "no schema is assigned"},
		{TopicName, schema.Query{}, "", "no schema is assigned"},
	} {
		c := open(t, Options{URL: f.URL(), Strategy: tc.strategy, Records: records})
		found, err := c.Find(context.Background(), tc.q)
		if tc.name == "" {
			if err == nil || !strings.Contains(err.Error(), tc.why) {
				t.Errorf("%s %+v: %v", tc.strategy, tc.q, err)
			}
			continue
		}
		if err != nil || found.Name != tc.name || found.From != tc.why {
			t.Errorf("%s %+v: %v, %v", tc.strategy, tc.q, found, err)
		}
	}
	for s, want := range map[string]Strategy{"": "", "TopicName": TopicName, "topicnamestrategy": TopicName,
		"io.confluent.kafka.serializers.subject.RecordNameStrategy": RecordName, "TopicRecordNameStrategy": TopicRecordName} {
		if got, err := ParseStrategy(s); err != nil || got != want {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	if _, err := ParseStrategy("Reference"); !errors.Is(err, probes.ErrUsage) {
		t.Errorf("got %v", err)
	}
	if r, err := ParseRecord("orders.*:key=shop.Key"); err != nil || r != (Record{Pattern: "orders.*", Key: true, Name: "shop.Key"}) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, s := range []string{"", "shop.Order", "orders=", "orders=a#b"} {
		if _, err := ParseRecord(s); !errors.Is(err, probes.ErrUsage) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestReferences(t *testing.T) {
	f := fake(t)
	f.SeedSchema("zip", 1, 1, sr.Schema{Schema: `{"type":"fixed","name":"Zip","namespace":"shop","size":5}`})
	f.SeedSchema("address", 1, 2, sr.Schema{Schema: `{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"zip","type":"Zip"}]}`,
		References: []sr.SchemaReference{{Name: "shop.Zip", Subject: "zip", Version: 1}}})
	f.SeedSchema("order", 1, 3, sr.Schema{Schema: `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"to","type":"Address"},{"name":"from","type":"Zip"}]}`,
		References: []sr.SchemaReference{{Name: "shop.Address", Subject: "address", Version: 1}, {Name: "shop.Zip", Subject: "zip", Version: 1}}})
	c := open(t, Options{URL: f.URL()})
	found, err := c.Find(context.Background(), byID(3))
	if err != nil {
		t.Fatal(err)
	}
	w := emit.New(1000, false)
	if err := found.Decode(w, []byte("1234554321"), nil); err != nil || string(w.Text()) != `{"to":{"zip":"MTIzNDU="},"from":"NTQzMjE="}` {
		t.Errorf("%s, %v", w.Text(), err)
	}
}

func TestReferencesInACircleAndMissing(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/subjects/gone/versions/1":
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error_code":40401,"message":"Subject 'gone' not found."}`)
		case "/schemas/ids/2":
			fmt.Fprint(w, `{"schema":"{}","schemaType":"JSON","references":[{"name":"x","subject":"gone","version":1}]}`)
		default:
			fmt.Fprint(w, `{"schema":"{}","schemaType":"JSON","references":[{"name":"x","subject":"s","version":1}]}`)
		}
	}))
	defer s.Close()
	c := open(t, Options{URL: s.URL})
	if _, err := c.Find(context.Background(), byID(1)); err != nil {
		t.Errorf("a circle: %v", err)
	}
	if _, err := c.Find(context.Background(), byID(2)); !errors.Is(err, probes.ErrNotFound) || !strings.Contains(err.Error(), "reference x") || !strings.Contains(err.Error(), "Subject 'gone' not found.") {
		t.Errorf("got %v", err)
	}
}

func TestCredentials(t *testing.T) {
	const secret = "s3cret-pa55"
	f := fake(t, srfake.WithAuth("Basic dXNlcjpzM2NyZXQtcGE1NQ=="))
	f.SeedSchema("o", 1, 1, sr.Schema{Schema: orderAvro})
	host := strings.TrimPrefix(f.URL(), "http://")
	for name, o := range map[string]Options{
		"in the URL": {URL: "http://user:" + secret + "@" + host},
		"given":      {URL: f.URL(), Auth: probes.Auth{Username: "user", Password: probes.NewSecret(secret)}},
	} {
		c := open(t, o)
		if _, err := c.Find(context.Background(), byID(1)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Find(context.Background(), byID(2)); err == nil || strings.Contains(err.Error(), secret) || strings.Contains(c.String(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	token := fake(t, srfake.WithAuth("Bearer "+secret))
	token.SeedSchema("o", 1, 1, sr.Schema{Schema: orderAvro})
	if _, err := open(t, Options{URL: token.URL(), Auth: probes.Auth{Token: probes.NewSecret(secret)}}).Find(context.Background(), byID(1)); err != nil {
		t.Error(err)
	}
}

func TestRefusedCredentialsAreNotTriedAgain(t *testing.T) {
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error_code":40101,"message":"Unauthorized"}`)
	}))
	defer s.Close()
	c := open(t, Options{URL: s.URL, Auth: probes.Auth{Username: "u", Password: probes.NewSecret("wrong")}})
	c.now = func() time.Time { return time.Now().Add(time.Duration(requests.Load()) * time.Hour) }
	for id := range uint32(20) {
		if _, err := c.Find(context.Background(), byID(id+1)); !errors.Is(err, probes.ErrAuth) || probes.HintOf(err) == "" {
			t.Fatalf("got %v", err)
		}
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *clock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func TestARegistryThatIsDownCostsOneRequestPerPause(t *testing.T) {
	var requests atomic.Int32
	var up atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"schema":%q}`, orderAvro)
	}))
	defer s.Close()
	var mu sync.Mutex
	var reports []error
	c := open(t, Options{URL: s.URL, Wait: time.Minute, Report: func(err error) { mu.Lock(); defer mu.Unlock(); reports = append(reports, err) }})
	at := &clock{t: time.Unix(1e9, 0)}
	c.now = at.now
	ask := func(id uint32) error { _, err := c.Find(context.Background(), byID(id)); return err }
	for id := range uint32(100) {
		if err := ask(id + 1); !errors.Is(err, probes.ErrUnreachable) {
			t.Fatalf("id %d: %v", id+1, err)
		}
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests for 100 ids", requests.Load())
	}
	// Each pause lets one request through, and is longer than the one before.
	for i, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		at.add(pause + time.Millisecond)
		for id := range uint32(100) {
			_ = ask(id + 1)
		}
		wait(t, func() bool { return requests.Load() >= int32(i+2) })
		c.settle(t)
		if n := requests.Load(); n != int32(i+2) {
			t.Errorf("after %v: %d requests", pause, n)
		}
	}
	up.Store(true)
	at.add(time.Hour)
	for c.gate.failure() != nil {
		_ = ask(1)
		c.settle(t)
	}
	if err := ask(2); err != nil && !errors.Is(err, probes.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
	c.settle(t)
	if err := ask(2); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(reports) != 2 || reports[0] == nil || reports[1] != nil {
		t.Errorf("reports %v", reports)
	}
}

// A registry that says no answers again, too.
func TestARefusalIsAnAnswer(t *testing.T) {
	var up atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error_code":40403,"message":"Schema not found"}`)
	}))
	defer s.Close()
	reports := make(chan error, 9)
	c := open(t, Options{URL: s.URL, Wait: time.Minute, Report: func(err error) { reports <- err }})
	at := &clock{t: time.Unix(1e9, 0)}
	c.now = at.now
	_, _ = c.Find(context.Background(), byID(1))
	if err := <-reports; err == nil {
		t.Error("that it is down is not reported")
	}
	up.Store(true)
	at.add(time.Hour)
	for c.gate.failure() != nil {
		_, _ = c.Find(context.Background(), byID(1))
		c.settle(t)
	}
	if err := <-reports; err != nil {
		t.Errorf("that it answers again is reported as %v", err)
	}
}

// settle waits until no load is under way.
func (c *Client) settle(t *testing.T) {
	t.Helper()
	wait(t, func() bool {
		c.gate.mu.Lock()
		defer c.gate.mu.Unlock()
		return !c.gate.trying
	})
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !until(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

func TestAnEndedContextDoesNotWait(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		fmt.Fprintf(w, `{"schema":%q}`, orderAvro)
	}))
	defer s.Close()
	c := open(t, Options{URL: s.URL, Wait: time.Hour})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Find(ended, byID(1)); !errors.Is(err, schema.ErrPending) {
		t.Errorf("got %v", err)
	}
	close(release)
	if _, err := c.Find(context.Background(), byID(1)); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestOneRequestForManyWhoAsk(t *testing.T) {
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		fmt.Fprintf(w, `{"schema":%q}`, orderAvro)
	}))
	defer s.Close()
	c := open(t, Options{URL: s.URL, Wait: time.Minute})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for id := range uint32(4) {
				if _, err := c.Find(context.Background(), byID(id+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if requests.Load() != 4 {
		t.Errorf("%d requests for 4 ids", requests.Load())
	}
}

func TestNobodyListens(t *testing.T) {
	url := "http://" + probetest.Nowhere
	c := open(t, Options{URL: url, Wait: time.Minute})
	for id := range uint32(3) { // the same for all, so it names none
		_, err := c.Find(context.Background(), byID(id+1))
		var e *probes.Error
		if !errors.As(err, &e) || !errors.Is(err, probes.ErrUnreachable) || e.Target != "registry "+url || e.Op != "" || e.Hint == "" {
			t.Errorf("id %d: %#v", id+1, err)
		}
	}
}

func TestAnswersThatAreNotTheRegistrys(t *testing.T) {
	for name, tc := range map[string]struct {
		status     int
		body, says string
		kind       error
	}{
		"HTML":              {200, "<html>", "not that of a schema registry", probes.ErrProtocol},
		"no schema":         {200, "{}", "holds no schema", probes.ErrProtocol},
		"404 of another":    {404, "404 page not found", "HTTP 404", probes.ErrNotFound},
		"a redirect":        {302, "", "HTTP 302", probes.ErrProtocol},
		"forbidden":         {403, `{"error_code":40301,"message":"User is denied"}`, "User is denied", probes.ErrDenied},
		"malformed schema":  {200, `{"schema":"{"}`, "compiling schema id 1", probes.ErrProtocol},
		"of another kind":   {200, `{"schema":"x","schemaType":"THRIFT"}`, `"THRIFT" is not supported`, probes.ErrProtocol},
		"too many requests": {429, `{}`, "HTTP 429", probes.ErrUnreachable},
		"endless":           {200, `{"schema":"` + strings.Repeat("x", maxAnswer) + `"}`, "larger than", probes.ErrLimit},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}))
		_, err := open(t, Options{URL: s.URL, Wait: time.Minute}).Find(context.Background(), byID(1))
		if !errors.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"schema":%q}`, orderAvro) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	if _, err := open(t, Options{URL: s.URL, TLS: probes.TLS{InsecureSkipVerify: true}}).Find(context.Background(), byID(1)); err != nil {
		t.Error(err)
	}
	if _, err := open(t, Options{URL: s.URL, Wait: time.Minute}).Find(context.Background(), byID(1)); !errors.Is(err, probes.ErrTLS) {
		t.Errorf("got %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for _, url := range []string{"", "registry:8081", "kafka://r:1", "http://", "http://user:s3cret@%zz"} {
		_, err := Open(Options{URL: url})
		if !errors.Is(err, probes.ErrUsage) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := Open(Options{URL: "https://r", TLS: probes.TLS{CAFile: "/nowhere.pem"}}); !errors.Is(err, probes.ErrUsage) {
		t.Errorf("got %v", err)
	}
}
