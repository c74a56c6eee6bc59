"""Encode parameters as the API's form fields, and parse its JSON.

A documented field that is missing is an error; unknown fields of a meter are kept, others ignored.

Source: the schemas of API version 2026-09-30.endive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct, to_builtins

from ..model.event import Event
from ..model.meter import (
    CustomerMapping,
    DefaultAggregation,
    ExistingMeter,
    StatusTransitions,
    ValueSettings,
)
from ..model.price import Price
from ..model.usage import Subscriber
from ..timestamps import LATEST, parse_moment
from .usage.objects import MeterEvent, MeterEventAdjustment, MeterEventSession, MeterEventSummary

T = TypeVar("T")
Json = Mapping[str, Any]

_METER_FIELDS = frozenset(ExistingMeter.__struct_fields__) - {"extra"}
_NESTED_FIELDS = {
    name: frozenset(kind.__struct_fields__)
    for name, kind in (
        ("default_aggregation", DefaultAggregation),
        ("value_settings", ValueSettings),
        ("customer_mapping", CustomerMapping),
        ("status_transitions", StatusTransitions),
    )
}
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r"[!-~]{1,4096}")
_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_METER_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}")


class MalformedError(ValueError):
    """A response lacks a documented field; the text names it, and what is wrong."""


class Page(Struct, Generic[T], frozen=True):
    """One page of a list, newest first."""

    data: tuple[T, ...]
    has_more: bool


def encode_form(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Encode `{"a": {"b": 1}, "c": ["x"]}` as `a[b]=1`, `c[]=x`; None leaves a parameter out.

    Source: the `deepObject` style of Stripe's v1 request bodies.
    """
    return tuple(pair for name, value in params.items() for pair in _flatten(name, value))


def _flatten(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, str):  # most are
        yield name, str(value)
    elif isinstance(value, Mapping):
        for inner, what in value.items():
            yield from _flatten(f"{name}[{inner}]", what)
    elif isinstance(value, list | tuple):
        for what in value:
            yield from _flatten(f"{name}[]", what)
    elif isinstance(value, Struct):
        yield from _flatten(name, to_builtins(value))
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def is_meter_id(text: str) -> bool:
    """Return whether a path may contain it: letters, digits, `_`, `-`, inner dots, up to 255."""
    return bool(_METER_ID.fullmatch(text))


def parse_meter(data: Json) -> ExistingMeter:
    """Parse a `billing.meter` object; raise MalformedError."""
    own_id = read_text(data, "id")
    if not is_meter_id(own_id):
        raise MalformedError("id contains characters that ids do not have")
    mapping, transitions = (
        read_object(data, "customer_mapping"),
        read_object(data, "status_transitions"),
    )
    return ExistingMeter(
        id=own_id,
        object=read_text(data, "object"),
        event_name=read_text(data, "event_name"),
        display_name=read_text(data, "display_name"),
        default_aggregation=DefaultAggregation(
            read_text(read_object(data, "default_aggregation"), "formula")
        ),
        value_settings=ValueSettings(
            read_text(read_object(data, "value_settings"), "event_payload_key")
        ),
        customer_mapping=CustomerMapping(
            read_text(mapping, "type"), read_text(mapping, "event_payload_key")
        ),
        event_time_window=read_optional(read_text, data, "event_time_window"),
        status=read_text(data, "status"),
        status_transitions=StatusTransitions(
            read_optional(read_time, transitions, "deactivated_at")
        ),
        created=read_time(data, "created"),
        updated=read_time(data, "updated"),
        livemode=_read_flag(data, "livemode"),
        extra=_list_extra(data),
    )


def _list_extra(data: Json) -> dict[str, Any]:
    """Return the fields of a meter that this version does not know, nested as they are."""
    extra = _omit(data, _METER_FIELDS)
    for name, known in _NESTED_FIELDS.items():
        if inner := _omit(data[name], known):
            extra[name] = inner
    return extra


def _omit(data: Json, known: frozenset[str]) -> dict[str, Any]:
    if data.keys() <= known:  # in nearly all meters, and compared in C
        return {}
    return {name: value for name, value in data.items() if name not in known}


