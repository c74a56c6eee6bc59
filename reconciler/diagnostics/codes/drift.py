"""Codes D: what an audit of an account can find."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

INACTIVE = Rule(
    "D001",
    "declared active, but inactive",
    "The files declare the meter active, and it was deactivated. Usage sent to it since then is "
    "rejected and lost; it is not recorded later.",
    "reactivate the meter (`reconciler apply`), then send the usage again: an event may be dated "
    "back 35 days, unless its invoice was finalized earlier",
)
MISSING = Rule(
    "D002",
    "declared active, but missing",
    "The account has no meter with the declared settings for this event_name, so usage sent to it "
    "is not recorded.",
    "create the meter: `reconciler apply`",
)
PRICE_ON_INACTIVE = Rule(
    "D003",
    "an active price uses an inactive meter",
    "Subscriptions on the price continue, but no usage is recorded for them: they are billed too "
    "little.",
    "reactivate the meter, or move the subscriptions and archive the price, or consent with "
    "accepts: {prices: [...]}",
)
DIFFERS = Rule(
    "D004",
    "an immutable field differs",
    "The active meter aggregates usage, or reads its payload, differently from what the files "
    "declare. These fields of a meter cannot be updated.",
    "declare the settings of the existing meter, or consent to replacing it with `retires`",
)
TWO_ACTIVE = Rule(
    "D005",
    "two active meters have one event_name",
    "Stripe allows one active meter for an event_name. Which of them records usage is unknown.",
    "deactivate the one that no price uses",
)
PRICE_ON_UNDECLARED = Rule(
    "D006",
    "an active price uses an undeclared meter",
    "Customers are billed by a meter that no file declares, so no review covers it and no plan "
    "protects it.",
    "declare the meter",
)
RENAMED = Rule(
    "D007",
    "the display_name differs",
    "The display_name was updated outside of these files, or a change of the files was not "
    "applied. Billing is not affected.",
    "`reconciler apply`, or declare the display_name of the existing meter",
    Level.WARNING,
)
RUNNING = Rule(
    "D008",
    "declared inactive, but active",
    "The files declare the meter inactive, and it still records usage.",
    "declare the meter active, or `reconciler apply`",
    Level.WARNING,
)
UNMANAGED = Rule(
    "D009",
    "active, and no file declares it",
    "The meter was created outside of these files, or its declaration was removed. No price that "
    "could be read uses it.",
    "declare it, deactivate it, or exempt it until a date with `ignore` in the project file",
    Level.WARNING,
)
EXEMPTION_EXPIRED = Rule(
    "D010",
    "an exemption has expired",
    "An entry under `ignore` in the project file applies until its date; after it, the findings "
    "that it covered count again. The expired entry is a finding of its own.",
    "resolve what it covered and remove the entry, or extend its date in a reviewed change",
    Level.WARNING,
    effect=Effect.FINDING,
)
PRICES_UNREADABLE = Rule(
    "D101",
    "API key may not read prices",
    "Without prices the audit cannot tell whether customers are billed by an inactive or an "
    "undeclared meter.",
    "give the restricted key the permission to read prices (plan_read)",
    effect=Effect.DENIED,
)
EVENTS_UNREADABLE = Rule(
    "D102",
    "API key may not read events",
    "The findings are complete, but the events that would tell who caused them, and when, are "
    "missing.",
    "give the restricted key the permission to read events (event_read)",
    Level.WARNING,
)
