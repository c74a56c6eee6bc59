"""What differs from the approved plan, as diagnostics, which every format shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.lookalikes import tell_apart
from ..diagnostics.shorten import shorten
from ..report.report import AccountReport, PlanDifference
from ..timestamps import LATEST, format_time
from .facts import quote_value

_TIMES = (".created", ".updated", ".deactivated_at")


def list_differences(account: AccountReport) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each event_name whose change differs, where it is declared."""
    places = {each.change.event_name: each.change.location for each in account.changes}
    for each in account.differences or ():
        name = each.event_name
        place = None if name is None else places.get(name)
        yield guards.DIFFERS_FROM_APPROVED(_describe(each), place, event_name=name)


def _describe(difference: PlanDifference) -> str:
    """Return each value that differs, approved → now."""
    name, said = difference.event_name, []
    if name is not None and difference.approved is not difference.planned:
        approved, planned = (it or "no change" for it in (difference.approved, difference.planned))
        said.append(f"{approved} → {planned}")
    in_both = name is None or None not in (difference.approved, difference.planned)
    for each in difference.fields if in_both else ():
        one, other = tell_apart(each.approved, each.planned)
        approved = _format_value(each.path, each.approved) + one
        planned = _format_value(each.path, each.planned) + other
        said.append(f"{each.path}: {approved} → {planned}")
    subject = "the account" if name is None else f"`{shorten(name)}`"
    return f"{subject}, approved → now: {'; '.join(said)}"


def _format_value(path: str, value: Any) -> str:
    """Return a value as it is shown; the times of a meter as times."""
    if path.endswith(_TIMES) and type(value) is int and 0 <= value <= LATEST:
        return format_time(value)
    return quote_value(value)
