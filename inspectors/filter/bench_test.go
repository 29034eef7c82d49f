package filter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"iscope/probes"
)

// kilobyte is a record with an order of about 1 KB.
func kilobyte() *probes.Record {
	var lines strings.Builder
	for i := range 7 {
		fmt.Fprintf(&lines, `{"sku":"TEE-%d","quantity":%d,"price":{"amount":%d.50,"currency":"EUR"},"gift":false},`, i, i+1, i*10)
	}
	r := placed()
	r.Body = fmt.Appendf(nil, `{"id":"ord-10604","customer":"cust-0007","tenant":"us","lines":[%s],"total":{"amount":251.50,"currency":"EUR"},`+
		`"created":"2026-11-22T14:03:00Z","shipping":{"name":"Robert Miller","street":"12 Long Street","city":"Springfield","zip":"12345"},`+
		`"paid":true,"version":9007199254740993,"channel":"web","comment":"please leave the parcel with the neighbour at number 14"}`,
		strings.TrimSuffix(lines.String(), ","))
	return r
}

func BenchmarkMatch(b *testing.B) {
	r := kilobyte()
	if !json.Valid(r.Body) {
		b.Fatal("not JSON")
	}
	for _, c := range []struct {
		name, source string
		want         bool
	}{
		{"word-miss", `nobody`, false},
		{"word-hit", `springfield`, true},
		{"three-words-hit", `neighbour eur miller`, true},
		{"attribute-miss", `partition == 3`, false},
		{"attribute-hit", `partition == 2`, true},
		{"header-hit", `header("x-tenant") == "eu"`, true},
		{"raw-miss", `raw contains "nobody"`, false},
		{"regexp-miss", `raw matches "nob[oa]dy"`, false},
		{"path-ruled-out-by-value", `body.shipping.name == "Bob"`, false},
		{"path-ruled-out-by-key", `body.refund.amount > 5`, false},
		{"path-miss-read", `body.total.amount > 1000`, false},
		{"path-hit", `body.shipping.name == "Robert Miller"`, true},
		{"four-paths-hit", `body.total.amount > 100 and body.paid and body.shipping.zip == "12345" and body.lines[2].quantity == 3`, true},
		{"any-hit", `any(body.lines, .price.amount > 55)`, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, err := Compile(c.source)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(r.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := f.Match(bg, r); ok != c.want || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, source := range []string{`bob eur`, `body.total.amount > 100 and body.paid and body.shipping.zip == "12345"`} {
		b.Run(source[:4], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
