// The chain from a product to a subscription and back, by Stripe's package for Go.
// client URL prints what it found as JSON; tests/clients/test_stripe_go.py compares it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/stripe/stripe-go/v85"
)

func check[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func refusal[T any](_ T, err error) []any {
	var found *stripe.Error
	if !errors.As(err, &found) {
		return nil
	}
	return []any{found.HTTPStatusCode, string(found.Code), found.Param}
}

func main() {
	url, ctx := os.Args[1], context.Background()
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String(url),
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	client := stripe.NewClient("sk_test_emulator", stripe.WithBackends(backends))

	meter := check(client.V1BillingMeters.Create(ctx, &stripe.BillingMeterCreateParams{
		DisplayName: stripe.String("Calls"),
		EventName:   stripe.String("calls"),
		DefaultAggregation: &stripe.BillingMeterCreateDefaultAggregationParams{
			Formula: stripe.String("sum"),
		},
	}))
	product := check(client.V1Products.Create(ctx, &stripe.ProductCreateParams{
		Name:     stripe.String("Calls"),
		Metadata: map[string]string{"team": "billing"},
	}))
	asked := &stripe.PriceCreateParams{
		Product:       stripe.String(product.ID),
		Currency:      stripe.String("usd"),
		BillingScheme: stripe.String("tiered"),
		TiersMode:     stripe.String("graduated"),
		Tiers: []*stripe.PriceCreateTierParams{
			{UpTo: stripe.Int64(100), UnitAmount: stripe.Int64(5)},
			{UpToInf: stripe.Bool(true), UnitAmount: stripe.Int64(3)},
		},
		Recurring: &stripe.PriceCreateRecurringParams{
			Interval:  stripe.String("month"),
			UsageType: stripe.String("metered"),
			Meter:     stripe.String(meter.ID),
		},
	}
	asked.AddExpand("tiers")
	price := check(client.V1Prices.Create(ctx, asked))
	customer := check(client.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		Email: stripe.String("jenny@example.com"),
	}))
	subscribe := &stripe.SubscriptionCreateParams{
		Customer: stripe.String(customer.ID),
		Items:    []*stripe.SubscriptionCreateItemParams{{Price: stripe.String(price.ID)}},
	}
	subscribe.AddExpand("customer")
	subscribe.AddExpand("items.data.price.product")
	subscription := check(client.V1Subscriptions.Create(ctx, subscribe))
	check(client.V1BillingMeterEvents.Create(ctx, &stripe.BillingMeterEventCreateParams{
		EventName: stripe.String("calls"),
		Payload:   map[string]string{"stripe_customer_id": customer.ID, "value": "7"},
	}))
	alert := check(client.V1BillingAlerts.Create(ctx, &stripe.BillingAlertCreateParams{
		AlertType: stripe.String("usage_threshold"),
		Title:     stripe.String("Many"),
		UsageThreshold: &stripe.BillingAlertCreateUsageThresholdParams{
			GTE:        stripe.Int64(5),
			Meter:      stripe.String(meter.ID),
			Recurrence: stripe.String("one_time"),
		},
	}))
	refusals := map[string][]any{
		"price": refusal(client.V1Prices.Retrieve(ctx, "price_no", nil)),
		"item": refusal(client.V1Subscriptions.Create(ctx, &stripe.SubscriptionCreateParams{
			Customer: stripe.String(customer.ID),
			Items:    []*stripe.SubscriptionCreateItemParams{{Price: stripe.String("price_no")}},
		})),
	}
	using := 0
	list := &stripe.SubscriptionListParams{Price: stripe.String(price.ID)}
	for each, err := range client.V1Subscriptions.List(ctx, list).All(ctx) {
		check(each, err)
		using++
	}
	canceled := check(client.V1Subscriptions.Cancel(ctx, subscription.ID, nil))
	deleted := check(client.V1Customers.Delete(ctx, customer.ID, nil))
	item := subscription.Items.Data[0]
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"tiers":    len(price.Tiers),
		"expanded": []any{subscription.Customer.Email, item.Price.Product.Name},
		"statuses": []any{subscription.Status, canceled.Status, alert.Status},
		"using":    using,
		"deleted":  deleted.Deleted,
		"refusals": refusals,
	})
}
