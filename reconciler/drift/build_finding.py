"""Build a finding of any kind."""

from __future__ import annotations

from typing import TypedDict, Unpack

from ..diagnostics.shorten import MESSAGE, shorten
from ..model.alert import BillingAlert
from ..model.finding import Finding, Kind, Remediation, Severity
from ..model.price import Price
from ..model.usage import RejectedUsage, UsageSample


class _More(TypedDict, total=False):
    """The optional fields of a finding."""

    meter_ids: tuple[str, ...]
    since: int | None
    resend_until: int | None
    prices: tuple[Price, ...]
    remediation: Remediation | None
    rejected: RejectedUsage | None
    sample: UsageSample | None
    alerts: tuple[BillingAlert, ...]


def build_finding(kind: Kind, severity: Severity, message: str, **rest: Unpack[_More]) -> Finding:
    """Return a finding; a long message is shortened."""
    message = shorten(message, MESSAGE)
    return Finding(kind=kind, code=kind.rule.code, severity=severity, message=message, **rest)
