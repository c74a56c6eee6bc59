"""Check whether meters are ready to receive usage: active, with the declared payload keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..diagnostics.codes import readiness as rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import ConfigError, Exit
from ..diagnostics.suggest import suggest
from ..model.change import FieldChange
from ..model.meter import ExistingMeter, Meter, Status
from ..model.project import Account, MeterConfig
from ..report.documents import AccountReadiness, MeterReadiness
from .session import Session
from .snapshot import check_account, take_snapshot


def select_meters(account: Account, names: Iterable[str]) -> tuple[MeterConfig, ...]:
    """Return the declarations of these event_names, in their order; of none, all active ones.

    Raises ConfigError with every event_name that the account does not declare.
    """
    declared = {desired.event_name: desired for desired in account.declared}
    wanted = tuple(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in declared]
    if unknown:
        raise ConfigError(*(_describe_unknown(name, account, declared) for name in unknown))
    if wanted:
        return tuple(declared[name] for name in wanted)
    active = (desired for desired in account.declared if desired.status == Status.ACTIVE)
    return tuple(sorted(active, key=lambda desired: desired.event_name))


def _describe_unknown(name: str, account: Account, declared: Iterable[str]) -> Diagnostic:
    close = suggest(name, declared)
    hint = f"did you mean {close}?" if close else ""
    message = f"account {account.name!r} does not declare {name!r}"
    return rules.NOT_DECLARED(message, hint=hint, event_name=name)


def check_ready(desired: Iterable[MeterConfig], session: Session) -> AccountReadiness:
    """Compare these meters with one listing of the account's active meters."""
    active = session.meters.list_active()
    snapshot = take_snapshot(session, (), active)
    exit_code, said = check_account(session.account, snapshot)
    if exit_code is not Exit.DONE:
        return AccountReadiness(account=snapshot.account, exit_code=exit_code, diagnostics=said)
    by_name: dict[str, list[ExistingMeter]] = {}
    for meter in active:
        by_name.setdefault(meter.event_name, []).append(meter)
    meters = tuple(_check(each, by_name.get(each.event_name, [])) for each in desired)
    return AccountReadiness(
        account=snapshot.account,
        meters=meters,
        exit_code=Exit.DONE if all(each.ready for each in meters) else Exit.CHANGES,
        diagnostics=(
            *said,
            *(each.problem for each in meters if each.problem),
            *session.report_rate(),
        ),
    )


def _check(desired: MeterConfig, active: Sequence[ExistingMeter]) -> MeterReadiness:
    name, location = desired.event_name, desired.location
    if desired.status != Status.ACTIVE:
        problem = rules.RETIRED(f"{name!r} is declared inactive", location, event_name=name)
        return MeterReadiness(event_name=name, problem=problem)
    if not active:
        message = f"no active meter of the account has the event_name {name!r}"
        problem = rules.NOT_ACTIVE(message, location, event_name=name)
        return MeterReadiness(event_name=name, problem=problem)
    if len(active) > 1:
        ids = ", ".join(sorted(meter.id for meter in active))
        message = f"{name!r} has several active meters: {ids}"
        problem = rules.SEVERAL_ACTIVE(message, location, event_name=name)
        return MeterReadiness(event_name=name, problem=problem)
    return _compare_keys(desired, active[0])


def _compare_keys(desired: MeterConfig, existing: ExistingMeter) -> MeterReadiness:
    name = desired.event_name
    theirs, ours = _read_keys(existing), _read_keys(desired.meter)
    fields = tuple(
        FieldChange(path, theirs[path], ours[path])
        for path in theirs.keys() & ours.keys()
        if theirs[path] != ours[path]
    )
    if not fields:
        return MeterReadiness(event_name=name, meter_id=existing.id)
    differing = ", ".join(
        f"{field.path} is {field.before!r}, declared {field.after!r}" for field in fields
    )
    problem = rules.OTHER_KEY(
        f"{existing.id} reads other payload keys: {differing}", desired.location, event_name=name
    )
    return MeterReadiness(event_name=name, meter_id=existing.id, fields=fields, problem=problem)


def _read_keys(meter: Meter) -> dict[str, str]:
    """Return the payload keys that the meter reads, by dotted path; a count reads no value."""
    keys = {"customer_mapping.event_payload_key": meter.customer_mapping.event_payload_key}
    if meter.default_aggregation.formula != "count":
        keys["value_settings.event_payload_key"] = meter.value_settings.event_payload_key
    return keys
