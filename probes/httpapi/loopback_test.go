package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/internal/httplink"
	"iscope/probes/probetest"
)

// These tests run against LoopBack's to-do example: an API and a document that
// nobody here wrote.

func loopback(t *testing.T) *probe {
	s := probetest.Need(t, "loopback")
	return openTarget(t, target(s.Addresses["http"]))
}

func TestLoopbackIsListed(t *testing.T) {
	p := loopback(t)
	methods, err := p.Methods(patience(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range methods {
		names = append(names, m.Name)
	}
	want := []string{"DELETE /todos/{id}", "GET /todos", "GET /todos/count", "GET /todos/{id}", "PATCH /todos",
		"PATCH /todos/{id}", "POST /todos", "PUT /todos/{id}"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	post := methods[slices.Index(names, "POST /todos")]
	if post.Group != "TodoController" || post.Effect != probes.EffectWrite || post.Input != "#/components/schemas/NewTodo" ||
		post.Output != "#/components/schemas/Todo" || !strings.Contains(string(post.Template), `"title"`) {
		t.Errorf("POST /todos is %+v with template %s", post, post.Template)
	}
	schema, err := p.Schema(patience(t), post.Input)
	if err != nil || !strings.Contains(schema.Text, `"isComplete"`) {
		t.Errorf("schema %s, error %v", schema.Text, err)
	}
	for snap, err := range p.Discover(patience(t), probes.DiscoverQuery{}) {
		if err != nil || !snap.Complete {
			t.Fatalf("snapshot %+v, error %v", snap, err)
		}
		if v, _ := probes.FindAttr(snap.Claims[0].Node.Attrs, probes.AttrServiceName); v != "@loopback/example-todo" {
			t.Errorf("title is %q", v)
		}
	}
}

func TestLoopbackTodoLives(t *testing.T) {
	p := loopback(t)
	_, resp, end := mustInvoke(t, p, "POST /todos", `{"title":"buy \u001b[31mmilk","isComplete":false}`)
	var todo struct{ ID int }
	if err := json.Unmarshal(resp.Body, &todo); err != nil || todo.ID == 0 || end.Err != "" {
		t.Fatalf("created %s, end %+v", resp.Body, end)
	}
	id := fmt.Sprint(todo.ID)
	req, resp, end := mustInvoke(t, p, "GET /todos/{id}", "", param("id", id))
	if !strings.Contains(string(resp.Body), "milk") || req.Source.Subject != "GET /todos/"+id ||
		resp.Schema != "#/components/schemas/TodoWithRelations" || attr(end, probes.AttrHTTPRoute) != "/todos/{id}" {
		t.Errorf("read %s as %+v, schema %q", resp.Body, req.Source, resp.Schema)
	}
	_, resp, _ = mustInvoke(t, p, "GET /todos", "", param("filter", `{"where":{"id":`+id+`}}`))
	if !strings.Contains(string(resp.Body), `"id":`+id) || attr(resp, probes.AttrViolation) != "" {
		t.Errorf("listed %s, violations %q", resp.Body, attr(resp, probes.AttrViolation))
	}
	_, resp, end = mustInvoke(t, p, "DELETE /todos/"+id, "")
	if attr(end, probes.AttrHTTPStatus) != "204" || resp.Body != nil {
		t.Errorf("deleting: %+v", end)
	}
	_, _, end = mustInvoke(t, p, "GET /todos/"+id, "")
	if end.Err != "404 Not Found" {
		t.Errorf("the deleted to-do answers %q", end.Err)
	}
}

func TestLoopbackRefusesABadTodo(t *testing.T) {
	p := loopback(t)
	_, err := invoke(t, p, "POST /todos", `{"desc":1}`)
	wantError(t, err, probes.ErrUsage, `body: property "title" is missing`, "body/desc: it is of type number, not string")
	req, resp, end := mustInvoke(t, p, "POST /todos", `{"desc":1}`, forced)
	if v := attr(req, probes.AttrViolation); !strings.HasPrefix(v, "body") {
		t.Errorf("the request's violation %q", v)
	}
	if end.Err != "422 Unprocessable Entity" || !strings.Contains(string(resp.Body), "VALIDATION_FAILED") {
		t.Errorf("end %q, body %s", end.Err, resp.Body)
	}
	if v := attr(resp, probes.AttrViolation); v != "status: 422 is not in the document" {
		t.Errorf("violation %q", v)
	}
}

func TestLoopbackFormAndContract(t *testing.T) {
	p := loopback(t)
	f, err := p.Form(patience(t), "PATCH /todos/{id}")
	if err != nil || f.Root.Kind != probes.ShapeObject || f.Root.Of != "TodoPartial" {
		t.Fatalf("form %+v, error %v", f, err)
	}
	kinds := map[string]probes.ShapeKind{}
	for _, s := range f.Fields(&f.Root) {
		kinds[s.Name] = s.Kind
	}
	want := map[string]probes.ShapeKind{"id": probes.ShapeNumber, "title": probes.ShapeString, "desc": probes.ShapeString, "isComplete": probes.ShapeBool,
		"remindAtAddress": probes.ShapeString, "remindAtGeo": probes.ShapeString, "tag": probes.ShapeAny}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	c, err := p.Contract(patience(t))
	if err != nil || c.Type != "openapi" || !strings.Contains(string(c.Data), `"/todos/{id}"`) {
		t.Errorf("contract %s, error %v", c.Data, err)
	}
}

func TestLoopbackRedirects(t *testing.T) {
	p := loopback(t)
	recs, err := invoke(t, p, "GET /explorer", "", redirects(3))
	if err != nil || len(recs) != 5 || attr(recs[1], httplink.AttrLocation) == "" || attr(recs[4], probes.AttrHTTPStatus) != "200" {
		t.Errorf("records %q, error %v", lines(recs), err)
	}
}

func TestLoopbackByURLAlone(t *testing.T) {
	s := probetest.Need(t, "loopback")
	drivers := []probes.Driver{Driver()}
	tg, subject, err := probes.ParseURL(drivers, s.Addresses["http"]+"/todos/count")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := probes.Open(patience(t), drivers, tg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Such a target is read-only: reads are let through all the same.
	var end probes.Record
	for rec, err := range conn.Invoke(patience(t), probes.Method{Name: subject, Effect: probes.EffectRead}, probes.Invocation{Method: subject}) {
		if err != nil {
			t.Fatal(err)
		}
		end = rec
	}
	if attr(end, probes.AttrStatus) != "200 OK" || attr(end, probes.AttrHTTPRoute) != "/todos/count" {
		t.Errorf("end %+v", end)
	}
}

func TestLoopbackPassesTheSuite(t *testing.T) {
	s := probetest.Need(t, "loopback")
	probetest.Run(t, probetest.Suite{
		Driver:   Driver(),
		Target:   target(s.Addresses["http"]),
		Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeService}, Subject: "api", Unknown: "GET /nope"},
		Invoke: &probetest.InvokeCase{Method: "GET /todos/count", Unknown: "GET /todo/{ident}",
			Body: "POST /todos"},
	})
}
