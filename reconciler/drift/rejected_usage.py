"""Report usage that was sent under event_names that no meter has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Diagnostic, Effect, Level
from ..diagnostics.shorten import list_some
from ..model.change import Change
from ..model.event import RESEND
from ..model.meter import Status
from ..model.pattern import matches
from ..model.project import Account
from ..model.usage import RejectedUsage, describe_codes, list_samples
from ..timestamps import format_date, format_duration, format_time

KIND = "usage_without_meter"
"""The kind of the finding, in `ignore` entries and in JSON."""

_MOST_NAMES = 3


def report_without_meter(
    usage: RejectedUsage | None, account: Account, changes: Iterable[Change], now: int
) -> Iterator[Diagnostic]:
    """Yield the finding; a warning where others share the account, a note where it is exempt.

    No report names an event_name, so none is claimed: a hint asks about declared ones that no
    meter has.
    """
    if usage is None:
        return
    number = "1 usage event was" if usage.count == 1 else f"{usage.count:,} usage events were"
    message = (
        f"{number} rejected in the last {format_duration(usage.window)} because no meter has the "
        f"event_name: {describe_codes(usage.codes)}; first at {format_time(usage.first)}, last at "
        f"{format_time(usage.last)}, to be sent again until {format_time(usage.first + RESEND)}, "
        f"or until the invoice is finalized, if earlier"
    )
    if samples := list_samples(usage.codes):
        message += f"; identifiers: {samples}"
    rule = rules.USAGE_WITHOUT_METER
    said = rule(message, hint=" ".join(filter(None, [_ask(changes), rule.remedy])))
    today = format_date(now)
    for each in account.ignore:
        if each.kind == KIND and today <= each.until and matches("", (each.event_name,)):
            note = f"{message} (ignored until {each.until}: {each.reason})"
            yield replace(said, message=note, level=Level.INFO, effect=Effect.NONE)
            return
    yield replace(said, level=Level.WARNING, effect=Effect.NONE) if account.policy.owns else said


def _ask(changes: Iterable[Change]) -> str:
    """Return a question about declared event_names that no meter has, and what they may rename."""
    unmet = [
        f"{each.event_name!r}{f' (formerly {old.event_name!r}?)' if old else ''}"
        for each in changes
        if each.desired and each.desired.status == Status.ACTIVE and not each.existing_meters
        for old in [each.renamed_from]
    ]
    if not unmet:
        return ""
    listed = list_some(unmet, _MOST_NAMES)
    return f"was it sent as one that is declared and has no meter, {listed}?"
