// The chain from a product to a sum of usage, by Stripe's package for Node.js.
// `node chain.js PORT` prints what it found as JSON; test_chain.py compares it.

"use strict";

const Stripe = require("stripe");

const address = { host: "127.0.0.1", port: Number(process.argv[2]), protocol: "http" };
const connect = (key) => new Stripe(key, { ...address, maxNetworkRetries: 0, telemetry: false });
const stripe = connect("sk_test_emulator");
const DAY = 24 * 3600;

const event = (customer, value, more = {}) => ({
  event_name: "searches",
  payload: { stripe_customer_id: customer, value: String(value) },
  ...more,
});

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return [error.statusCode, error.code ?? null];
  }
  return null;
}

async function collect(list) {
  const found = [];
  for await (const each of list) found.push(each);
  return found;
}

async function subscribe() {
  const meter = await stripe.billing.meters.create({
    event_name: "searches",
    display_name: "Searches",
    default_aggregation: { formula: "sum" },
  });
  const product = await stripe.products.create({ name: "Search" });
  const price = await stripe.prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: 2,
    recurring: { interval: "month", usage_type: "metered", meter: meter.id },
  });
  const ada = await stripe.customers.create({ name: "Ada" });
  const bob = await stripe.customers.create({ name: "Bob" });
  const subscriptions = [];
  for (const customer of [ada.id, bob.id]) {
    subscriptions.push(await stripe.subscriptions.create({ customer, items: [{ price: price.id }] }));
  }
  return { meter, price, ada: ada.id, bob: bob.id, subscriptions };
}

async function use({ ada, bob }) {
  const { meterEvents, meterEventSession } = stripe.v2.billing;
  await stripe.billing.meterEvents.create(event(ada, 5, { identifier: "a" }));
  await stripe.billing.meterEvents.create(event(bob, 40));
  await meterEvents.create(event(ada, 7));
  await meterEvents.create(event(ada, 100, { identifier: "b" }));
  const cancel = { event_name: "searches", type: "cancel", cancel: { identifier: "b" } };
  await stripe.v2.billing.meterEventAdjustments.create(cancel);
  const session = await meterEventSession.create();
  const stream = connect(session.authentication_token).v2.billing.meterEventStream;
  await stream.create({ events: [event(ada, 1), event(bob, 2), event(bob, "many")] });
}

async function misuse({ ada }) {
  const { meterEvents, meterEventAdjustments } = stripe.v2.billing;
  const none = { stripe_customer_id: ada };
  await stripe.billing.meterEvents.create(event("cus_nobody", 1));
  await stripe.billing.meterEvents.create(event(ada, 1, { event_name: "nothing" }));
  const unknown = { event_name: "searches", type: "cancel", cancel: { identifier: "z" } };
  return {
    repeated_v1: await refusal(() =>
      stripe.billing.meterEvents.create(event(ada, 5, { identifier: "a" })),
    ),
    repeated: await refusal(() => meterEvents.create(event(ada, 5, { identifier: "a" }))),
    no_meter: await refusal(() => meterEvents.create(event(ada, 1, { event_name: "nothing" }))),
    no_customer: await refusal(() => meterEvents.create(event(ada, 1, { payload: { value: "1" } }))),
    no_value: await refusal(() => meterEvents.create(event(ada, 1, { payload: none }))),
    invalid_value: await refusal(() => meterEvents.create(event(ada, "1.5"))),
    cancellation: await refusal(() => meterEventAdjustments.create(unknown)),
  };
}

async function read({ meter, price, ada, bob, subscriptions }) {
  const now = Math.floor(Date.now() / 1000);
  const start = Math.floor(now / DAY) * DAY - DAY;
  const sums = {};
  for (const [name, customer] of Object.entries({ ada, bob })) {
    const period = { customer, start_time: start, end_time: start + 3 * DAY };
    const found = await collect(stripe.billing.meters.listEventSummaries(meter.id, period));
    sums[name] = found.map((each) => each.aggregated_value);
  }
  const types = ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"];
  const reports = await collect(stripe.v2.core.events.list({ types, limit: 1 }));
  const using = await collect(stripe.subscriptions.list({ price: price.id }));
  return {
    sums,
    reports: reports.flatMap((each) => each.data.reason.error_types.map((kind) => kind.code)),
    of_the_meter: reports.filter((each) => each.related_object?.id === meter.id).length,
    price_on_the_meter: price.recurring.meter === meter.id,
    subscriptions: subscriptions.map((each) => each.status),
    using_the_price: using.length,
  };
}

async function main() {
  const world = await subscribe();
  await use(world);
  const refusals = await misuse(world);
  const found = await read(world);
  await stripe.billing.meters.deactivate(world.meter.id);
  refusals.archived = await refusal(() =>
    stripe.v2.billing.meterEvents.create(event(world.ada, 1)),
  );
  console.log(JSON.stringify({ ...found, refusals }));
}

main();
