package imports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"iscope/probes"
	"iscope/replay/request"
)

// The part of Postman's collection format that makes requests
// (https://schema.getpostman.com/json/collection/v2.1.0/). Many members may be a
// text or an object, hence the raw messages.
type (
	pmItem struct {
		Name     string            `json:"name"`
		Items    []pmItem          `json:"item"`
		Request  json.RawMessage   `json:"request"`
		Auth     *pmAuth           `json:"auth"`
		Events   []pmEvent         `json:"event"`
		Variable []pmVar           `json:"variable"`
		Answers  []json.RawMessage `json:"response"`
		Behavior json.RawMessage   `json:"protocolProfileBehavior"`
	}
	pmCollection struct {
		Info *struct {
			Name   string `json:"name"`
			Schema string `json:"schema"`
		} `json:"info"`
		pmItem
	}
	pmEvent struct {
		Listen string `json:"listen"`
		Script struct {
			Exec json.RawMessage `json:"exec"`
		} `json:"script"`
		Disabled bool `json:"disabled"`
	}
	pmVar struct {
		Key      string          `json:"key"`
		ID       string          `json:"id"`
		Value    json.RawMessage `json:"value"`
		Disabled bool            `json:"disabled"`
		Type     string          `json:"type"`
		Src      json.RawMessage `json:"src"`
	}
	pmRequest struct {
		Method string          `json:"method"`
		URL    json.RawMessage `json:"url"`
		Header json.RawMessage `json:"header"`
		Body   *pmBody         `json:"body"`
		Auth   *pmAuth         `json:"auth"`
		Proxy  json.RawMessage `json:"proxy"`
		Cert   json.RawMessage `json:"certificate"`
	}
	pmURL struct {
		Raw      string          `json:"raw"`
		Protocol string          `json:"protocol"`
		Host     json.RawMessage `json:"host"`
		Port     string          `json:"port"`
		Path     json.RawMessage `json:"path"`
		Query    []pmVar         `json:"query"`
		Variable []pmVar         `json:"variable"`
	}
	pmBody struct {
		Mode    string  `json:"mode"`
		Raw     string  `json:"raw"`
		Encoded []pmVar `json:"urlencoded"`
		Form    []pmVar `json:"formdata"`
		GraphQL *struct {
			Query     string `json:"query"`
			Variables string `json:"variables"`
		} `json:"graphql"`
		Disabled bool `json:"disabled"`
		Options  struct {
			Raw struct {
				Language string `json:"language"`
			} `json:"raw"`
		} `json:"options"`
	}
)

// Postman reads a collection. Folders become folders, each request a file.
func Postman(r io.Reader, name string) (*Result, error) {
	src, err := read(r, name)
	if err != nil {
		return nil, err
	}
	var c pmCollection
	if err := decode(name, src, &c); err != nil {
		return nil, err
	}
	if c.Info == nil || c.Items == nil {
		return nil, bad(name, fmt.Errorf("it is no Postman collection (v2.0, v2.1): it has no info or no items"))
	}
	p := &postman{res: &Result{}, used: names{}, vars: variables(c.Variable)}
	p.scripts("the collection", c.Events)
	p.folder(nil, c.Items, c.Auth)
	if p.answers > 0 {
		p.res.Left = append(p.res.Left, fmt.Sprintf("%d saved example answers", p.answers))
	}
	if len(p.res.Files) == 0 {
		return nil, bad(name, fmt.Errorf("there is no request in it"))
	}
	return p.res, nil
}

// postman is a collection being read.
type postman struct {
	res     *Result
	used    names
	vars    []probes.Attr
	answers int
}

func variables(all []pmVar) (out []probes.Attr) {
	for _, v := range all {
		key := v.Key
		if key == "" {
			key = v.ID
		}
		if key != "" && !v.Disabled {
			out = append(out, probes.Attr{Name: variable(key), Value: texts(plain(v.Value))})
		}
	}
	return out
}

