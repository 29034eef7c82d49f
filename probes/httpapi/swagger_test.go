package httpapi

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

const old = `{"swagger":"2.0","info":{"title":"t","version":"1"},"host":"shop.example","basePath":"/v1/","schemes":["http","https"],
	"consumes":["application/json"],"produces":["application/json"],
	"securityDefinitions":{"basic":{"type":"basic"},"key":{"type":"apiKey","in":"query","name":"api_key"}},"security":[{"key":[]}],
	"parameters":{"Page":{"name":"page","in":"query","type":"integer","minimum":1},"Body":{"name":"b","in":"body","required":true,"schema":{"$ref":"#/definitions/Order"}}},
	"responses":{"Bad":{"description":"bad","schema":{"$ref":"#/definitions/Problem"}}},
	"paths":{
		"/orders":{"parameters":[{"$ref":"#/parameters/Page"}],
			"get":{"parameters":[{"name":"ids","in":"query","type":"array","items":{"type":"integer"},"collectionFormat":"pipes"},
				{"name":"tag","in":"query","type":"array","items":{"type":"string"},"collectionFormat":"multi"},{"name":"X-A","in":"header","type":"string"}],
				"responses":{"200":{"description":"ok","headers":{"X-Count":{"type":"integer"}},"schema":{"type":"array","items":{"$ref":"#/definitions/Order"}},
				"examples":{"application/json":[{"id":1}]}},"400":{"$ref":"#/responses/Bad"}}},
			"post":{"parameters":[{"$ref":"#/parameters/Body"}],"responses":{"204":{"description":"ok"}}}},
		"/upload":{"post":{"consumes":["multipart/form-data"],"parameters":[{"name":"file","in":"formData","type":"file","required":true,"description":"a file"},
			{"name":"n","in":"formData","type":"integer"}],"responses":{"200":{"description":"ok","schema":{"type":"file"}}}}},
		"/login":{"post":{"security":[{"basic":[]}],"consumes":["application/x-www-form-urlencoded"],"parameters":[{"name":"user","in":"formData","type":"string"}],"responses":{}}}},
	"definitions":{"Order":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"problem":{"$ref":"#/definitions/Problem"},"$ref":{"type":"string"}}},
		"Problem":{"type":"object","properties":{"title":{"type":"string","example":"no"}}}}}`

func TestSwagger20(t *testing.T) {
	d := load(t, old)
	if len(d.warnings) > 0 {
		t.Errorf("warnings %q", d.warnings)
	}
	if diff := cmp.Diff([]string{"GET /v1/orders", "POST /v1/login", "POST /v1/orders", "POST /v1/upload"}, names(d)); diff != "" {
		t.Error(diff)
	}
	get := listed(t, d, "GET /v1/orders")
	wantParams := []probes.Param{{Name: "ids", In: "query", Type: "array of integer"}, {Name: "tag", In: "query", Type: "array of string"},
		{Name: "page", In: "query", Type: "integer"}, {Name: "X-A", In: "header", Type: "string"}}
	if diff := cmp.Diff(wantParams, get.Params); diff != "" {
		t.Error(diff)
	}
	if post := listed(t, d, "POST /v1/orders"); post.Input != "#/components/schemas/Order" || string(post.Template) != `{"id":0,"$ref":"","problem":{"title":"no"}}` {
		t.Errorf("POST %+v with template %s", post, post.Template)
	}
	if up := listed(t, d, "POST /v1/upload"); string(up.Template) != `{"file":"@path/to/file","n":0}` {
		t.Errorf("upload template %s", up.Template)
	}
	var s seen
	tg := target(serve(t, old, s.handle).URL)
	tg.Auth.Token = probes.NewSecret("hunter2")
	p := openTarget(t, tg)
	_, resp, _ := mustInvoke(t, p, "GET /v1/orders", "", param("ids", "1", "ids", "2", "tag", "a", "tag", "b", "page", "1"))
	got, _ := s.request()
	if got.RequestURI != "/v1/orders?ids=1%7C2&tag=a&tag=b&page=1&api_key=hunter2" {
		t.Errorf("sent %s", got.RequestURI)
	}
	if diff := cmp.Diff([]string{"body: it is of type object, not array"}, violationsOf(resp)); diff != "" {
		t.Error(diff)
	}
	_, err := invoke(t, p, "GET /v1/orders", "", param("page", "0"))
	wantError(t, err, probes.ErrUsage, "query/page: it is less than 1")
	_, err = invoke(t, p, "POST /v1/orders", "")
	wantError(t, err, probes.ErrUsage, "body: it is required")
	mustInvoke(t, p, "POST /v1/login", `{"user":"ann"}`)
	if got, body := s.request(); body != "user=ann" || got.Header.Get("Content-Type") != formType {
		t.Errorf("sent %s", body)
	}
}
