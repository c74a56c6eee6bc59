"""The thin events of an account: reports of rejected usage.

Source: /v2/core/events of Stripe's API reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model.usage import RejectionCode, UsageReport
from ...timestamps import format_time
from .. import pagination
from ..codec import (
    Json,
    MalformedError,
    parse_id,
    read_count,
    read_moment,
    read_object,
    read_objects,
    read_optional,
    read_text,
)
from ..transport import Transport

CORE_EVENTS = "/v2/core/events"
WITH_METER = "v1.billing.meter.error_report_triggered"
WITHOUT_METER = "v1.billing.meter.no_meter_found"
_TYPES = (WITH_METER, WITHOUT_METER)


class UsageReports:
    """The reports of rejected usage of an account; Stripe lists those of the last 30 days."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self, *, since: int, meter_id: str | None = None) -> Iterator[UsageReport]:
        """Yield the reports since then (Unix seconds), of one meter if given, newest first.

        Raises StripeError.
        """
        types = _TYPES if meter_id is None else (WITH_METER,)
        params = {
            "types": {str(n): each for n, each in enumerate(types)},
            "created": {"gte": format_time(since)},
            "object_id": meter_id,
        }
        found = pagination.iterate_linked(self._transport, CORE_EVENTS, params, _parse_report)
        return (report for report in found if report.type in types)


def _parse_report(data: Json) -> UsageReport:
    """Parse a report of rejected usage; raise MalformedError."""
    related = read_optional(read_object, data, "related_object") or {}
    inner = read_object(data, "data")
    meter_id = read_optional(read_text, related, "id")
    type_ = read_text(data, "type")
    if type_ == WITH_METER and meter_id is None:
        raise MalformedError("related_object names no meter")
    return UsageReport(
        id=parse_id(data),
        type=type_,
        created=read_moment(data, "created"),
        meter_id=meter_id,
        start=read_moment(inner, "validation_start"),
        end=read_moment(inner, "validation_end"),
        codes=tuple(map(_parse_code, read_objects(read_object(inner, "reason"), "error_types"))),
    )


def _parse_code(data: Json) -> RejectionCode:
    samples = read_objects(data, "sample_errors") if data.get("sample_errors") else ()
    requests = (read_optional(read_object, sample, "request") or {} for sample in samples)
    identifiers = (read_optional(read_text, request, "identifier") for request in requests)
    return RejectionCode(
        code=read_text(data, "code"),
        count=read_count(data, "error_count"),
        samples=tuple(identifier for identifier in identifiers if identifier),
    )
