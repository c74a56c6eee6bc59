"""Report rejected usage, as thin events: one for each meter and request, or for each delay.

Source: v1.billing.meter.error_report_triggered and v1.billing.meter.no_meter_found.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..messages import Json
from ..requests.ids import generate_thin_event_id
from ..resources import meters
from ..state import Call
from .moments import format_moment
from .record import Rejection

WITH_METER = "v1.billing.meter.error_report_triggered"
WITHOUT_METER = "v1.billing.meter.no_meter_found"

MOST_SAMPLES = 10
"""Errors of one code that a report shows; all are counted."""


def report(call: Call, rejections: Iterable[Rejection]) -> None:
    """Report rejections, at once or after the delay; until then a report collects more of them."""
    groups: dict[str, list[Rejection]] = defaultdict(list)
    for rejection in rejections:
        groups[rejection.meter["id"] if rejection.meter else ""].append(rejection)
    for meter_id, group in groups.items():
        pending = _find_pending(call, meter_id) or _start(call, meter_id)
        call.change["thin_events"].append(_extend(call, pending, group))


def _find_pending(call: Call, meter_id: str) -> Json | None:
    for notice in reversed(call.ledger.thin_events.values()):
        if notice["at"] <= call.now:
            return None
        if notice["meter"] == meter_id:
            return notice
    return None


def _start(call: Call, meter_id: str) -> Json:
    """Begin a report that appears after the delay."""
    ledger = call.ledger
    ledger.made["thin"] = ledger.made.get("thin", 0) + 1
    mode = "live" if ledger.account.livemode else "test"
    return {
        "id": generate_thin_event_id(mode, ledger.account.id, ledger.made["thin"]),
        "meter": meter_id,
        "at": call.now + call.settings.report_delay,
        "start": math.floor(call.now),
        "end": math.ceil(call.now),
        "errors": {},
    }


def _extend(call: Call, notice: Json, rejections: Iterable[Rejection]) -> Json:
    """Add rejections to a report, without changing the report that is stored."""
    errors = {code: dict(each) for code, each in notice["errors"].items()}
    for rejection in rejections:
        known = errors.setdefault(rejection.code, {"count": 0, "samples": []})
        known["count"] += 1
        if len(known["samples"]) < MOST_SAMPLES:
            sample = [rejection.message, _identify(call, rejection)]
            known["samples"] = [*known["samples"], sample]
    return notice | {"errors": errors, "end": math.ceil(call.now)}


def _identify(call: Call, rejection: Rejection) -> str:
    """Return what identifies an event in a report."""
    by_key = call.settings.report_identifier == "idempotency_key"
    return (call.key if by_key else None) or rejection.event.identifier


def build_report(call: Call, notice: Json) -> Json:
    """Build a report in the API's shape."""
    found: list[tuple[str, Any]] = list(notice["errors"].items())
    total = sum(each["count"] for _, each in found)
    summary = "There is 1 invalid event" if total == 1 else f"There are {total} invalid events"
    return {
        "id": notice["id"],
        "object": "v2.core.event",
        "changes": None,
        "context": find_context(call),
        "created": format_moment(notice["at"]),
        "data": {
            "developer_message_summary": summary,
            "reason": {
                "error_count": total,
                "error_types": [_build_type(code, each) for code, each in found],
            },
            "validation_end": format_moment(notice["end"]),
            "validation_start": format_moment(notice["start"]),
        },
        "livemode": call.ledger.account.livemode,
        "reason": None,
        "related_object": _build_related(notice["meter"]),
        "snapshot_event": None,
        "type": WITH_METER if notice["meter"] else WITHOUT_METER,
    }


def find_context(call: Call) -> str | None:
    """Return the `Stripe-Context` that reading an object needs: the id of a connected account."""
    return None if call.ledger is call.state.ledger else call.ledger.account.id


def _build_type(code: str, each: Json) -> Json:
    return {
        "code": code,
        "error_count": each["count"],
        "sample_errors": [
            {"error_message": message, "request": {"identifier": identifier}}
            for message, identifier in each["samples"]
        ],
    }


def _build_related(meter_id: str) -> Json | None:
    if not meter_id:
        return None
    return {"id": meter_id, "type": "billing.meter", "url": f"{meters.URL}/{meter_id}"}
