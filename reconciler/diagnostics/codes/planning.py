"""Rules P: errors, warnings and notes on the changes of a plan."""

from __future__ import annotations

from ..diagnostic import Effect, Level, Rule

DIFFERS = Rule(
    "P001",
    "immutable field differs",
    "`display_name` is the only field of a meter that can be updated. The declaration differs"
    " from the existing meter in another field, so the change is blocked.",
    "declare the settings of the existing meter, or consent to a replacement with "
    "`retires: [<its id>]`",
)
PRICES_ON_OTHER_METER = Rule(
    "P002",
    "prices in use are on an inactive meter with different settings",
    "The event_name is declared active and has no active meter, but prices in use are on an "
    "inactive one with different settings. Reactivating it would not match the declaration, "
    "and with a new meter these prices would get no usage.",
    "declare the settings of the meter that the prices use, or list it under `retires`",
)
PRICES_ON_SEVERAL_METERS = Rule(
    "P003",
    "prices in use are on several inactive meters of one event_name",
    "Only one meter of an event_name can be active, and a price cannot be moved to another "
    "meter. Whichever meter is reactivated, prices on the others get no usage.",
    "list the meters that are no longer needed under `retires`",
)
TWO_ACTIVE = Rule(
    "P004",
    "several active meters of one event_name",
    "Stripe allows one active meter for an event_name, but the account lists several. None is "
    "chosen automatically.",
    "review them in the Dashboard and deactivate those that no price uses",
)
RETIRED_DIFFERS = Rule(
    "P005",
    "meter to deactivate differs from its declaration",
    "The event_name is declared `inactive`, but the active meter differs from the declaration"
    " in an immutable field, so another meter may be meant.",
    "declare the settings of the existing meter, or list it under `retires`",
)
UNKNOWN_STATUS = Rule(
    "P006",
    "a meter has a status that this version does not know",
    "Stripe may add statuses, and whether such a meter records usage is unknown. No request that "
    "changes a meter of this event_name is sent.",
    "see the meter in the Dashboard; upgrade reconciler",
)
LOOKS_LIKE_RENAME = Rule(
    "P101",
    "new meter looks like a renamed one",
    "A new meter has the same settings as an active, undeclared meter, and a similar event_name or "
    "the same display_name. An event_name cannot be changed: the new meter has no usage, and "
    "prices keep using the old one.",
    "keep the old event_name, or move prices and usage senders to the new one before the old "
    "meter is deactivated",
    Level.WARNING,
)
GAP = Rule(
    "P102",
    "replacement interrupts usage recording",
    "Stripe allows one active meter for an event_name, so the old meter is deactivated before its "
    "successor is active. Usage sent in between is rejected, and prices keep using the old meter.",
    "pause usage senders or re-send rejected usage; create new prices for the new meter",
    Level.WARNING,
)
INACTIVE_METERS = Rule(
    "P103",
    "inactive meters of the same event_name exist",
    "A new meter is created although inactive meters of this event_name exist: none of them has "
    "the declared settings, or the declaration lists them under `retires`.",
    "declare the previous settings, unless they were changed on purpose",
    Level.INFO,
)
PARTIAL = Rule(
    "P104",
    "partial run",
    "The run was limited by PATH or by --only. Undeclared meters were not evaluated: they are "
    "neither reported nor deactivated.",
    "run with the project folder as PATH and without --only for a complete result",
    Level.INFO,
    effect=Effect.SCOPE,
)
INACTIVE_SINCE = Rule(
    "P105",
    "usage sent while the meter was inactive was not recorded",
    "The meter is reactivated. Stripe rejected the usage sent while it was inactive, and accepts "
    "events up to 35 days old, until the invoice for their period is finalized.",
    "re-send the rejected usage after the meter is active",
    Level.WARNING,
)
UNKNOWN_FIELDS = Rule(
    "P107",
    "a meter has fields that this version does not know",
    "Stripe may add fields, and preview versions of its API have more of them, such as "
    "`dimension_payload_keys`. They are shown, but not compared, and a meter that is created in "
    "place of this one would lack them for good.",
    "compare the field in the Dashboard before the meter is replaced; upgrade reconciler",
    Level.WARNING,
)
NO_PRICES = Rule(
    "P108",
    "no prices found of a meter that is deactivated",
    "Stripe lists neither active prices of the meter nor archived ones with subscriptions. Prices "
    "that were created within a subscription (inline prices) are in no list.",
    "look for subscriptions with inline prices on this meter",
    Level.INFO,
)
ALERTS_ON_METER = Rule(
    "P109",
    "billing alerts are on a meter that is deactivated",
    "A billing alert watches the usage of one meter, by its id. An inactive meter counts no usage, "
    "so its alerts are not triggered, and a meter that takes its place has none of them.",
    "an alert cannot be moved: create it again on the meter that counts the usage from now on, or "
    "archive it if there is none",
    Level.WARNING,
)
ALERTS_UNREADABLE = Rule(
    "P110",
    "API key may not read billing alerts",
    "Billing alerts on an inactive meter are not triggered. Whether there are any on a meter that "
    "is deactivated, or found inactive, is not known.",
    "give the restricted key the permission that the message names, or look at the alerts in the "
    "Dashboard",
    Level.WARNING,
)
