"""Findings of drift detection, with their attribution and remediation."""

from __future__ import annotations

from collections.abc import Container
from enum import StrEnum

from msgspec import Struct

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Location, Rule
from .alert import BillingAlert
from .meter import ExistingMeter
from .price import Price
from .subscription import InvoiceDeadline, ResendLimit
from .usage import RejectedUsage, UsageSample


class Severity(StrEnum):
    """The severity of a finding, in ascending order."""

    LOW = "low"
    HIGH = "high"
    REVENUE = "revenue"

    @property
    def weight(self) -> int:
        """The rank of the severity, from 1."""
        return _WEIGHTS[self]


_WEIGHTS = {severity: n for n, severity in enumerate(Severity, 1)}


class RemediationKind(StrEnum):
    """How a remediation is used."""

    COMMAND = "command"  # run it
    DECLARATION = "declaration"  # add it under `meters`
    EDIT = "edit"  # change the declaration of the meter to it


class Remediation(Struct, frozen=True):
    """How to resolve a finding: a command, or YAML for a meter file."""

    kind: RemediationKind
    text: str


class Attribution(Struct, frozen=True):
    """Who caused a difference, according to the account's events. `at` is in Unix seconds."""

    origin: str
    at: int | None = None
    request_id: str | None = None
    plan_id: str | None = None
    commit: str | None = None
    note: str = ""


class Exemption(Struct, frozen=True):
    """Why and until when the project file ignores a finding, and who is responsible for that."""

    reason: str
    until: str
    owner: str | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """One drift diagnostic about the meters of an event_name.

    `code` is the diagnostic of the `kind`; `meter_ids`, `prices` and billing
    `alerts` are the ones concerned. Times
    are in Unix seconds: `since` is when the difference began, `resend_until` is when the first
    lost usage can no longer be re-sent, None if that has passed. `rejected` counts the usage that
    Stripe rejected; `sample` is the sample of usage that raised a suspicion.
    `invoices` says when those for lost usage are finalized, where that is known.
    """

    kind: str
    code: str
    severity: Severity
    message: str
    meter_ids: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()
    since: int | None = None
    resend_until: int | None = None
    remediation: Remediation | None = None
    attribution: Attribution | None = None
    exemption: Exemption | None = None
    rejected: RejectedUsage | None = None
    sample: UsageSample | None = None
    alerts: tuple[BillingAlert, ...] = ()
    invoices: InvoiceDeadline | None = None

    @property
    def resend_deadline(self) -> int | None:
        """When the first lost usage can no longer be re-sent, by its age or by its invoice."""
        by_invoice = self.invoices and self.invoices.resend_limit == ResendLimit.INVOICE
        ends = self.invoices.next_finalization if self.invoices and by_invoice else None
        return self.resend_until if ends is None else ends

    @property
    def is_unmanaged(self) -> bool:
        """Whether it is that no file declares the meter."""
        return self.kind == Kind.UNMANAGED


class DriftEntry(Struct, frozen=True, kw_only=True):
    """One event_name in a drift report: its existing meters, their prices and the findings.

    `location` is where it is declared, if at all. Findings are sorted by severity, with the exempt
    ones last. `foreign` is an undeclared event_name that another project answers for: it has none.
    """

    event_name: str
    location: Location | None = None
    meters: tuple[ExistingMeter, ...] = ()
    prices: tuple[Price, ...] = ()
    findings: tuple[Finding, ...] = ()
    foreign: bool = False

    @property
    def severity(self) -> Severity | None:
        """The highest severity of the findings that are not exempt, if any."""
        counted = [finding.severity for finding in self.findings if not finding.exemption]
        return max(counted, key=lambda severity: severity.weight) if counted else None

    def has_only(self, kinds: Container[str]) -> bool:
        """Whether every finding that is not exempt is of these kinds, and there is one."""
        counted = [finding for finding in self.findings if not finding.exemption]
        return bool(counted) and all(finding.kind in kinds for finding in counted)

    @property
    def unmanaged(self) -> bool:
        """Whether it has an active meter that another project answers for."""
        return self.foreign and any(meter.active for meter in self.meters)

    @property
    def ignored(self) -> bool:
        """Whether every finding is exempt."""
        return bool(self.findings) and all(finding.exemption for finding in self.findings)


class Origin(StrEnum):
    """Who caused a finding, as a stable word."""

    OURS = "ours"  # an idempotency key of reconciler
    ANOTHER_CLIENT = "another_client"  # another idempotency key
    OUTSIDE = "outside"  # no idempotency key; possibly the Dashboard
    OLDER = "older"  # no recent event explains it

    @property
    def briefly(self) -> str:
        """A short description."""
        return _IN_WORDS[self][0]

    @property
    def at_length(self) -> str:
        """A description with the evidence."""
        return ": ".join(_IN_WORDS[self])


_IN_WORDS = {
    Origin.OURS: ("reconciler", "the idempotency key is from reconciler"),
    Origin.ANOTHER_CLIENT: ("another API client", "the idempotency key is not from reconciler"),
    Origin.OUTSIDE: ("not reconciler", "no idempotency key was sent; possibly the Dashboard"),
    Origin.OLDER: ("unknown", "no event of the last 30 days explains it"),
}


class Kind(StrEnum):
    """The kinds of findings, by severity; the values are used in `ignore` entries and in JSON."""

    INACTIVE = "inactive"
    MISSING = "missing"
    PRICE_ON_INACTIVE = "price_on_inactive"
    PRICE_MISSING = "price_missing"
    PRICE_ON_OTHER_METER = "price_on_other_meter"
    USAGE_REJECTED = "usage_rejected"
    DIFFERS = "differs"
    TWO_ACTIVE = "two_active"
    UNKNOWN_STATUS = "unknown_status"
    PRICE_ON_UNDECLARED = "price_on_undeclared"
    NO_PRICE = "no_price"
    UNEXPECTED_PRICE = "unexpected_price"
    ZERO_USAGE = "zero_usage"
    RENAMED = "renamed"
    RUNNING = "running"
    UNMANAGED = "unmanaged"
    NO_USAGE = "no_usage"

    @property
    def rule(self) -> Rule:
        """The rule of the diagnostic."""
        return _RULES[self]


SUSPICIONS = (Kind.ZERO_USAGE, Kind.NO_USAGE)
"""The kinds that a sample of usage raises, which proves nothing."""

_RULES = {
    Kind.INACTIVE: rules.INACTIVE,
    Kind.MISSING: rules.MISSING,
    Kind.PRICE_ON_INACTIVE: rules.PRICE_ON_INACTIVE,
    Kind.PRICE_MISSING: rules.PRICE_MISSING,
    Kind.PRICE_ON_OTHER_METER: rules.PRICE_ON_OTHER_METER,
    Kind.USAGE_REJECTED: rules.USAGE_REJECTED,
    Kind.DIFFERS: rules.DIFFERS,
    Kind.TWO_ACTIVE: rules.TWO_ACTIVE,
    Kind.UNKNOWN_STATUS: rules.UNKNOWN_STATUS,
    Kind.PRICE_ON_UNDECLARED: rules.PRICE_ON_UNDECLARED,
    Kind.NO_PRICE: rules.NO_PRICE,
    Kind.UNEXPECTED_PRICE: rules.UNEXPECTED_PRICE,
    Kind.ZERO_USAGE: rules.ZERO_USAGE,
    Kind.RENAMED: rules.RENAMED,
    Kind.RUNNING: rules.RUNNING,
    Kind.UNMANAGED: rules.UNMANAGED,
    Kind.NO_USAGE: rules.NO_USAGE,
}
