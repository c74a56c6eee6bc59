"""Find the drift of an event_name: its kind, severity, start and remediation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from ..diagnostics.lookalikes import tell_apart
from ..diagnostics.shorten import list_some
from ..model.alert import AlertsByMeter
from ..model.change import Action, Change, Reason
from ..model.event import RESEND
from ..model.finding import DriftEntry, Finding, Kind, Remediation, Severity
from ..model.match import MeterMatch, has_same_settings
from ..model.meter import ExistingMeter, Status
from ..model.pattern import matches
from ..model.price import Price, PricesByLookupKey, PricesByMeter, select_unaccepted
from ..model.project import MeterConfig, Policy
from ..model.usage import RejectedUsage, UsageSample, describe_codes
from ..planning.diagnose import note_override
from ..timestamps import format_duration
from . import remediation
from .build_finding import build_finding
from .expected_prices import check_expected_prices
from .remediation import Commands
from .usage_sample import check_sample


class DriftInput(Struct, frozen=True, kw_only=True):
    """What drift detection needs besides the meters: prices in use, policy, now (Unix seconds).

    `commands` makes the commands that remediate a finding; `refused` are the event_names whose
    change a guard refuses, so that no command can help. `expected` are the prices with the lookup
    keys that files expect, None where the key may not read prices; `rejected` is the rejected usage
    by meter id, `alerts` the active billing alerts by meter id, and `samples` those of usage by
    event_name.
    """

    commands: Commands
    policy: Policy
    prices: PricesByMeter
    now: int
    expected: PricesByLookupKey | None = None
    rejected: Mapping[str, RejectedUsage] = {}
    samples: Mapping[str, UsageSample] = {}
    alerts: AlertsByMeter = {}
    refused: frozenset[str] = frozenset()

    def find_prices(self, meters: Iterable[ExistingMeter]) -> tuple[Price, ...]:
        """Return the prices in use on any of these meters."""
        return tuple(price for meter in meters for price in self.prices.get(meter.id, ()))

    def apply(self, event_name: str) -> Remediation | None:
        """Return the command that applies one change; None where it would be refused."""
        return None if event_name in self.refused else self.commands.apply(event_name)


def list_archived_dependencies(names: MeterMatch, policy: Policy) -> tuple[str, ...]:
    """Return the ids of the meters of which archived prices matter to a finding.

    They do not on the active meter of a declaration that it agrees with, nor on undeclared
    meters that belong to others.
    """
    desired = names.desired
    if _is_foreign(names, policy):
        return ()
    in_sync = (
        desired is not None
        and desired.status == Status.ACTIVE
        and len(names.active) == 1
        and has_same_settings(names.active[0], desired.meter)
    )
    return tuple(meter.id for meter in (names.inactive if in_sync else names.meters))


def inspect(names: MeterMatch, change: Change, known: DriftInput) -> DriftEntry:
    """Return the drift entry of one event_name, for its planned change; its worst finding first."""
    foreign = _is_foreign(names, known.policy)
    return DriftEntry(
        event_name=names.event_name,
        location=names.desired.location if names.desired else None,
        meters=names.meters,
        prices=known.find_prices(names.meters),
        findings=() if foreign else sort_findings(_find(names, change, known)),
        foreign=foreign,
    )


def _is_foreign(names: MeterMatch, policy: Policy) -> bool:
    """Whether an undeclared event_name is one that the project does not answer for."""
    owned = not policy.owns or matches(names.event_name, policy.owns)
    return names.desired is None and not owned


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings by severity, exempt ones last."""
    return tuple(sorted(findings, key=lambda f: (bool(f.exemption), -f.severity.weight)))


def rank(entry: DriftEntry) -> tuple[int, bool, bool, str]:
    """Order entries: by severity, lost revenue on prices in use first, then by name."""
    weight = entry.severity.weight if entry.severity else 0
    priced = any(finding.prices for finding in entry.findings if not finding.exemption)
    return -weight, not priced, not entry.findings, entry.event_name


