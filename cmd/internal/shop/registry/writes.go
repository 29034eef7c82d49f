package registry

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// writes adds what changes the registry.
func (r *Registry) writes(mux *http.ServeMux) {
	put := func(path string, write func(*http.Request) error) {
		mux.HandleFunc("PUT "+path, func(w http.ResponseWriter, req *http.Request) {
			req.Body = http.MaxBytesReader(w, req.Body, 1<<20)
			fail(w, write(req))
		})
	}
	put("/v1/agent/service/register", func(q *http.Request) error {
		var d Definition
		if err := decode(q, &d); err != nil {
			return err
		}
		return r.Register(d)
	})
	put("/v1/agent/service/deregister/{id}", func(q *http.Request) error { return r.Deregister(q.PathValue("id")) })
	put("/v1/agent/service/maintenance/{id}", func(q *http.Request) error {
		enable, err := strconv.ParseBool(q.URL.Query().Get("enable"))
		if err != nil {
			return refused("Invalid value for enable")
		}
		return r.maintain(q.PathValue("id"), enable, q.URL.Query().Get("reason"))
	})
	for verb, status := range map[string]string{"pass": passing, "warn": warning, "fail": critical} {
		put("/v1/agent/check/"+verb+"/{id}", func(q *http.Request) error {
			return r.SetCheck(q.PathValue("id"), status, q.URL.Query().Get("note"))
		})
	}
	put("/v1/agent/check/update/{id}", func(q *http.Request) error {
		var u struct{ Status, Output string }
		if err := decode(q, &u); err != nil {
			return err
		}
		if rank(u.Status) < 0 {
			return refused("Invalid check status: '%s'", u.Status)
		}
		return r.SetCheck(q.PathValue("id"), u.Status, u.Output)
	})
	mux.HandleFunc("PUT /v1/config", func(w http.ResponseWriter, q *http.Request) {
		var e intentions
		err := decode(q, &e)
		if err == nil {
			err = r.SetIntentions(e.Kind, e.Name, e.Sources)
		}
		if err != nil {
			fail(w, err)
			return
		}
		w.Write([]byte("true"))
	})
}

func decode(q *http.Request, v any) error {
	if err := json.NewDecoder(q.Body).Decode(v); err != nil {
		return refused("Request decode failed: %v", err)
	}
	return nil
}

// SetIntentions says who may call a service: PUT /v1/config.
func (r *Registry) SetIntentions(kind, name string, sources []Source) error {
	if kind != "service-intentions" || name == "" {
		return refused("this registry keeps named config entries of the kind service-intentions only")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &intentions{Kind: kind, Name: name, Sources: slices.Clone(sources)}
	for i := range e.Sources {
		e.Sources[i].Precedence, e.Sources[i].Type = 9, "consul"
	}
	e.ModifyIndex = r.touch(tableConfig)
	e.CreateIndex = e.ModifyIndex
	if old := r.entries[name]; old != nil {
		e.CreateIndex = old.CreateIndex
	}
	r.entries[name] = e
	return nil
}

// maintain takes an instance out of service, or brings it back.
func (r *Registry) maintain(id string, enable bool, reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.services[id]
	if s == nil {
		return unknown("Unknown service ID %q", id)
	}
	cid := maintenance + id
	if _, on := r.checks[cid]; on == enable {
		return nil
	}
	index := r.touch(tableChecks)
	if !enable {
		delete(r.checks, cid)
	} else {
		if reason == "" {
			reason = "Maintenance mode is enabled for this service, but no reason was provided. This is a default message."
		}
		r.checks[cid] = &check{
			Node: r.node, CheckID: cid, Name: "Service Maintenance Mode", Status: critical, Notes: reason,
			ServiceID: id, ServiceName: s.Service, ServiceTags: s.Tags, Type: "maintenance", CreateIndex: index, ModifyIndex: index,
		}
	}
	r.mirrorAliases()
	return nil
}
