"""Rules D: what an audit of an account can find."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

INACTIVE = Rule(
    "D001",
    "declared active, but inactive",
    "The files want the meter to run, and somebody has stopped it. Usage sent to it since then is "
    "refused and lost; Stripe keeps none of it for later.",
    "reactivate the meter (`reconciler apply`), then send the usage again: an event may be dated "
    "back 35 days, unless its invoice has been finalised before",
)
MISSING = Rule(
    "D002",
    "declared active, but missing",
    "The account has no meter with the declared settings under this name, so usage sent to the "
    "name counts nowhere.",
    "create the meter: `reconciler apply`",
)
PRICE_ON_INACTIVE = Rule(
    "D003",
    "an active price bills on an inactive meter",
    "Subscriptions on the price go on, but no usage is counted for them: they are billed for "
    "nothing, or too little.",
    "move the subscriptions and archive the price, or reactivate the meter, or consent with "
    "accepts: {active_prices: [...]}",
)
DIFFERS = Rule(
    "D004",
    "an immutable field differs",
    "The active meter aggregates, maps or reads usage otherwise than the files say. Stripe never "
    "changes these fields of a meter.",
    "declare what the account has, or consent to another meter in its place with `retires`",
)
TWO_ACTIVE = Rule(
    "D005",
    "two active meters of one name",
    "Stripe allows one active meter for an event_name. Which of several counts usage is not known.",
    "deactivate the one that no price needs",
)
PRICE_ON_UNDECLARED = Rule(
    "D006",
    "an active price bills on an undeclared meter",
    "Customers are billed by a meter that no file describes, so no review has seen it and no plan "
    "protects it.",
    "declare the meter",
)
RENAMED = Rule(
    "D007",
    "the display_name differs",
    "Somebody renamed the meter, or the files did and were not applied. Billing is not affected.",
    "`reconciler apply`, or declare the name that the account has",
    Level.WARNING,
)
RUNNING = Rule(
    "D008",
    "declared inactive, but active",
    "The files retire the meter, and it still counts usage.",
    "`reconciler apply`, or declare the meter active",
    Level.WARNING,
)
UNMANAGED = Rule(
    "D009",
    "active, and no file declares it",
    "The meter was made outside of these files, or its declaration was removed. No price that "
    "could be read bills on it.",
    "declare it, deactivate it, or let the project file `ignore` it until a date",
    Level.WARNING,
)
EXEMPTION_EXPIRED = Rule(
    "D010",
    "an exemption has run out",
    "An entry under `ignore` in the project file holds until its date; from then on what it "
    "covered counts again. It counts as a finding of its own, so that nobody forgets it.",
    "settle what it covered and remove the entry, or renew its date in a reviewed change",
    Level.WARNING,
    effect=Effect.FINDING,
)
PRICES_UNREADABLE = Rule(
    "D101",
    "the key may not read prices",
    "Without prices the audit cannot tell whether anybody is billed by an inactive or an "
    "undeclared meter, so it cannot say that all is well.",
    "give the restricted key the permission to read prices (plan_read)",
)
EVENTS_UNREADABLE = Rule(
    "D102",
    "the key may not read events",
    "What was found stands, but the events that would tell who did it, and when, are missing.",
    "give the restricted key the permission to read events (event_read)",
    Level.WARNING,
)
