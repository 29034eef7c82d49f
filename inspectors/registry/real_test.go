package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"iscope/probes"
	"iscope/probes/probetest"
)

func TestARealRegistry(t *testing.T) {
	server := probetest.Need(t, "registry")
	a := server.Addresses
	transport := &http.Transport{DisableKeepAlives: true}
	admin, err := sr.NewClient(sr.URLs(a["http"]), sr.HTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	subject := fmt.Sprintf("orders-%d-%d-value", os.Getpid(), time.Now().UnixNano())
	made, err := admin.CreateSchema(ctx, subject, sr.Schema{Schema: orderAvro})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, how := range []sr.DeleteHow{sr.SoftDelete, sr.HardDelete} {
			if _, err := admin.DeleteSubject(ctx, subject, how); err != nil {
				t.Error(err)
			}
		}
	})
	id := byID(uint32(made.ID))
	plain := open(t, Options{URL: a["http"]})
	if err := plain.Check(ctx); err != nil {
		t.Error(err)
	}
	if found, err := plain.Find(ctx, id); err != nil || found.Name != "shop.Order" {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := plain.Find(ctx, byID(1<<23)); !errors.Is(err, probes.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	wrong := open(t, Options{URL: a["http"] + "/wrong/path"})
	if err := wrong.Check(ctx); err == nil {
		t.Error("a wrong path passes the check")
	}
	if a["https"] == "" {
		return
	}
	tls := probes.TLS{CAFile: a["ca"]}
	secured := open(t, Options{URL: a["https"], TLS: tls, Auth: probes.Auth{Username: a["username"], Password: probes.NewSecret(a["password"])}})
	if found, err := secured.Find(ctx, id); err != nil || found.Name != "shop.Order" {
		t.Errorf("over TLS: %v, %v", found, err)
	}
	refused := open(t, Options{URL: a["https"], TLS: tls, Wait: time.Minute, Auth: probes.Auth{Username: a["username"], Password: probes.NewSecret("wrong")}})
	if _, err := refused.Find(ctx, id); !errors.Is(err, probes.ErrAuth) && !errors.Is(err, probes.ErrDenied) {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := open(t, Options{URL: a["https"], Wait: time.Minute}).Find(ctx, id); !errors.Is(err, probes.ErrTLS) {
		t.Errorf("an unknown CA: %v", err)
	}
}
