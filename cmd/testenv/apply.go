package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// applier brings manifests to a Kubernetes API server, in order. It continues
// where it was when the server was not ready for one.
type applier struct {
	client *http.Client
	base   string
	token  string
	list   []manifest
	next   int
	uids   map[string]string // by path, for owner references
}

// newApplier takes the addresses of the server kube.
func newApplier(kube map[string]string, list []manifest) (*applier, error) {
	pem, err := os.ReadFile(kube["ca"])
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", kube["ca"])
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 1}
	return &applier{client: &http.Client{Transport: transport}, base: kube["https"], token: kube["token"],
		list: list, uids: map[string]string{}}, nil
}

// applyAll applies to a server that runs. A kind whose definition was applied a
// moment ago is not there at once, so it tries again for a while.
func applyAll(ctx context.Context, kube map[string]string, list []manifest) error {
	a, err := newApplier(kube, list)
	if err != nil {
		return err
	}
	return waitReady(ctx, a.run, nil)
}

// run applies what is left. It may be called again after an error.
func (a *applier) run(ctx context.Context) error {
	for ; a.next < len(a.list); a.next++ {
		if err := a.apply(ctx, a.list[a.next]); err != nil {
			return err
		}
	}
	a.client.CloseIdleConnections()
	return nil
}

// apply is a server-side apply: it creates or changes, and takes YAML
// (https://kubernetes.io/docs/reference/using-api/server-side-apply).
func (a *applier) apply(ctx context.Context, m manifest) error {
	body := m.yaml
	for path, uid := range a.uids {
		body = strings.ReplaceAll(body, "${uid "+path+"}", uid)
	}
	answer, err := a.do(ctx, http.MethodPatch, m.path+"?fieldManager=testenv&force=true", []byte(body))
	if err != nil {
		return err
	}
	var object struct {
		Metadata struct{ UID string }
	}
	if err := json.Unmarshal(answer, &object); err != nil {
		return fmt.Errorf("applying %s: %w", m.path, err)
	}
	a.uids[m.path] = object.Metadata.UID
	return nil
}

// get returns an answer of 200.
func (a *applier) get(ctx context.Context, path string) ([]byte, error) {
	return a.do(ctx, http.MethodGet, path, nil)
}

func (a *applier) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+"/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/apply-patch+yaml")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s answers %s: %.300s", method, path, resp.Status, answer)
	}
	return answer, err
}
