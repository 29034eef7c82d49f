package hint

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"iscope/probes"
)

// maxDetailBody is the largest error body that is looked into, in bytes.
const maxDetailBody = 256 << 10

// detail has the fields of all messages of google/rpc/error_details.proto, in
// the JSON form of Protobuf.
type detail struct {
	Type       string            `json:"@type"`
	RetryDelay string            `json:"retryDelay"` // RetryInfo
	Reason     string            `json:"reason"`     // ErrorInfo
	Domain     string            `json:"domain"`
	Metadata   map[string]string `json:"metadata"`
	Violations []struct {        // QuotaFailure, PreconditionFailure
		Type, Subject, Description string
		QuotaMetric                string `json:"quotaMetric"`
		QuotaID                    string `json:"quotaId"`
		QuotaValue                 any    `json:"quotaValue"`
	} `json:"violations"`
	FieldViolations []struct{ Field, Description, Reason string } `json:"fieldViolations"` // BadRequest
	StackEntries    []string                                      `json:"stackEntries"`    // DebugInfo
	Detail          string                                        `json:"detail"`
	RequestID       string                                        `json:"requestId"` // RequestInfo
	ResourceType    string                                        `json:"resourceType"`
	ResourceName    string                                        `json:"resourceName"`
	Description     string                                        `json:"description"`
	Locale, Message string                                        // LocalizedMessage
	Links           []struct{ Description, URL string }           `json:"links"` // Help
}

// failure is a body that tells of a failure: google.rpc.Status, the same inside
// "error" (Google's HTTP APIs), a problem (RFC 9457), GraphQL's errors.
type failure struct {
	Details []json.RawMessage `json:"details"`
	Error   json.RawMessage   `json:"error"`
	Type    any               `json:"type"`
	Title   any               `json:"title"`
	Detail  any               `json:"detail"`
	Errors  json.RawMessage   `json:"errors"`
}

// explainDetails reads what errors carry beside their message.
func explainDetails(c *call) {
	for _, r := range []*probes.Record{c.end, c.last} {
		if r == nil || len(r.Body) == 0 || len(r.Body) > maxDetailBody || r.Body[0] != '{' {
			continue
		}
		if r.Kind == probes.Response && c.httpStatus() < 400 && c.httpStatus() != 200 {
			continue // GraphQL reports errors with 200
		}
		var f failure
		if json.Unmarshal(r.Body, &f) != nil {
			continue
		}
		for _, d := range rpcDetails(&f) {
			c.detail(d)
		}
		c.graphqlErrors(f.Errors)
		if t, ok := r.HeaderValue("Content-Type"); ok && strings.HasPrefix(strings.ToLower(string(t)), "application/problem+json") {
			c.problem(&f)
		}
	}
}

func rpcDetails(f *failure) (out []detail) {
	raw := f.Details
	var inner struct {
		Details []json.RawMessage `json:"details"`
	}
	if json.Unmarshal(f.Error, &inner) == nil {
		raw = append(raw, inner.Details...)
	}
	for _, m := range raw[:min(len(raw), maxItems)] {
		var d detail
		if json.Unmarshal(m, &d) == nil && d.Type != "" {
			out = append(out, d)
		}
	}
	return out
}

func (c *call) detail(d detail) {
	name := d.Type[strings.LastIndexByte(d.Type, '/')+1:]
	h := Hint{Topic: Detail, Source: name}
	switch name {
	case "google.rpc.RetryInfo":
		wait, err := time.ParseDuration(d.RetryDelay)
		h.Topic, h.Wait = Retry, max(wait, 0)
		h.Text = "the server asks to wait " + span(h.Wait) + " before trying again"
		if err != nil || wait <= 0 {
			h.Text = "the server says to try again at once"
		}
	case "google.rpc.ErrorInfo":
		h.Text = "reason " + quote(d.Reason) + " of " + quote(d.Domain) + metadata(d.Metadata)
	case "google.rpc.QuotaFailure":
		h.Topic, h.Text = Limit, "a quota is used up: "+d.violations()
	case "google.rpc.PreconditionFailure":
		h.Text = "something else has to be true first: " + d.violations()
	case "google.rpc.BadRequest":
		h.Text = "fields the server does not accept: " + d.fields()
	case "google.rpc.DebugInfo":
		h.Text = "the server sends debug information with its errors: " + quote(d.Detail)
		if n := len(d.StackEntries); n > 0 {
			h.Text += fmt.Sprintf(", a stack of %s beginning at %s", count(n, "entry"), quote(d.StackEntries[0]))
		}
	case "google.rpc.RequestInfo":
		h.Calm, h.Text = true, "the server knows this request as "+quote(d.RequestID)
	case "google.rpc.ResourceInfo":
		h.Text = "it is about the " + quote(d.ResourceType) + " " + quote(d.ResourceName)
		if d.Description != "" {
			h.Text += ": " + quote(d.Description)
		}
	case "google.rpc.LocalizedMessage":
		h.Text = "for users (" + clip(oneLine(d.Locale), 20) + "): " + quote(d.Message)
	case "google.rpc.Help":
		var links []string
		for _, l := range d.Links[:min(len(d.Links), 3)] {
			links = append(links, quote(l.Description)+" "+clip(oneLine(l.URL), maxQuote))
		}
		h.Calm, h.Text = true, "help: "+strings.Join(links, ", ")
	default:
		return
	}
	c.add(h)
}

