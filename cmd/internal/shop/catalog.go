package shop

import (
	"strings"
	"sync"
)

const currency = "EUR"

type product struct {
	SKU   string
	Name  string
	Price Cents
	Tags  []string
}

// restock is what a shelf holds when it has just been filled.
const restock = 500

// products is what the shop sells, in the order it is listed.
var products = []product{
	{"MUG-01", "Stoneware mug, 300 ml", 1490, []string{"kitchen"}},
	{"MUG-02", "Espresso cup, 80 ml", 990, []string{"kitchen"}},
	{"TEE-S", "T-shirt, small", 2500, []string{"clothes"}},
	{"TEE-M", "T-shirt, medium", 2500, []string{"clothes"}},
	{"TEE-L", "T-shirt, large", 2500, []string{"clothes"}},
	{"CAP-01", "Canvas cap", 1800, []string{"clothes"}},
	{"BAG-01", "Tote bag", 1200, []string{"clothes", "travel"}},
	{"LAMP-07", "Desk lamp, brass", 8900, []string{"home"}},
	{"POST-11", "Poster: oscilloscope, A2", 1900, []string{"home", "print"}},
	{"BOOK-42", "Notebook, dotted", 1350, []string{"print"}},
	{"PEN-03", "Fountain pen", 4200, []string{"print"}},
	{"KEY-09", "Keyboard, 60 %", 12900, []string{"home"}},
}

func findProduct(sku string) (product, bool) {
	for _, p := range products {
		if strings.EqualFold(p.SKU, sku) {
			return p, true
		}
	}
	return product{}, false
}

// warehouse counts what is on the shelves. An empty shelf is filled again, so
// that the shop can run for days.
type warehouse struct {
	mu    sync.Mutex
	taken map[string]int64
}

func newWarehouse() *warehouse { return &warehouse{taken: map[string]int64{}} }

func (w *warehouse) take(lines []line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range lines {
		w.taken[l.SKU] += int64(l.Quantity)
	}
}

func (w *warehouse) stock(sku string) int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int32(restock - w.taken[sku]%restock)
}
