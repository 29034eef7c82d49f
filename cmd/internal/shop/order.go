package shop

import (
	"bytes"
	"strconv"
	"time"
)

// The shop's own types. Their JSON is at once what the HTTP API and Kafka
// carry and what protojson maps to and from the messages of orders.proto.

// Cents is an amount in the smallest unit of its currency. It also reads the
// quoted numbers that protojson writes for an int64.
type Cents int64

// UnmarshalJSON reads 1250 and "1250".
func (c *Cents) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	*c = Cents(n)
	return err
}

type money struct {
	Cents    Cents  `json:"cents"`
	Currency string `json:"currency"`
}

type line struct {
	SKU       string `json:"sku"`
	Quantity  int32  `json:"quantity"`
	UnitPrice *money `json:"unit_price,omitempty"`
}

type order struct {
	ID        string            `json:"id"`
	Customer  string            `json:"customer"`
	Tenant    string            `json:"tenant"`
	Lines     []line            `json:"lines"`
	Total     *money            `json:"total,omitempty"`
	Card      string            `json:"card,omitempty"`
	Note      string            `json:"note,omitempty"`
	Status    string            `json:"status,omitempty"`
	CreatedAt time.Time         `json:"created_at,omitzero"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// The statuses, named as in orders.proto.
const (
	statusPaid     = "PAID"
	statusDeclined = "DECLINED"
	statusImported = "IMPORTED"
)

// capture is the message of the topic payments.captured.
type capture struct {
	ID         string    `json:"id"`
	OrderID    string    `json:"order_id"`
	Customer   string    `json:"customer"`
	Amount     *money    `json:"amount"`
	CapturedAt time.Time `json:"captured_at"`
}