// plain is a JSON string's text, or the JSON of anything else.
func plain(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func (p *postman) scripts(where string, events []pmEvent) {
	for _, note := range scriptNotes(events) {
		p.res.Left = append(p.res.Left, where+": "+note)
	}
}

func scriptNotes(events []pmEvent) (out []string) {
	for _, e := range events {
		var lines []string
		if json.Unmarshal(e.Script.Exec, &lines) != nil {
			lines = []string{plain(e.Script.Exec)}
		}
		if e.Disabled || strings.TrimSpace(strings.Join(lines, "")) == "" {
			continue
		}
		switch e.Listen {
		case "test":
			out = append(out, "the test script is left out: write conditions under expect:, and capture: for variables")
		default:
			out = append(out, "the "+e.Listen+" script is left out")
		}
	}
	return out
}

// folder reads items; auth is what they inherit.
func (p *postman) folder(path []string, items []pmItem, auth *pmAuth) {
	for i := range items {
		it := &items[i]
		own := auth
		if it.Auth != nil {
			own = it.Auth
		}
		if it.Request == nil {
			p.scripts("folder "+it.Name, it.Events)
			p.folder(append(slices.Clone(path), fileName(it.Name)), it.Items, own)
			continue
		}
		p.answers += len(it.Answers)
		s, err := p.saved(it, own)
		if err != nil {
			p.res.Left = append(p.res.Left, fmt.Sprintf("%s: %v", it.Name, err))
			continue
		}
		at := p.used.unique(strings.Join(append(slices.Clone(path), fileName(it.Name)), "/"))
		p.res.Files = append(p.res.Files, File{Path: at, Name: it.Name, Requests: []request.Saved{s}})
	}
}

func (p *postman) saved(it *pmItem, auth *pmAuth) (s request.Saved, err error) {
	s = request.Saved{Name: it.Name, Template: true}
	var q pmRequest
	if raw := plain(it.Request); raw != string(it.Request) {
		q.URL, _ = json.Marshal(raw) // a request may be its URL alone
	} else if err := json.Unmarshal(it.Request, &q); err != nil {
		return s, fmt.Errorf("the request cannot be read: %w", err)
	}
	if q.Method = strings.ToUpper(q.Method); q.Method == "" {
		q.Method = "GET"
	}
	address, params, err := q.address()
	if err != nil {
		return s, err
	}
	if s.Target, s.Method, err = place(q.Method, texts(address), len(params) > 0); err != nil {
		return s, err
	}
	s.Params = params
	s.Header = headers(q.Header, &s)
	if q.Auth != nil {
		auth = q.Auth
	}
	auth.add(&s)
	q.Body.add(&s)
	s.Comment = append(s.Comment, scriptNotes(it.Events)...)
	for _, left := range []struct {
		what string
		raw  json.RawMessage
	}{{"protocolProfileBehavior", it.Behavior}, {"the proxy", q.Proxy}, {"the client certificate", q.Cert}} {
		if text := string(left.raw); text != "" && text != "null" && text != "{}" {
			s.Comment = append(s.Comment, left.what+" is left out: "+text)
		}
	}
	p.declare(&s, variables(it.Variable))
	return s, nil
}

// declare gives a request the variables it uses, and notes those that the
// collection does not have.
func (p *postman) declare(s *request.Saved, own []probes.Attr) {
	known := slices.Concat(own, p.vars)
	var open []string
	use := usedIn(s)
	for i := 0; i < len(use); i++ {
		at := slices.IndexFunc(known, func(v probes.Attr) bool { return v.Name == use[i] })
		switch {
		case strings.HasPrefix(use[i], "$"):
			s.Comment = append(s.Comment, "there is no {{"+use[i]+"}} here: put something else in its place")
		case at >= 0:
			s.Variables = append(s.Variables, known[at])
			for _, name := range mentioned(known[at].Value) {
				if !slices.Contains(use, name) {
					use = append(use, name)
				}
			}
		case use[i] != "uuid" && !strings.HasPrefix(use[i], "now") && !strings.HasPrefix(use[i], "env."):
			open = append(open, use[i])
		}
	}
	if len(open) > 0 {
		s.Comment = append(s.Comment, "not in the collection (of a Postman environment, probably), to be given with --var or declared here: "+strings.Join(open, ", "))
	}
}
