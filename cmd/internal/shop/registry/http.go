package registry

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const (
	defaultWait = 5 * time.Minute
	maxWait     = 10 * time.Minute
)

// Handler serves the HTTP API. Requests that wait end with their context.
func (r *Registry) Handler() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, read func(*http.Request) any, on ...table) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, req *http.Request) { r.answer(w, req, read, on) })
	}
	fixed := func(v any) func(*http.Request) any { return func(*http.Request) any { return v } }

	get("/v1/status/leader", fixed(nodeAddress+":8300"))
	get("/v1/status/peers", fixed([]string{nodeAddress + ":8300"}))
	get("/v1/catalog/datacenters", fixed([]string{Datacenter}))
	get("/v1/catalog/nodes", func(*http.Request) any { return []node{r.nodeEntry()} }, tableServices)
	get("/v1/catalog/services", func(*http.Request) any { return r.names() }, tableServices)
	get("/v1/catalog/service/{name}", func(q *http.Request) any { return r.catalog(named(q.PathValue("name"))) }, tableServices)
	get("/v1/catalog/connect/{name}", func(q *http.Request) any { return r.catalog(meshed(q.PathValue("name"))) }, tableServices)
	get("/v1/health/service/{name}", func(q *http.Request) any {
		return r.health(named(q.PathValue("name")), q.URL.Query().Has(passing))
	}, tableServices, tableChecks)
	get("/v1/health/connect/{name}", func(q *http.Request) any {
		return r.health(meshed(q.PathValue("name")), q.URL.Query().Has(passing))
	}, tableServices, tableChecks)
	get("/v1/health/checks/{name}", func(q *http.Request) any {
		return r.foundChecks(func(c *check) bool { return c.ServiceName == q.PathValue("name") })
	}, tableChecks)
	get("/v1/health/state/{state}", func(q *http.Request) any {
		state := q.PathValue("state")
		return r.foundChecks(func(c *check) bool { return state == "any" || c.Status == state })
	}, tableChecks)
	get("/v1/config/service-intentions", func(*http.Request) any { return r.intentionEntries() }, tableConfig)
	get("/v1/internal/ui/nodes", func(*http.Request) any { return r.uiNodes() }, tableServices, tableChecks)
	get("/v1/internal/ui/services", func(*http.Request) any { return r.uiServices() }, tableServices, tableChecks)
	get("/v1/agent/self", func(*http.Request) any { return r.self() })
	get("/v1/agent/services", func(*http.Request) any { return r.agentServices() })
	get("/v1/agent/checks", func(*http.Request) any { return r.agentChecks() })
	r.writes(mux)
	return mux
}

// answer sends what read returns, once the tables are newer than the index the
// request names or its wait is over
// (https://developer.hashicorp.com/consul/api-docs/features/blocking).
func (r *Registry) answer(w http.ResponseWriter, req *http.Request, read func(*http.Request) any, on []table) {
	index, wait, err := blocking(req)
	if err != nil {
		fail(w, err)
		return
	}
	if dc := req.URL.Query().Get("dc"); dc != "" && dc != Datacenter {
		http.Error(w, "No path to datacenter", http.StatusInternalServerError)
		return
	}
	if index > 0 && len(on) > 0 {
		r.await(req, index, wait, on)
	}
	r.mu.Lock()
	at := r.newest(on)
	body, err := json.Marshal(read(req))
	r.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Consul-Default-Acl-Policy", "allow")
	if len(on) > 0 {
		h.Set("X-Consul-Index", strconv.FormatUint(at, 10))
		h.Set("X-Consul-Knownleader", "true")
		h.Set("X-Consul-Lastcontact", "0")
		h.Set("X-Consul-Effective-Consistency", "leader")
	}
	w.Write(body)
}

// await returns when one of the tables is newer than index, the wait is over
// or the caller has left.
func (r *Registry) await(req *http.Request, index uint64, wait time.Duration, on []table) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		r.mu.Lock()
		newest, changed := r.newest(on), r.changed
		r.mu.Unlock()
		if newest > index {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-req.Context().Done():
			return
		}
	}
}

func (r *Registry) newest(on []table) uint64 {
	newest := uint64(0)
	for _, t := range on {
		newest = max(newest, r.last[t])
	}
	return newest
}

func blocking(req *http.Request) (index uint64, wait time.Duration, err error) {
	q := req.URL.Query()
	if text := q.Get("index"); text != "" {
		if index, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, refused("Invalid index")
		}
	}
	wait = defaultWait
	if text := q.Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			return 0, 0, refused("Invalid wait time")
		}
	}
	if wait == 0 {
		wait = defaultWait
	}
	return index, min(wait, maxWait), nil
}

func (r *Registry) self() any {
	return map[string]any{
		"Config": map[string]any{
			"Datacenter": Datacenter, "PrimaryDatacenter": Datacenter, "NodeName": r.node,
			"NodeID": r.nodeEntry().ID, "Server": true, "Version": "1.22.5+iscope.demo",
		},
		"Member": map[string]any{"Name": r.node, "Addr": nodeAddress, "Status": 1},
	}
}

func (r *Registry) agentServices() map[string]service {
	all := map[string]service{}
	for _, s := range r.found(func(s *service) bool { return s.ID != "consul" }) {
		all[s.ID] = s
	}
	return all
}

func (r *Registry) agentChecks() map[string]check {
	all := map[string]check{}
	for _, c := range r.foundChecks(func(c *check) bool { return c.ServiceID != "" }) {
		all[c.CheckID] = c
	}
	return all
}
