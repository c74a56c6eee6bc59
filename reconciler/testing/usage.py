"""The usage that an application sent, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from ..diagnostics.suggest import suggest
from ..emulator import Entry
from ..emulator.usage.moments import parse_moment

_PATHS = {
    "/v1/billing/meter_events",
    "/v2/billing/meter_events",
    "/v2/billing/meter_event_stream",
}


_ABOUT = {
    "customer": ("meter_event_no_customer_defined",),
    "value": ("meter_event_invalid_value",),
}
"""The codes of an event that lacks the key of its customer, or of its value."""


class SentEvent(Struct, frozen=True):
    """A meter event as it was sent; `timestamp` is in Unix seconds, None where it has none."""

    event_name: str
    payload: Mapping[str, str] = {}
    identifier: str | None = None
    timestamp: float | None = None


def list_events(entries: Iterable[Entry]) -> Iterator[SentEvent]:
    """Yield the meter events of these requests, of API v1 and v2, in the order of arrival.

    A retry with the same idempotency key is one event.
    """
    retried: set[str] = set()
    for entry in entries:
        if entry.method != "POST" or entry.path not in _PATHS:
            continue
        if entry.key and entry.key in retried:
            continue
        retried.add(entry.key or "")
        params: Any = entry.params
        events = params.get("events", {}).get("", []) if "events" in params else [params]
        yield from (_read_event(each) for each in events if isinstance(each, dict))


def _read_event(given: Mapping[str, Any]) -> SentEvent:
    payload = given.get("payload")
    return SentEvent(
        str(given.get("event_name", "")),
        {key: str(value) for key, value in payload.items()} if isinstance(payload, dict) else {},
        given.get("identifier"),
        _read_moment(given.get("timestamp")),
    )


def _read_moment(given: object) -> float | None:
    with suppress(ValueError):
        return None if given is None else float(str(given))
    return parse_moment(str(given))


def explain(event: SentEvent, meter: Mapping[str, Any], code: str, why: str) -> str:
    """Return what is wrong with an event of a meter, with the key that was probably meant."""
    for what, block in (("customer", "customer_mapping"), ("value", "value_settings")):
        key = meter[block]["event_payload_key"]
        if key not in event.payload and _concerns(code, what):
            close = suggest(key, event.payload)
            found = f"did you mean it by {close!r}?" if close else _list(event.payload)
            missing = f"the payload has no {key!r}, the key of the {what}"
            return f"{event.event_name!r}: {missing}; {found}"
    return f"{event.event_name!r}: {why} ({code})"


def explain_unknown(event_name: str, names: Iterable[str]) -> str:
    """Return that no meter has the event_name, with the one that was probably meant."""
    known = sorted(names)
    close = suggest(event_name, known)
    hint = f"did you mean {close!r}?" if close else f"declared: {', '.join(known) or 'none'}"
    return f"{event_name!r}: no declared meter has this event_name; {hint}"


def _concerns(code: str, what: str) -> bool:
    return code in _ABOUT[what]


def _list(payload: Mapping[str, str]) -> str:
    return f"it has {', '.join(map(repr, sorted(payload)))}" if payload else "it is empty"


def sum_up(events: Iterable[SentEvent], meter: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the usage of each customer as the meter aggregates it: a sum, a count or the last."""
    customer_key = meter["customer_mapping"]["event_payload_key"]
    value_key = meter["value_settings"]["event_payload_key"]
    formula = meter["default_aggregation"]["formula"]
    totals: dict[str, Decimal] = {}
    for event in _drop_repeated(events):
        customer = event.payload.get(customer_key)
        value = Decimal(1) if formula == "count" else _read_value(event.payload.get(value_key))
        if customer and value is not None:
            before = Decimal(0) if formula == "last" else totals.get(customer, Decimal(0))
            totals[customer] = before + value
    return totals


def _drop_repeated(events: Iterable[SentEvent]) -> Iterator[SentEvent]:
    """Yield the first event of each identifier, and those without one."""
    seen: set[str] = set()
    for event in events:
        if event.identifier is None or event.identifier not in seen:
            yield event
        seen.add(event.identifier or "")


def _read_value(text: str | None) -> Decimal | None:
    with suppress(InvalidOperation):
        return None if text is None else Decimal(text)
    return None
