package shop

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// firstOrder is the number before the first planned order's: ord-10001.
const firstOrder = 10000

// checkout is what one customer is going to do. It depends on nothing but the
// seed and the number, so that equal seeds make equal shops however the calls
// interleave.
type checkout struct {
	order   order
	request string // X-Request-Id
	trace   trace
	look    string // article looked up first, "" for none
	reread  bool   // reads the order back afterwards
}

// dice returns the random source for one thing, such as order 17 of a seed.
func dice(seed int64, what string, n int) *rand.Rand {
	key := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d", seed, what, n))
	return rand.New(rand.NewChaCha8(key))
}

func orderID(n int) string { return fmt.Sprintf("ord-%d", firstOrder+n) }

func planCheckout(seed int64, n int) checkout {
	r := dice(seed, "checkout", n)
	who := 1 + r.IntN(60)
	c := checkout{
		order: order{
			ID:       orderID(n),
			Customer: fmt.Sprintf("cust-%04d", who),
			Tenant:   [...]string{"eu", "us", "apac"}[who%3],
			Card:     planCard(r),
			Note:     planNote(r, n),
			Labels:   map[string]string{"channel": [...]string{"web", "app", "till"}[r.IntN(3)]},
		},
		request: fmt.Sprintf("req-%d-%d", seed, n),
		trace:   newTrace(r),
	}
	for range 1 + r.IntN(3) {
		p := products[r.IntN(len(products))]
		c.order.Lines = append(c.order.Lines, line{SKU: p.SKU, Quantity: 1 + int32(r.IntN(3))})
	}
	if r.IntN(3) == 0 {
		c.look = c.order.Lines[0].SKU
	}
	c.reread = r.IntN(5) == 0
	return c
}

// planCard picks a card so that about 2 % are declined, 0.8 % hit a provider
// that is away and 1 % a slow one. The gateway turns away another 1.2 %.
func planCard(r *rand.Rand) string {
	switch p := r.Float64(); {
	case p < 0.020:
		return cardDeclined
	case p < 0.028:
		return cardFlaky
	case p < 0.038:
		return cardSlow
	}
	return [...]string{"tok_visa", "tok_mastercard", "tok_wallet"}[r.IntN(3)]
}

// planNote is mostly empty; some are not plain ASCII, and a few try what a
// terminal must not let them: these arrive escaped within valid JSON.
func planNote(r *rand.Rand, n int) string {
	if n%67 == 31 {
		return "\x1b[31;1mURGENT\x1b[0m \x1b]0;your title is mine\x07 please hurry"
	}
	if r.IntN(12) == 0 {
		notes := [...]string{
			"Bitte beim Nachbarn abgeben, danke 🙏",
			"ギフト包装でお願いします",
			"اتركه عند الباب",
			"Leave it behind the blue door",
		}
		return notes[r.IntN(len(notes))]
	}
	return ""
}

// turnedAway says whether the gateway refuses a request for its own reasons:
// the HTTP status, or 0. The decision follows from the request id, so that it
// is the same in every run.
func turnedAway(seed int64, request string) int {
	if request == "" {
		return 0
	}
	switch p := dice(seed, request, 0).Float64(); {
	case p < 0.007:
		return 429
	case p < 0.012:
		return 503
	}
	return 0
}