func metadata(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	var parts []string
	for k, v := range m {
		parts = append(parts, clip(oneLine(k), 60)+" = "+clip(oneLine(v), 80))
	}
	sort.Strings(parts)
	return " (" + strings.Join(parts[:min(len(parts), 6)], ", ") + ")"
}

func (d *detail) violations() string {
	var parts []string
	for _, v := range d.Violations {
		text := quote(v.Subject)
		if v.Type != "" {
			text = clip(oneLine(v.Type), 60) + " " + text
		}
		if v.QuotaID != "" {
			text += fmt.Sprintf(" (%s = %v)", clip(oneLine(v.QuotaID), 60), clip(fmt.Sprint(v.QuotaValue), 20))
		}
		if v.Description != "" {
			text += ": " + quote(v.Description)
		}
		parts = append(parts, text)
	}
	return some(parts)
}

func (d *detail) fields() string {
	var parts []string
	for _, v := range d.FieldViolations {
		why := v.Description
		if why == "" {
			why = v.Reason
		}
		parts = append(parts, clip(oneLine(v.Field), 80)+": "+quote(why))
	}
	return some(parts)
}

// some joins the first few of a list.
func some(parts []string) string {
	const most = 4
	if len(parts) == 0 {
		return "it does not say which"
	}
	text := strings.Join(parts[:min(len(parts), most)], "; ")
	if n := len(parts) - most; n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return text
}

// problem is RFC 9457's problem details.
func (c *call) problem(f *failure) {
	title, _ := f.Title.(string)
	text, _ := f.Detail.(string)
	if title == "" && text == "" {
		return
	}
	if title != "" && text != "" {
		title += ": "
	}
	h := Hint{Topic: Detail, Source: "problem details (RFC 9457)", Text: "the server explains: " + quote(title+text)}
	if t, _ := f.Type.(string); t != "" && t != "about:blank" {
		h.Text += ", described at " + clip(oneLine(t), maxQuote)
	}
	c.add(h)
}

// graphqlErrors reads the codes that Apollo Server and others put into
// extensions, where they mean more than the message says.
func (c *call) graphqlErrors(raw json.RawMessage) {
	var errs []struct {
		Extensions struct{ Code any } `json:"extensions"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &errs) != nil {
		return
	}
	for _, e := range errs[:min(len(errs), maxItems)] {
		code, _ := e.Extensions.Code.(string)
		text, topic := graphqlMeaning(code)
		if text != "" {
			c.add(Hint{Topic: topic, Source: "errors[].extensions.code " + code, Text: text})
		}
	}
}

func graphqlMeaning(code string) (string, Topic) {
	switch code {
	case "THROTTLED", "RATE_LIMITED", "TOO_MANY_REQUESTS":
		return "the server limits what this caller may ask in a time, often by the cost of the query: ask less at once or wait", Limit
	case "PERSISTED_QUERY_NOT_FOUND":
		return "the server knows no query with this hash: send the query's text once", Status
	case "PERSISTED_QUERY_NOT_SUPPORTED":
		return "the server takes no persisted queries: send the text", Status
	case "PERSISTED_QUERY_REQUIRED", "OPERATION_NOT_FOUND":
		return "the server runs only queries it has been told of before (safelisting)", Security
	case "UNAUTHENTICATED":
		return "the call carried no credentials that the server accepts", Auth
	case "FORBIDDEN":
		return "the caller is known and may not do this", Auth
	case "INTERNAL_SERVER_ERROR":
		return "a resolver failed; what it has not answered is null, the rest of the data counts", Status
	}
	return "", Status
}
