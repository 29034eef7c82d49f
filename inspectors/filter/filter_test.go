package filter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"iscope/probes"
)

// placed is a record as a shop's Kafka topic has them.
func placed() *probes.Record {
	return &probes.Record{
		ID: "2/918231", Call: "c1", Kind: probes.Message, Source: probes.Ref{Target: "shop-kafka", Subject: "orders.created"},
		Time: time.Date(2026, 11, 22, 14, 3, 0, 5e8, time.UTC), Seen: time.Date(2026, 11, 22, 14, 3, 2, 0, time.UTC),
		Key: []byte("42"), Schema: "orders-value",
		Header: []probes.Field{{Name: "X-Tenant", Value: []byte("eu")}, {Name: "retries", Value: []byte("3")}, {Name: "retries", Value: []byte("4")}, {Name: "flag"}},
		Attrs:  []probes.Attr{{Name: probes.AttrPartition, Value: "2"}, {Name: probes.AttrOffset, Value: "918231"}, {Name: "x.odd", Value: "Odd"}},
		Body: []byte(`{"id": 9007199254740993, "name": "bob", "note": "say \"hi\" t\u00f6\/m", "paid": true, "gone": null,
 "order": {"total": 120.50, "currency": "EUR"}, "tags": ["new", "vip", 7], "items": [{"sku": "A-1", "price": 5}, {"sku": "B-2", "price": 15.5}],
 "text": "42", "num": 42, "big": 18446744073709551615, "created": "2026-11-22T14:02:00Z", "took": "1.5s", "odd-name": 1, "0": "zero", "empty": [], "one": {"sku": "A-1"}}`),
	}
}

// ended is the end of an HTTP call.
func ended() *probes.Record {
	return &probes.Record{Kind: probes.End, Source: probes.Ref{Target: "shop-api", Subject: "GET /orders"}, Err: "Internal Server Error",
		Attrs: []probes.Attr{{Name: probes.AttrHTTPStatus, Value: "500"}, {Name: probes.AttrStatus, Value: "500 Internal Server Error"},
			{Name: probes.AttrURL, Value: "http://127.0.0.1:8080/orders?page=2"}, {Name: probes.TimingTotal, Value: "251.7"}}}
}

var bg = context.Background()

