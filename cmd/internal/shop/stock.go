package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const stockQuery = `query Stock($sku: ID!) { product(sku: $sku) { stock } }`

// askStock returns a function that asks the catalogue's GraphQL API at base
// (http://host:port) for the stock of an article.
func askStock(client *http.Client, base string) func(context.Context, string) (int, bool, error) {
	return func(ctx context.Context, sku string) (int, bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		body, err := json.Marshal(map[string]any{
			"query": stockQuery, "operationName": "Stock", "variables": map[string]string{"sku": sku},
		})
		if err != nil {
			return 0, false, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/graphql", bytes.NewReader(body))
		if err != nil {
			return 0, false, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Traceparent", traceFrom(ctx).header())
		res, err := client.Do(req)
		if err != nil {
			return 0, false, fmt.Errorf("asking the catalogue: %w", err)
		}
		defer res.Body.Close()
		var answer struct {
			Data struct {
				Product *struct{ Stock int }
			}
			Errors []struct{ Message string }
		}
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			return 0, false, fmt.Errorf("reading the catalogue's answer (%s): %w", res.Status, err)
		}
		if len(answer.Errors) > 0 {
			return 0, false, fmt.Errorf("asking the catalogue: %s", answer.Errors[0].Message)
		}
		if answer.Data.Product == nil {
			return 0, false, nil
		}
		return answer.Data.Product.Stock, true, nil
	}
}