def parse_price(data: Json) -> Price | None:
    """Parse a `price` object; return None if it uses no meter. Raises MalformedError."""
    price = parse_any_price(data)
    return price if price.meter else None


def parse_any_price(data: Json) -> Price:
    """Parse a `price` object, which may use no meter; raise MalformedError."""
    recurring = read_optional(read_object, data, "recurring") or {}
    transform = read_optional(read_object, data, "transform_quantity") or {}
    return Price(
        id=read_text(data, "id"),
        meter=read_optional(read_text, recurring, "meter") or "",
        active=_read_flag(data, "active"),
        product=read_optional(read_reference, data, "product"),
        nickname=read_optional(read_text, data, "nickname"),
        lookup_key=read_optional(read_text, data, "lookup_key"),
        currency=read_optional(read_text, data, "currency"),
        unit_amount=read_optional(_read_decimal, data, "unit_amount_decimal"),
        divide_by=read_optional(read_count, transform, "divide_by"),
        interval=read_optional(read_text, recurring, "interval"),
        interval_count=read_optional(read_count, recurring, "interval_count"),
    )


def parse_status(data: Json) -> str:
    """Return the status of a subscription; raise MalformedError."""
    return read_text(data, "status")


def parse_subscriber(data: Json) -> Subscriber:
    """Parse what a subscription says of its customer; raise MalformedError."""
    return Subscriber(
        customer=read_reference(data, "customer"),
        since=read_time(data, "created"),
        status=read_text(data, "status"),
    )


def parse_event(data: Json) -> Event:
    """Parse an `event` object; its `object` keeps the API's shape. Raises MalformedError."""
    inner, request = read_object(data, "data"), read_optional(read_object, data, "request") or {}
    return Event(
        id=read_text(data, "id"),
        type=read_text(data, "type"),
        created=read_time(data, "created"),
        object=read_object(inner, "object"),
        previous_attributes=read_optional(read_object, inner, "previous_attributes") or {},
        request_id=read_optional(read_text, request, "id"),
        idempotency_key=read_optional(read_text, request, "idempotency_key"),
    )


def parse_meter_event(data: Json) -> MeterEvent:
    """Parse a meter event of API v1 or v2; raise MalformedError."""
    payload = read_object(data, "payload")
    return MeterEvent(
        event_name=read_text(data, "event_name"),
        identifier=read_text(data, "identifier"),
        payload={key: read_text(payload, key) for key in payload},
        timestamp=_read_moment(data, "timestamp"),
        created=_read_moment(data, "created"),
        livemode=_read_flag(data, "livemode"),
    )


def parse_adjustment(data: Json) -> MeterEventAdjustment:
    """Parse a meter event adjustment of API v1 or v2; raise MalformedError."""
    return MeterEventAdjustment(
        event_name=read_text(data, "event_name"),
        identifier=read_text(read_object(data, "cancel"), "identifier"),
        status=read_text(data, "status"),
        type=read_text(data, "type"),
        livemode=_read_flag(data, "livemode"),
        id=read_optional(read_text, data, "id"),
        created=read_optional(_read_moment, data, "created"),
    )


def parse_session(data: Json) -> MeterEventSession:
    """Parse a meter event session; raise MalformedError, also for a token no header can hold."""
    token = read_text(data, "authentication_token")
    if not _TOKEN.fullmatch(token):
        raise MalformedError("authentication_token contains characters that tokens do not have")
    return MeterEventSession(
        id=read_text(data, "id"),
        authentication_token=token,
        created=_read_moment(data, "created"),
        expires_at=_read_moment(data, "expires_at"),
        livemode=_read_flag(data, "livemode"),
    )