// verdictOf compiles and judges, by both ways, with and without the prefilter.
func verdictOf(t *testing.T, source string, r *probes.Record) verdict {
	t.Helper()
	f, err := Compile(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	var out [2]verdict
	for i, sample := range []bool{true, false} {
		ok, err := f.match(bg, r, nil, sample)
		if out[i] = truth(ok); err != nil {
			out[i] = unsure
		}
	}
	if out[0] != out[1] {
		t.Errorf("%s: %v in full, %v with the prefilter", source, out[0], out[1])
	}
	return out[0]
}

func TestExpressions(t *testing.T) {
	r, e := placed(), ended()
	for _, tc := range []struct {
		r     *probes.Record
		holds string // expressions, one a line
		not   string
		fault string
	}{{r: r,
		holds: `kind == "message"
kind in ["message", "event"]
target == "shop-kafka" and subject startsWith "orders"
key == "42"
key == 42
key > 41
id == "2/918231"
call == "c1"
size > 100
size > 100 && size < 1000
100 < size < 1000
err == nil
cut == 0
schema endsWith "-value"
partition == 2
partition == "2"
offset > 918230
offset >= 918231
kafka.offset == 918231
attrs["kafka.offset"] == 918231
attrs["offset"] == 918231
attrs["x.odd"] == "Odd"
"x.odd" in attrs
any(attrs, .name == "x.odd" && .value contains "dd")
header("x-tenant") == "eu"
headers["x-tenant"] == "eu"
headers.retries == 3
header("retries") == "3"
any(headers, .name == "retries" && .value == "4")
"X-TENANT" in headers
header("flag") == ""
len(headers) == 4
time < at("2026-11-22T14:03:01Z")
time == at("2026-11-22T14:03:00.5Z")
time > "2026-11-22T14:00:00Z"
seen - time > "1s"
seen - time > duration("1s")
seen - time == duration("1500ms")
time + duration("2s") > seen
time < ago("1ms") or time > ago("1ms")
body.name == "bob"
body["name"] == "bob"
body?.name == "bob"
body.name != "al"
body.missing != "al"
body.missing == nil
body.gone == nil
body.name != nil
not (body.name == "al")
!(body.name == "al")
body.order.total > 100
body.order.total == 120.5
body.order.total >= 120.50 and body.order.currency == "EUR"
body.items[0].sku == "A-1"
body.items[-1].sku == "B-2"
body.items[1].price > 15
body.tags[-1] == 7
"vip" in body.tags
7 in body.tags
body.name in ["al", "bob"]
body.name not in ["al"]
body.tags contains "vip"
body.order contains "total"
"total" in body.order
any(body.items, .price > 10)
any(body.items, .sku startsWith "B")
any(body.tags, # == "vip")
all(body.items, .price > 1)
all(body.empty, .x == 1)
none(body.items, .price > 100)
not any(body.items, .price > 100)
none(body.missing, .x == 1)
any(body.one, # == "A-1")
any(body.name, # == "bob")
count(body.items, .price > 1) == 2
count(body.items) == 2
len(body.items) == 2
len(body.name) == 3
len(body.order) == 2
any(body.items, any(body.tags, # == "vip") and .price > 10)
body.paid
body.paid == true
not body.gone
(body.id == 1) == false
body.id == 9007199254740993
body.id > 9007199254740992
body.id != 9007199254740992
body.id < 9007199254740993.5
body.big > 9223372036854775807
body.big == body.big
body.big > 1.8e19
body.text == "42"
text(body.num) == "42"
number(body.text) == 42
body.num == 42.0
body.num + 1 == 43
body.num * 2 > 83
body.num % 5 == 2
body.num / 4 == 10.5
-body.num == -42
body.missing + 1 == nil
lower(body.order.currency) == "eur"
upper(body.name) == "BOB"
body.note == "say \"hi\" tö/m"
body.note contains "\"hi\""
body.created > at("2026-11-22T14:01:00Z")
body.created < time
body.took > duration("1s")
body["odd-name"] == 1
body["0"] == "zero"
raw contains "bob"
raw matches "\"na(m|n)e\""
raw matches "(?i)BOB"
body.name matches "^b.b$"
body.num contains "4"
body.tags == ["new", "vip", 7]
= true
= not false
= body.paid
=body.name == "bob"
body.missing > 5 or body.name == "bob"
body.num > "x" or body.name == "bob"
`,
		not: `kind != "message"
err == "x"
partition == 3
attrs["nothing"] == "x"
header("nothing") == "x"
status == 500
status > 499
status < 501
took > "1s"
body.missing > 5
body.missing < 5
body.missing == "x"
body.missing contains "x"
body.missing startsWith "x"
body.missing matches "x"
body.missing in ["x"]
"x" in body.missing
body.name == 5
body.paid == "yes"
body.tags == "new"
body.order == "x"
body.name contains "al"
all(body.missing, .x == 1)
any(body.missing, .x == 1)
any(body.empty, true)
all(body.items, .price > 10)
any(body.items, .sku == "C-3")
any(body.items, .nothing > 1)
body.items[5].sku == "A-1"
body.items[-5].sku == "A-1"
body.items.sku == "A-1"
body.name.first == "b"
body.order[0] == 1
body[0] == "zero"
body.id == 9007199254740992
body.id < 9007199254740993
body.gone
= false
body.num > "x" and body.name == "al"
body.tags == ["new"]
`,
		fault: `body.name > 5
body.num > "5"
body.text == 42
body.num == "42"
body.num in ["42"]
"7" in body.tags
body.name
body.tags > 1
body.order < 1
body.paid > 1
body.tags startsWith "n"
body.tags matches "n"
"ob" in body.name
lower(body.items) == "x"
number(body.name) > 1
body.name + 1 > 2
body.num / 0 == 1
body.created > duration("1s")
body.name > at("2026-01-01")
body.order == body.order
not (body.name > 5)
body.num > "x" and body.name == "bob"
any(body.tags, # > 9)
len(body.num) > 1
`}, {r: e,
		holds: `status == 500
status == "500"
status >= 500
status in [500, 502]
kind == "end" && took > "250ms"
took > duration("250ms")
url contains "page=2"
attrs["iscope.status"] startsWith "500"
err contains "Internal"
key == nil
time == nil
raw == nil
body.x == nil
iscope.timing.total_ms > 251
`,
		not: `time > ago("5m")
time < ago("5m")
body.x == 1
raw contains "x"
status > "6"
`,
		fault: `status > duration("5s")
`}} {
		for want, list := range map[verdict]string{yes: tc.holds, no: tc.not, unsure: tc.fault} {
			for source := range strings.Lines(list) {
				source = strings.TrimSpace(source)
				if got := verdictOf(t, source, tc.r); got != want {
					t.Errorf("%s: verdict %d, want %d", source, got, want)
				}
			}
		}
	}
}

func TestBodiesThatAreNoDocument(t *testing.T) {
	rec := func(body string, cut int64) *probes.Record {
		return &probes.Record{ID: "7", Source: probes.Ref{Target: "k", Subject: "t"}, Kind: probes.Message, Body: []byte(body), Cut: cut}
	}
	for _, tc := range []struct {
		source string
		r      *probes.Record
		want   verdict
	}{
		{`body.x == 1`, rec(``, 0), no},
		{`body.x == 1`, &probes.Record{}, no},
		{`body.x == 1`, rec(`plain text`, 0), unsure},
		{`body.x == 1`, rec("\x00\x01", 0), unsure},
		{`body.x == 1`, rec(`{"x":1`, 0), unsure},
		{`body.x == 1`, rec(`{"x":1}}`, 0), unsure},
		{`body.x == 1`, rec(`{"x":01}`, 0), unsure},
		{`body.x == 1`, rec(`{"x":1,}`, 0), unsure},
		{`body.x == 1`, rec(` {"x" : 1 } `, 0), yes},
		{`body.x == 1`, rec(`{"x":1,"x":2}`, 0), yes},
		{`body.x == 2`, rec(`{"x":1,"x":2}`, 0), no},
		{`body.x.y == 2`, rec(`{"x":{},"x":{"y":2}}`, 0), no},
		{`body.x == 1`, rec(`{"x":1,"y":"abc`, 9), unsure},
		{`body[1] == 2`, rec(`[1,2]`, 0), yes},
		{`body == 42`, rec(`42`, 0), yes},
		{`body.x == 42`, rec(`42`, 0), unsure},
		{`body.x == 42`, rec(` "x"`, 0), unsure},
		{`body.x == 42`, rec(` null `, 0), no},
		{`body == "x"`, rec(`"x"`, 0), yes},
		{`body.x == 1`, rec(strings.Repeat(`[`, 2_000_000), 0), unsure},
		{`body.a.a == 1`, rec(strings.Repeat(`{"a":`, 2000)+`1`+strings.Repeat(`}`, 2000), 0), unsure},
		{`raw contains "abc"`, rec(`xxabcx`, 5), yes},
		{`raw contains "abcd"`, rec(`xxabc`, 5), unsure},
		{`not (raw contains "abcd")`, rec(`xxabc`, 5), unsure},
		{`raw startsWith "xx"`, rec(`xxabc`, 5), yes},
		{`raw endsWith "abc"`, rec(`xxabc`, 5), unsure},
		{`raw == "xxabc"`, rec(`xxabc`, 5), unsure},
		{`raw matches "a.c"`, rec(`xxabc`, 5), yes},
		{`raw matches "a.c$"`, rec(`xxabc`, 5), unsure},
		{`len(raw) > 2`, rec(`xxabc`, 5), unsure},
		{`size == 10`, rec(`xxabc`, 5), yes},
		{`xxa`, rec(`xxabc`, 5), yes},
		{`missing`, rec(`xxabc`, 5), unsure},
		{`-missing`, rec(`xxabc`, 5), unsure},
	} {
		if got := verdictOf(t, tc.source, tc.r); got != tc.want {
			t.Errorf("%s of %.40q: %d, want %d", tc.source, tc.r.Body, got, tc.want)
		}
	}
}

func TestWords(t *testing.T) {
	r := placed()
	for source, want := range map[string]bool{
		`BOB`:                          true,
		`bob eur`:                      true,
		`bob nobody`:                   false,
		`bob -eur`:                     false,
		`bob -nobody`:                  true,
		`orders.created`:               true,
		`x-tenant`:                     true,
		`EU 42`:                        true,
		`"currency": "EUR"`:            true,
		`"currency": "eur"`:            true,
		`'"currency": "EUR"'`:          true,
		`'"currency":"EUR"'`:           false,
		`"say "hi"`:                    true,
		`'say "hi" TÖ/M'`:              true,
		`"order 42"`:                   false,
		`order 42`:                     true,
		`-"order 42"`:                  true,
		`9007199254740993`:             true,
		`"name"`:                       true,
		`  `:                           true,
		``:                             true,
		`don't`:                        false,
		`in the tags`:                  false,
		`- bob`:                        true,
		`"-" bob`:                      true,
		`"or" eur`:                     true,
		`http://127.0.0.1/x?a=1`:       false,
		`tö/m`:                         true,
		`918231`:                       false,
		`"key contains nothing = "`:    false,
		`total 120.50 body. attrs (x)`: false,
	} {
		if got := verdictOf(t, source, r); got != truth(want) {
			t.Errorf("%s: %v, want %v", source, got, want)
		}
	}
	if verdictOf(t, `page=2 internal`, ended()) != yes {
		t.Error("words do not look at the URL and error of a call")
	}
}

// TestWhatIsAnExpression fixes the reading of what could be either.
func TestWhatIsAnExpression(t *testing.T) {
	v := recordVocabulary()
	for source, want := range map[string]bool{
		`order 42`: false, `status 500`: false, `status == 500`: true, `status=500`: true, `status = 500`: true, `a=b`: false,
		`?a=b&c=d`: false, `error in payment`: false, `key in door`: false, `"x" in body.tags`: true, `"a == b"`: false,
		`'a == b' c`: false, `"a" == b`: true, `raw contains "abc"`: true, `raw contains abc`: true, `it contains nuts`: false,
		`body.paid`: true, `!body.paid`: true, `not body.paid`: true, `body`: false, `any(body.x, .y)`: true, `any (x)`: false,
		`header("x")`: true, `attrs["x"]`: true, `{"id":42}`: false, `"id":42`: false, `550e8400-e29b-41d4`: false, `a && b`: true,
		`a & b`: false, `x->y`: true, `body.`: false, `kind in ["message"]`: true, `key not in ["a"]`: true, `don't say "a > b"`: false,
		`say 'a > b'`: false, `kafka.offset contains "1"`: true, `shop.orders.v1.Orders/GetOrder`: false, `5 in body.list`: true,
	} {
		if got := isExpression(source, v); got != want {
			t.Errorf("%s: expression %v, want %v", source, got, want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, tc := range []struct {
		source  string
		column  int
		message string
		hint    string
	}{
		{`ordr.total > 5`, 1, `no field is called "ordr"`, `body.ordr`},
		{`key == "a" and statsu == 500`, 16, `"statsu"`, "did you mean status"},
		{`status == OK`, 11, `"OK"`, `quotes: "OK"`},
		{`payload contains "x" and key == 1`, 1, `"payload"`, "did you mean raw"},
		{`status = 500`, 8, `did not expect "="`, "write =="},
		{`status=500`, 7, `did not expect`, "write =="},
		{`status == 500 AND key == 1`, 15, `did not expect "AND"`, "lower case: and"},
		{`status ==`, 10, "ends too early", ""},
		{`(status == 500`, 15, "ends too early", ""},
		{`status == 500)`, 14, `did not expect ")"`, ""},
		{`raw contains abc`, 14, `"abc"`, `quotes: "abc"`},
		{`size > "abc"`, 6, "a number and text", ""},
		{`size == nil or size > nil`, 21, "nothing", ""},
		{`time > "yesterdayish"`, 8, "no time", ""},
		{`took > "fast"`, 8, "no duration", ""},
		{`time > ago("5")`, 12, "no duration; try 90s or 5m", ""},
		{`time > ago(5)`, 12, "text in quotes", "ago("},
		{`kind == "massage"`, 9, `never "massage"`, "message"},
		{`kind in ["message", "evnt"]`, 21, `never "evnt"`, "event"},
		{`size in ["a"]`, 10, "never", ""},
		{`"x" in raw`, 8, "needs a list", "contains"},
		{`raw matches "("`, 13, "missing closing", "RE2"},
		{`raw matches key`, 13, "regular expression", ""},
		{`raw matches "(((a{1,100}){1,100}){1,100})"`, 13, "", ""},
		{`anyy(body.x, .y == 1) == true`, 14, "", ""},
		{`lenn(body.x) == 1`, 1, `no function is called "lenn"`, "len"},
		{`now() > time`, 1, `no function is called "now"`, ""},
		{`filter(body.x, .y == 1) == nil`, 1, `no function is called "filter"`, ""},
		{`header(5) == "x"`, 8, "text in quotes", ""},
		{`headers[0] == "x"`, 1, "one name", ""},
		{`key.x == 1`, 1, "has no members", ""},
		{`len == 1`, 1, "len is a function", "len("},
		{`size + "a" > 1`, 6, "+ does not work", ""},
		{`= size`, 3, "not a condition", "!= nil"},
		{`= 1 + 2`, 5, "", ""},
		{`body.x ? true : false || true`, 1, "not part of the filter language", ""},
		{`let x = 1; x == 1`, 5, "not part of", ""},
		{`body.x[1:2] == 1`, 7, "not part of", ""},
		{`body[key] == 1`, 6, "an index is", ""},
		{`body.x in key`, 11, "needs a list", ""},
		{`[body.x] == [1]`, 2, "literals only", ""},
		{`(body.x ?? 1) == 2`, 9, "not part of", ""},
		{`.x == 1`, 1, "", ""},
		{`any(size, # == 1)`, 5, "not a list", ""},
		{`any(body.x)`, 11, "", ""},
		{`len(size) > 1`, 5, "has no length", ""},
		{`any(body.x, #index == 1)`, 13, "#index", ""},
		{`ping or pong`, 6, "joins conditions", `raw contains`},
		{`"unclosed`, 1, "not closed", ""},
		{`a -"unclosed b`, 3, "not closed", ""},
		{"a\xff == 1", 1, "UTF-8", ""},
		{strings.Repeat("a", 5000), 1, "4096", ""},
		{`key == 1` + strings.Repeat(` or key == 1`, 300), 0, "more than 500 parts", ""},
		{`body.x.y() == 1`, 1, "no function", ""},
		{`key == 99999999999999999999`, 0, "integer", ""},
		{`  ordr > 5`, 3, `"ordr"`, ""},
		{` = ordr`, 4, `"ordr"`, ""},
		{`a<b`, 1, `"a"`, `quotes: "a"`},
		{`status in (500, 502)`, 15, `did not expect ","`, "in [1, 2]"},
		{`key in (a, b)`, 10, `did not expect ","`, "in [1, 2]"},
		{`status <> 500`, 9, `did not expect ">"`, "!="},
		{`size > 1kb`, 9, "no number", "took"},
		{`key == "a`, 10, "the quote is not closed", ""},
		{`time > 5`, 6, "a time and a number", "ago("},
		{`took > 5`, 6, "a duration and a number", `"1.5s"`},
		{`headers.x-id == "1"`, 14, "", `headers["x-id"]`},
		{`any(body.items, price > 10)`, 17, `"price"`, "the element is .price"},
		{`raw matches "ord-\d+"`, 19, "escape", "written twice"},
		{`key == "ü" and ordr == 1`, 16, `"ordr"`, ""},
	} {
		_, err := Compile(tc.source)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.60s: %v", tc.source, err)
			continue
		}
		if tc.column > 0 && e.Column != tc.column || !strings.Contains(e.Message, tc.message) || !strings.Contains(e.Hint, tc.hint) {
			t.Errorf("%.60s:\n got  column %d: %s (%s)\n want column %d: %s (%s)", tc.source, e.Column, e.Message, e.Hint, tc.column, tc.message, tc.hint)
		}
		if len(e.Source) < 200 && !strings.Contains(err.Error(), "^") {
			t.Errorf("%s: no caret in %q", tc.source, err)
		}
	}
}

func TestErrorShowsThePlace(t *testing.T) {
	_, err := Compile("key == \"ü\"\tand statsu == 500")
	want := `column 16: no field is called "statsu"
  key == "ü" and statsu == 500
                 ^`
	if err == nil || err.Error() != strings.Replace(want, "                 ^", "                 ^", 1) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = Compile(`key == "` + strings.Repeat("x", 200) + `" and statsu == 500 and ` + strings.Repeat("key == 1 and ", 20) + "true")
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	line, caret := e.Snippet()
	if n := len([]rune(line)); n > 2*around+2 || !strings.HasPrefix(string([]rune(line)[len(caret)-1:]), "statsu") {
		t.Errorf("%d characters\n%s\n%s", n, line, caret)
	}
}

func TestRows(t *testing.T) {
	row := &Row{Kind: "method", Name: "shop.orders.v1.Orders/GetOrder", Target: "shop-orders", Group: "shop.orders.v1.Orders", Effect: "read",
		Doc: "Returns one order.", Attrs: []probes.Attr{{Name: "kafka.cluster.id", Value: "abc"}}}
	for source, want := range map[string]bool{
		`kind == "method" and effect == "read"`: true,
		`effect != "read"`:                      false,
		`name contains "GetOrder"`:              true,
		`group == "shop.orders.v1.Orders"`:      true,
		`doc matches "(?i)ORDER"`:               true,
		`attrs["kafka.cluster.id"] == "abc"`:    true,
		`kafka.cluster.id == "abc"`:             true,
		`health == nil`:                         true,
		`address == "x"`:                        false,
		`getorder returns`:                      true,
		`getorder -returns`:                     false,
		`abc`:                                   true,
		``:                                      true,
	} {
		f, err := CompileRows(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := f.Match(row); err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", source, got, err, want)
		}
	}
	for source, message := range map[string]string{
		`body.x == 1`:        `rows of lists have no "body"`,
		`partition == 1`:     `rows of lists have no "partition"`,
		`header("x") == "1"`: "no function",
		`helth == "ok"`:      "helth",
		`effect == "reed"`:   `never "reed"`,
	} {
		if _, err := CompileRows(source); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v, want %s", source, err, message)
		}
	}
}

func TestStats(t *testing.T) {
	f, err := Compile(`body.order.totl > 5 or body.name > 5 or header("x-none") == "1" or any(body.items, .pirce > 1)`)
	if err != nil {
		t.Fatal(err)
	}
	r := placed()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 100 {
				f.Match(bg, r)
				f.Match(bg, ended())
			}
		})
	}
	wait.Wait()
	s := f.Stats()
	if s.Judged != 800 || s.Failed != 400 || s.Matched != 0 {
		t.Errorf("%+v", s)
	}
	want := "400 of 800 records could not be judged, first: shop-kafka/orders.created 2/918231: body.name > 5: text cannot be compared with a number"
	if got := s.Unjudged("records"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := strings.Join(s.Absent, " "); got != `body.order.totl header("x-none") body.items[].pirce` {
		t.Errorf("absent: %s", got)
	}
	if (&Filter{}).stats.judged.Load() != 0 || (Stats{}).Unjudged("records") != "" {
		t.Error("an account that says something of nothing")
	}
}

