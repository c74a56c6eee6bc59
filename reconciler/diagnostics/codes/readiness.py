"""Rules R: why a meter is not ready to receive usage."""

from __future__ import annotations

from ..diagnostic import Rule

NOT_ACTIVE = Rule(
    "R001",
    "no active meter has the event_name",
    "Stripe rejects usage for an event_name without an active meter: either the meter is not "
    "created yet, or it was deactivated.",
    "apply the configuration before the application is deployed: `reconciler apply`; "
    "`reconciler plan` says whether an inactive meter has the event_name",
)
RETIRED = Rule(
    "R002",
    "the meter is declared inactive",
    "The files retire the meter (status: inactive), so usage sent to it is lost.",
    "stop sending usage under this event_name, or declare it `status: active`",
)
OTHER_KEY = Rule(
    "R003",
    "the active meter reads another payload key",
    "An application that sends the declared payload keys sends events that the meter cannot "
    "attribute to a customer, or whose value it does not read. The payload keys of a meter cannot "
    "be changed.",
    "declare the payload keys of the existing meter, or replace it with `retires`",
)
SEVERAL_ACTIVE = Rule(
    "R004",
    "several active meters have one event_name",
    "Stripe allows one active meter for each event_name. Which of several records usage is "
    "unknown.",
    "deactivate those that no price uses",
)
NOT_DECLARED = Rule(
    "R005",
    "the account does not declare the event_name",
    "`ready` compares with declarations; whether an undeclared meter has the right payload keys "
    "is unknown.",
    "correct the event_name, or declare the meter",
)
