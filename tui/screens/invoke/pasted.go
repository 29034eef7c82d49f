package invoke

import (
	"context"
	"errors"
	"net/url"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/replay/request"
	"iscope/replay/request/imports"
	"iscope/tui/kit"
)

// isCurl reports whether a text is a command line of curl.
func isCurl(text string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word == "curl"
}

// paste takes curl command lines as a file of saved requests would be.
func (v *screen) paste(text string) tea.Cmd {
	env, ctx := v.s.Env().Name, v.s.Context()
	return func() tea.Msg {
		out := unsaved{by: v, path: "what was pasted"}
		res, err := imports.Curl(strings.NewReader(text), "pasted")
		if err == nil && (len(res.Files) == 0 || len(res.Files[0].Requests) == 0) {
			err = errors.New("no call is in it: " + strings.Join(res.Left, "; "))
		}
		if err != nil {
			out.err = err
			return out
		}
		written, _ := request.Emit("", res.Files[0].Requests)
		file, err := request.Parse("pasted", written)
		if err != nil {
			out.err = err
			return out
		}
		rehearse(ctx, file, v.unsent(env), len(file.Steps), nil, func(_ int, made *request.Request, result *request.Result) {
			s := step{name: result.Name, err: result.Err}
			if made != nil {
				s.req, s.err = *made, nil
			}
			out.steps = append(out.steps, s)
		})
		return out
	}
}

// unsent fills requests in without making their calls.
func (v *screen) unsent(env string) request.Runner {
	return request.Runner{Environment: env, Resolve: keepReferences,
		Getenv: func(name string) string { return "${env:" + name + "}" },
		Judge:  func(context.Context, string, *probes.Record) (bool, error) { return true, nil }}
}

// arrive finds the target of a request that names it by a URL: one that is
// configured at that address, or else a new one. later says that it has to answer
// first.
func (v *screen) arrive(o *occasion) (later bool, err error) {
	if !probes.IsURL(o.ref.Target) || v.targets[o.ref.Target] != nil {
		return false, nil
	}
	at, err := url.Parse(o.ref.Target)
	if err != nil {
		return false, err
	}
	for _, st := range v.s.States() {
		if st.Driver == "http" && sameHost(st.Address, at) && v.targets[st.Name] != nil {
			o.ref.Target = st.Name
			return false, nil
		}
	}
	ref, err := v.s.AddURL(o.ref.Target)
	o.ref.Target = ref.Target
	return true, err
}

// sameHost reports whether an address, with or without a scheme and a path, is
// that of a URL.
func sameHost(address string, u *url.URL) bool {
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		if scheme != u.Scheme {
			return false
		}
		address = rest
	}
	host, _, _ := strings.Cut(address, "/")
	return host == u.Host
}

// described moves the query of a path to the parameters of the method that the
// contract has for it.
func (v *screen) described(o *occasion) {
	path, query, ok := strings.Cut(o.ref.Subject, "?")
	target := v.targets[o.ref.Target]
	if !ok || target == nil || o.entry == nil {
		return
	}
	for i := range target.methods {
		if target.methods[i].Name != path {
			continue
		}
		entry := *o.entry
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			n, nerr := url.QueryUnescape(name)
			val, verr := url.QueryUnescape(value)
			known := false
			for _, p := range target.methods[i].Params {
				known = known || p.Name == n && p.In == "query"
			}
			if nerr != nil || verr != nil || !known {
				return // it stays as it was written
			}
			entry.Params = append(entry.Params[:len(entry.Params):len(entry.Params)], probes.Attr{Name: n, Value: val})
		}
		o.ref.Subject, o.entry = path, &entry
		return
	}
}

// takeLater takes up what has waited for its target to answer.
func (v *screen) takeLater() tea.Cmd {
	if v.later == nil {
		return nil
	}
	o := *v.later
	if t := v.targets[o.ref.Target]; t == nil || t.asking || !t.asked && t.err == "" {
		return nil
	}
	v.later = nil
	return v.takeUp(o)
}

// notNamed says of a named method why it is not there, where there is room for it.
func (v *screen) notNamed(m named) tea.Cmd {
	text := v.clean(m.err.Error())
	if hint := probes.HintOf(m.err); hint != "" {
		text = v.clean(hint) + " (" + text + ")"
	}
	v.putMethod(m.target, m.method.Name, text)
	return kit.Send(kit.Toast{Text: "there is no such method", Bad: true})
}