// TestAbsentIsNotClaimedOfWhatWasNotLookedAt: a condition that was never
// reached says nothing about its names.
func TestAbsentIsNotClaimedOfWhatWasNotLookedAt(t *testing.T) {
	f, err := Compile(`kind == "event" and body.nothing == 1`)
	if err != nil {
		t.Fatal(err)
	}
	f.Match(bg, placed())
	if s := f.Stats(); len(s.Absent) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestDecoder(t *testing.T) {
	calls := 0
	decode := func(_ context.Context, r *probes.Record) ([]byte, error) {
		calls++
		switch r.Body[1] {
		case 1:
			return []byte(`{"name":"b\u00f6b"}`), nil
		case 2:
			return nil, errors.New("schema 31: not found")
		}
		return nil, nil
	}
	rec := func(b ...byte) *probes.Record { return &probes.Record{Kind: probes.Message, Body: b} }
	f, err := Compile(`kind == "message" and body.name == "böb"`)
	if err != nil {
		t.Fatal(err)
	}
	f = f.Decoding(decode)
	for i, want := range []verdict{no, yes, unsure} {
		ok, err := f.Match(bg, rec(0, byte(i)))
		if got := truth(ok); err != nil && want != unsure || err == nil && got != want {
			t.Errorf("%d: %v %v, want %v", i, ok, err, want)
		}
		if want == unsure && !strings.Contains(err.Error(), "schema 31") {
			t.Errorf("%v", err)
		}
	}
	if calls != 3 {
		t.Errorf("decoded %d times", calls)
	}
	words, _ := Compile(`BÖB`)
	if ok, err := words.Decoding(decode).Match(bg, rec(0, 1)); !ok || err != nil {
		t.Errorf("words do not look into decoded bodies: %v %v", ok, err)
	}
	// Cheap conditions come first, wherever they stand.
	calls = 0
	f, _ = Compile(`body.name == "x" and kind == "event"`)
	f.Decoding(decode).Match(bg, rec(0, 1))
	if calls != 0 {
		t.Error("decoded although the kind ruled it out")
	}
}

// TestTheBudgetEndsListsWithinLists: the work is bounded, and said.
func TestTheBudgetEndsListsWithinLists(t *testing.T) {
	body := `{"a":[` + strings.Repeat("1,", 20000) + `1]}`
	r := &probes.Record{Kind: probes.Message, Body: []byte(body)}
	for _, source := range []string{`any(body.a, any(body.a, any(body.a, # == 2)))`, `any(body.a, raw contains "x")`, `any(body.a, 5 in body.a)`,
		`count(body.a, any(body.a, # == 2)) > 1`} {
		f, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Match(bg, r); err == nil || !strings.Contains(err.Error(), "too much work") {
			t.Errorf("%s: %v", source, err)
		}
	}
	f, err := Compile(`count(body.a, # == 1) > 20000`)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := f.Match(bg, r); !ok || err != nil {
		t.Errorf("a plain list is too much: %v", err)
	}
}