def _find(names: MeterMatch, change: Change, known: DriftInput) -> Iterator[Finding]:
    match names:
        case MeterMatch(active=(_, _, *_)):
            yield _report_two_active(names, known)
        case MeterMatch(unclear=(_, *_)):
            yield _report_unclear(names, known)
        case MeterMatch(desired=MeterConfig(status=Status.ACTIVE), active=()):
            yield _report_no_active(names, change, known)
        case MeterMatch(desired=MeterConfig() as desired, active=(existing,)):
            yield from _compare_with_declaration(desired, existing, change, known)
        case MeterMatch(desired=None, active=(existing,)):
            yield _report_undeclared(existing, change, known)
    yield from _check_inactive_prices(names, change, known)
    yield from _report_rejected(names, known)
    yield from check_sample(names, known.samples, known.rejected)
    if known.expected is not None:
        yield from check_expected_prices(names, known.prices, known.expected, known.commands)


def _report_rejected(names: MeterMatch, known: DriftInput) -> Iterator[Finding]:
    """Stripe rejected usage of the meters of this event_name."""
    for meter in names.meters:
        if not (usage := known.rejected.get(meter.id)):
            continue
        number = "1 usage event was" if usage.count == 1 else f"{usage.count:,} usage events were"
        deadline = usage.first + RESEND
        wanted = names.desired is not None and names.desired.status == Status.ACTIVE
        yield build_finding(
            Kind.USAGE_REJECTED,
            Severity.REVENUE,
            f"{number} rejected by {meter.id} in the last {format_duration(usage.window)}: "
            f"{describe_codes(usage.codes)}",
            meter_ids=(meter.id,),
            prices=known.prices.get(meter.id, ()),
            since=usage.first,
            resend_until=deadline if known.now < deadline else None,
            rejected=usage,
            remediation=known.apply(names.event_name) if wanted and not meter.active else None,
        )


def _report_no_active(names: MeterMatch, change: Change, known: DriftInput) -> Finding:
    """The event_name is declared active, and has no active meter."""
    if not names.inactive:
        message = f"{names.event_name!r} is declared active, but no meter has this event_name"
        former = change.renamed_from
        remedy = remediation.keep_name(former) if former else known.apply(names.event_name)
        return build_finding(Kind.MISSING, Severity.REVENUE, message, remediation=remedy)
    last = names.inactive[0]
    since = last.inactive_since
    creates = change.action is Action.CREATE
    which = f"{last.id}, which differs," if creates else last.id
    deadline = since + RESEND
    return build_finding(
        Kind.MISSING if creates else Kind.INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} is declared active, but {which} has been inactive for "
        f"{format_duration(known.now - since)}; usage sent since then is lost",
        meter_ids=(last.id,),
        prices=_list_unserved_prices(names, change, known),
        since=since,
        resend_until=deadline if known.now < deadline else None,
        remediation=_restore_active(names, change, known),
        alerts=tuple(alert for m in names.inactive for alert in known.alerts.get(m.id, ())),
    )


def _restore_active(names: MeterMatch, change: Change, known: DriftInput) -> Remediation | None:
    """Return how to restore an active meter for an event_name.

    A meter is not created while there are inactive ones: one of them may hold the event_name.
    """
    desired = change.desired
    if desired and change.action is Action.CREATE:
        kept = next((m for m in names.inactive if known.prices.get(m.id)), names.inactive[0])
        return remediation.keep_active(kept, desired)
    if desired is None or change.action is not Action.BLOCKED:
        return known.apply(change.event_name)
    used = [m for m in names.inactive if known.prices.get(m.id) and m.id not in desired.retires]
    if change.reason == Reason.PRICES_ON_OTHER_METER:
        return remediation.adopt_settings(used[0], desired)
    retired = [*desired.retires, *(meter.id for meter in used)]
    return remediation.retire_meters(desired, retired, "  # leave out the one to keep")