def parse_summary(data: Json) -> MeterEventSummary:
    """Parse a meter event summary; raise MalformedError."""
    value = data.get("aggregated_value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MalformedError(f"aggregated_value is {_describe_type(value)} instead of a number")
    return MeterEventSummary(
        id=read_text(data, "id"),
        meter=read_text(data, "meter"),
        aggregated_value=value,
        start_time=read_time(data, "start_time"),
        end_time=read_time(data, "end_time"),
        livemode=_read_flag(data, "livemode"),
    )


def parse_page(data: Json, read: Callable[[Json], T], limit: int) -> Page[T]:
    """Parse one page of at most `limit` entries, each with `read`; raise MalformedError."""
    entries = data.get("data")
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise MalformedError("data is not a list of objects")
    if len(entries) > limit:
        raise MalformedError(f"a page has {len(entries):,} entries; {limit} were asked for")
    return Page(tuple(read(each) for each in entries), _read_flag(data, "has_more"))


def parse_linked_page(
    data: Json, read: Callable[[Json], T], limit: int
) -> tuple[tuple[T, ...], str | None]:
    """Parse one page of a list of API v2, and the token of the next one; raise MalformedError.

    Of the address of the next page only the token is used, so that no other host is asked.
    """
    entries = read_objects(data, "data")
    if len(entries) > limit:
        raise MalformedError(f"a page has {len(entries):,} entries; {limit} were asked for")
    link = read_optional(read_text, data, "next_page_url")
    if link is None:
        return tuple(map(read, entries)), None
    token = dict(parse_qsl(urlsplit(link).query)).get("page")
    if token is None:
        raise MalformedError("next_page_url has no page")
    return tuple(map(read, entries)), token


def parse_id(data: Json) -> str:
    """Return the id of any object; raise MalformedError."""
    return read_text(data, "id")


def read_text(data: Json, name: str) -> str:
    """Return a string; raise MalformedError."""
    value = data.get(name)
    if not isinstance(value, str):
        raise MalformedError(f"{name} is {_describe_type(value)} instead of a string")
    if not value and name == "id":
        raise MalformedError("id is empty")
    if not value.isascii() and _SURROGATE.search(value):
        raise MalformedError(f"{name} contains a lone surrogate")
    return value


def read_reference(data: Json, name: str) -> str:
    """Return the id of another object, which may be given as a whole; raise MalformedError."""
    value = data.get(name)
    return parse_id(value) if isinstance(value, dict) else read_text(data, name)


def read_time(data: Json, name: str) -> int:
    """Return Unix seconds; raise MalformedError."""
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"{name} is {_describe_type(value)} instead of Unix seconds")
    if not 0 <= value <= LATEST:
        raise MalformedError(f"{name} is out of range")
    return value


def _read_moment(data: Json, name: str) -> float:
    """Read a time as Unix seconds, which API v2 writes as text."""
    value = data.get(name)
    if not isinstance(value, str):
        return read_time(data, name)
    moment = parse_moment(value)
    if moment is None:
        raise MalformedError(f"{name} is not a time in the form of RFC 3339")
    return moment


def read_count(data: Json, name: str) -> int:
    """Return a whole number from 0; raise MalformedError."""
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedError(f"{name} is not a whole number")
    return value


def _read_decimal(data: Json, name: str) -> str:
    text = read_text(data, name)
    if not _DECIMAL.fullmatch(text):
        raise MalformedError(f"{name} is not a decimal number")
    return text


def _read_flag(data: Json, name: str) -> bool:
    value = data.get(name)
    if not isinstance(value, bool):
        raise MalformedError(f"{name} is {_describe_type(value)} instead of true or false")
    return value


def read_objects(data: Json, name: str) -> tuple[Json, ...]:
    """Return a list of objects; raise MalformedError."""
    value = data.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise MalformedError(f"{name} is not a list of objects")
    return tuple(value)


def read_moment(data: Json, name: str) -> int:
    """Return a time that API v2 writes as text, as whole Unix seconds; raise MalformedError."""
    read_text(data, name)
    return int(_read_moment(data, name))


def read_object(data: Json, name: str) -> Json:
    """Return an object; raise MalformedError."""
    value = data.get(name)
    if not isinstance(value, dict):
        raise MalformedError(f"{name} is {_describe_type(value)} instead of an object")
    return value


def read_optional(read: Callable[[Json, str], T], data: Json, name: str) -> T | None:
    """Read a field that may be missing or null."""
    return None if data.get(name) is None else read(data, name)


def _describe_type(value: object) -> str:
    """Describe an unexpected value without quoting it."""
    return "missing" if value is None else f"of type {type(value).__name__}"
