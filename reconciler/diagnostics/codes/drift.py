"""Rules D: findings of `drift`."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

INACTIVE = Rule(
    "D001",
    "declared active, but inactive",
    "The files declare the meter active, but it was deactivated. Usage sent to it since then "
    "was rejected and is not recorded later.",
    "reactivate the meter with `reconciler apply`, then re-send the usage: events up to 35 "
    "days old are accepted until the invoice for their period is finalized",
)
MISSING = Rule(
    "D002",
    "declared active, but missing",
    "The account has no meter with the declared settings for this event_name, so usage sent to it "
    "is not recorded.",
    "create the meter with `reconciler apply`; where inactive meters have the event_name, declare "
    "the settings of one to reactivate it: they may hold the event_name",
)
PRICE_ON_INACTIVE = Rule(
    "D003",
    "a price in use is on an inactive meter",
    "Subscriptions to the price continue, but no usage is recorded for them, so customers are"
    " undercharged. A price is in use if it is active, or archived with a subscription that is "
    "not canceled.",
    "reactivate the meter, or move the subscriptions and archive the price, or consent with "
    "accepts: {prices: [...]}",
)
DIFFERS = Rule(
    "D004",
    "an immutable field differs",
    "The active meter aggregates usage or reads the event payload differently from its "
    "declaration. These fields cannot be updated.",
    "declare the settings of the existing meter, or consent to replacing it with `retires`",
)
TWO_ACTIVE = Rule(
    "D005",
    "two active meters have one event_name",
    "Stripe allows one active meter per event_name. Which of the two records usage is unknown.",
    "deactivate the one that no price uses",
)
PRICE_ON_UNDECLARED = Rule(
    "D006",
    "a price in use is on an undeclared meter",
    "Customers are billed by a meter that no file declares, so changes to it are not reviewed.",
    "declare the meter",
)
RENAMED = Rule(
    "D007",
    "the display_name differs",
    "The display_name was changed outside this project, or a change to the files was not "
    "applied. Billing is not affected.",
    "run `reconciler apply`, or declare the display_name of the existing meter",
    Level.WARNING,
)
RUNNING = Rule(
    "D008",
    "declared inactive, but active",
    "The files declare the meter inactive, but it still records usage.",
    "declare the meter active, or run `reconciler apply` to deactivate it",
    Level.WARNING,
)
UNMANAGED = Rule(
    "D009",
    "active, and no file declares it",
    "The meter was created outside this project, or its declaration was removed. No price "
    "that the key can read uses it.",
    "declare it, deactivate it, or exempt it until a date with `ignore` in the project file",
    Level.WARNING,
)
EXEMPTION_EXPIRED = Rule(
    "D010",
    "an exemption has expired",
    "An entry under `ignore` in the project file applies until its date. After that, the "
    "findings that it covered count again, and the entry is a finding itself.",
    "fix the findings and remove the entry, or extend its date in a reviewed change",
    Level.WARNING,
    effect=Effect.FINDING,
)
UNKNOWN_STATUS = Rule(
    "D011",
    "a meter has a status that this version does not know",
    "Stripe may add statuses. Whether such a meter records usage is unknown, and reconciler does "
    "not change it.",
    "see the meter in the Dashboard; upgrade reconciler",
)
PRICE_MISSING = Rule(
    "D012",
    "an expected price is missing",
    "The declaration lists the lookup key of a price under `prices`. No active price has it, so "
    "customers cannot subscribe to what the price list promises.",
    "create the price on the meter with this lookup key, or make the archived one active again; or "
    "correct `prices`",
)
PRICE_ON_OTHER_METER = Rule(
    "D013",
    "an expected price is not on the meter",
    "The declaration lists the lookup key of a price under `prices`. The price is on another "
    "meter, or on none, so it does not bill the usage of this meter. The meter of a price cannot "
    "be changed.",
    "create a price on the meter with `transfer_lookup_key`, and move the subscriptions to it; or "
    "correct `prices`",
)
NO_PRICE = Rule(
    "D014",
    "no price uses the meter, although one is required",
    "The declaration has `prices: required`. Usage of a meter without prices is recorded and not "
    "billed. Inline prices of subscriptions are in no list: a meter that only they use has none.",
    "create a price on the meter, or declare `prices: none`",
)
UNEXPECTED_PRICE = Rule(
    "D015",
    "a price uses the meter, although none is expected",
    "The declaration has `prices: none`, and customers can be billed by the meter.",
    "declare the price under `prices`, or move its subscriptions and archive it",
)
USAGE_REJECTED = Rule(
    "D016",
    "Stripe rejected usage of the meter",
    "Applications sent usage events of this event_name, and Stripe did not count them: the meter "
    "was inactive, or the events lack what the meter needs. The code says which. Rejected usage is "
    "not billed unless it is sent again.",
    "correct the meter or the application, then send the events again: they may be up to 35 days "
    "old, until the invoice of their period is finalized",
)
USAGE_WITHOUT_METER = Rule(
    "D017",
    "usage was sent under an event_name that no meter has",
    "Stripe rejected usage events because no meter has their event_name. Its reports do not say "
    "which event_name that was. Where the policy has `owns`, other projects share the account, and "
    "this is a warning only.",
    "look for the identifiers in the logs of the applications; correct the event_name there, or "
    "declare the meter, then send the events again: they may be up to 35 days old",
    effect=Effect.LOST_USAGE,
)
ZERO_USAGE = Rule(
    "D018",
    "the usage of sampled customers comes to 0",
    "Customers have subscriptions to prices of the meter. `drift --sample-usage` read the usage of "
    "some of them: Stripe recorded events, and they come to 0. Either all values are 0, or the "
    "events lack the value key of the meter. It is a suspicion: other customers were not read.",
    "compare the value key of the meter with the payload that the application sends",
)
NO_USAGE = Rule(
    "D019",
    "sampled customers have no usage",
    "Customers have subscriptions to prices of the meter. `drift --sample-usage` read the usage of "
    "some of them: there is none. Either they used nothing, or events are not sent, have another "
    "event_name, or lack the customer key of the meter. It is a suspicion: others were not "
    "read.",
    "compare the event_name and the customer key of the meter with what the application sends",
    Level.WARNING,
)
USAGE_SAMPLED = Rule(
    "D020",
    "the usage of some customers was sampled",
    "`drift --sample-usage` reads the usage of some customers of each meter, one after the other "
    "until one has some. It can raise a suspicion; it cannot show that all usage arrives.",
    "raise N, up to 100, to sample more customers; what is not sampled is not known",
    Level.INFO,
    effect=Effect.SAMPLE,
)
PRICES_UNREADABLE = Rule(
    "D101",
    "API key may not read prices",
    "Without prices, `drift` cannot tell whether customers are billed by an inactive or an "
    "undeclared meter.",
    "give the restricted key the permission to read prices (plan_read)",
    effect=Effect.DENIED,
)
EVENTS_UNREADABLE = Rule(
    "D102",
    "API key may not read events",
    "The findings are complete, but not who caused the differences, and when.",
    "give the restricted key the permission to read events (event_read)",
    Level.WARNING,
)
USAGE_UNREADABLE = Rule(
    "D104",
    "API key may not read reports of rejected usage",
    "The findings are complete, except for usage that Stripe rejected: whether there was any is "
    "not known.",
    "give the restricted key the permission to read events (event_read), or set "
    "`policy.usage_window: 0`",
    Level.WARNING,
)
SAMPLE_UNREADABLE = Rule(
    "D107",
    "API key may not read what a sample of usage needs",
    "The findings are complete, except for the sample of usage: whether the meters get any usage "
    "is not known.",
    "give the restricted key the permissions to read prices (plan_read), subscriptions "
    "(subscription_read) and meter events (billing_meter_event_read), or leave out --sample-usage",
    Level.WARNING,
)
SUBSCRIPTIONS_UNREADABLE = Rule(
    "D103",
    "API key may not read subscriptions",
    "An archived price is in use as long as a subscription to it is left. Where the key may not "
    "read subscriptions, every archived price counts as in use.",
    "give the restricted key the permission to read subscriptions (subscription_read)",
    Level.WARNING,
)