def _compare_with_declaration(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: DriftInput
) -> Iterator[Finding]:
    """The event_name has one active meter and a declaration."""
    if desired.status != Status.ACTIVE:
        yield _report_running(desired, existing, change, known)
    if change.action in (Action.BLOCKED, Action.REPLACE) and not has_same_settings(
        existing, desired.meter
    ):
        yield _report_difference(desired, existing, change, known)
    name = desired.meter_for(existing).display_name
    if desired.status == Status.ACTIVE and existing.display_name != name:
        before, after = tell_apart(existing.display_name, name)
        stuck = change.action is Action.BLOCKED
        yield build_finding(
            Kind.RENAMED,
            Severity.LOW,
            f"the display_name of {existing.id} is {existing.display_name!r}{before}, "
            f"declared is {name!r}{after}{note_override(desired, 'display_name')}",
            meter_ids=(existing.id,),
            since=existing.updated,
            remediation=remediation.adopt_name(existing, desired)
            if stuck
            else known.apply(change.event_name),
        )


def _report_running(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: DriftInput
) -> Finding:
    open_ = select_unaccepted(known.prices.get(existing.id, ()), desired)
    needs = []
    if change.action is Action.BLOCKED:
        retired = [*desired.retires, existing.id]
        needs.append(remediation.retire_meters(desired, retired).text)
    if open_:
        needs.append(_accept_prices(open_, desired).text)
    keep = remediation.keep_active(
        existing, desired, f"  # or give it up: {', '.join(needs)}" if needs else ""
    )
    return build_finding(
        Kind.RUNNING,
        Severity.LOW,
        f"{change.event_name!r} is declared inactive, but {existing.id} is active and counts usage",
        meter_ids=(existing.id,),
        prices=open_,
        since=existing.updated,
        remediation=keep if needs else known.apply(change.event_name) or keep,
    )


def _report_difference(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: DriftInput
) -> Finding:
    fields = ", ".join(
        f"{field.path} is {_format_value(field.before)}{existing_points}, "
        f"declared is {_format_value(field.after)}{declared_points}"
        f"{note_override(desired, field.path)}"
        for field in change.fields
        for existing_points, declared_points in [tell_apart(field.before, field.after)]
        if field.path != "display_name"
    )
    open_ = select_unaccepted(known.prices.get(existing.id, ()), desired)
    adopted = remediation.adopt_settings(existing, desired)
    return build_finding(
        Kind.DIFFERS,
        Severity.HIGH,
        f"{existing.id} differs in fields that cannot be updated: {fields}",
        meter_ids=(existing.id,),
        prices=open_,
        since=existing.created,
        remediation=adopted
        if change.action is Action.BLOCKED
        else _allow_replacement(desired, existing, open_, known),
    )


def _allow_replacement(
    desired: MeterConfig, existing: ExistingMeter, open_: Sequence[Price], known: DriftInput
) -> Remediation | None:
    """Return how to apply the declared replacement, or where it is refused, how to keep the meter.

    Prices in use must be accepted first.
    """
    if open_:
        consent = _accept_prices(open_, desired).text
        return remediation.keep_active(existing, desired, f"  # or give it up: {consent}")
    return known.apply(desired.event_name) or remediation.keep_active(existing, desired)


def _format_value(value: object) -> str:
    return "not set" if value is None else repr(value)


def _report_two_active(names: MeterMatch, known: DriftInput) -> Finding:
    ids = tuple(existing.id for existing in names.active)
    prices = known.find_prices(names.active)
    unused = min(
        names.active, key=lambda meter: (meter.id in known.prices, -meter.created, meter.id)
    )
    return build_finding(
        Kind.TWO_ACTIVE,
        Severity.HIGH if names.desired or prices else Severity.LOW,
        f"{names.event_name!r} has {len(ids)} active meters, {', '.join(ids)}; which of them "
        f"counts usage is not known",
        meter_ids=ids,
        prices=prices,
        since=max(existing.created for existing in names.active),
        remediation=known.commands.deactivate(unused),
    )


def _report_unclear(names: MeterMatch, known: DriftInput) -> Finding:
    prices = known.find_prices(names.unclear)
    statuses = ", ".join(f"the status of {meter.id} is {meter.status!r}" for meter in names.unclear)
    return build_finding(
        Kind.UNKNOWN_STATUS,
        Severity.HIGH if names.desired or prices else Severity.LOW,
        f"{statuses}, which this version does not know: whether {names.event_name!r} counts usage "
        f"is not known",
        meter_ids=tuple(meter.id for meter in names.unclear),
        prices=prices,
        since=max(meter.updated for meter in names.unclear),
    )


def _report_undeclared(existing: ExistingMeter, change: Change, known: DriftInput) -> Finding:
    prices = known.prices.get(existing.id, ())
    refused = bool(prices) or change.event_name in known.refused
    leaves = change.action is Action.DEACTIVATE and not refused
    return build_finding(
        Kind.PRICE_ON_UNDECLARED if prices else Kind.UNMANAGED,
        Severity.HIGH if prices else Severity.LOW,
        f"{existing.id} is active, and no file declares {change.event_name!r}",
        meter_ids=(existing.id,),
        prices=prices,
        since=existing.created,
        remediation=known.commands.apply() if leaves else remediation.declare(existing),
    )


def _check_inactive_prices(
    names: MeterMatch, change: Change, known: DriftInput
) -> Iterator[Finding]:
    covered = _list_unserved_prices(names, change, known)
    open_ = [price for price in known.find_prices(names.inactive) if price not in covered]
    prices = select_unaccepted(open_, names.desired)
    if not prices:
        return
    used = {price.meter for price in prices}
    meters = [meter for meter in names.inactive if meter.id in used]
    shown = next(iter(names.active), meters[0])
    ids = list_some(meter.id for meter in meters)
    which = "which is inactive and counts" if len(meters) == 1 else "which are inactive and count"
    yield build_finding(
        Kind.PRICE_ON_INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} has prices in use on {ids}, {which} no usage",
        meter_ids=tuple(existing.id for existing in meters),
        prices=prices,
        since=max(meter.inactive_since for meter in meters),
        remediation=(
            _reactivate_by_replacing(change, meters, known)
            or _serve_prices(names.desired, names, meters, prices)
        )
        if names.desired
        else remediation.declare(shown, prices),
    )


def _reactivate_by_replacing(
    change: Change, meters: list[ExistingMeter], known: DriftInput
) -> Remediation | None:
    """Return the command that applies a declared replacement by the only one of these meters."""
    replaces = change.action is Action.REPLACE and [change.reactivates] == meters
    return known.apply(change.event_name) if replaces else None


def _serve_prices(
    desired: MeterConfig,
    names: MeterMatch,
    meters: Sequence[ExistingMeter],
    prices: Iterable[Price],
) -> Remediation:
    """Return how prices get usage again: reactivate their meter, if it is one and can be active."""
    if names.active or names.unclear or len(meters) > 1:
        return _accept_prices(prices, desired, "  # to give them up; or move the subscriptions")
    consent = _accept_prices(prices, desired)
    return remediation.keep_active(meters[0], desired, f"  # or give it up: {consent.text}")


def _list_unserved_prices(
    names: MeterMatch, change: Change, known: DriftInput
) -> tuple[Price, ...]:
    """Return the prices that the finding of a missing active meter covers."""
    wanted = names.desired is not None and names.desired.status == Status.ACTIVE
    if names.active or not wanted or change.action is Action.CREATE:
        return ()
    return known.find_prices([change.existing] if change.existing else names.inactive)


def _accept_prices(prices: Iterable[Price], desired: MeterConfig, note: str = "") -> Remediation:
    """Return the consent given already, extended to these prices."""
    accepted = [*desired.accepted_prices, *(price.id for price in prices)]
    return remediation.accept_prices(desired, accepted, note)
