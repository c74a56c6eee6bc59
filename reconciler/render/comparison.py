"""What every format says of a comparison: its verdict, and a row for each event_name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.lookalikes import tell_apart
from ..diagnostics.shorten import shorten
from ..model.comparison import MeterComparison, Parity, Side
from ..report.comparison import Comparison
from .labels import count
from .sum_up import sum_up
from .summary import Tone

_NOTHING = "(not set)"


class Row(Struct, frozen=True):
    """One event_name: how it compares, in words, and the values of each field that differs."""

    name: str
    parity: Parity
    verdict: str
    fields: tuple[tuple[str, str, str], ...] = ()


def format_title(document: Comparison) -> str:
    """Return what is compared."""
    return f"Comparison of {' and '.join(name_accounts(document))}"


def name_accounts(document: Comparison) -> list[str]:
    """Return the names of both accounts."""
    return [each.account.name for each in document.accounts]


def list_diagnostics(document: Comparison, *, every: bool = False) -> list[tuple[str, Diagnostic]]:
    """Return the diagnostics, errors first, each with the name of its account, if any.

    Many warnings of one kind are summed up, unless all are asked for.
    """
    said = [("", each) for each in document.diagnostics]
    for one in document.accounts:
        told = one.diagnostics if every else sum_up(one.diagnostics)
        said += [(one.account.name, each) for each in told]
    levels = list(Level)
    return sorted(said, key=lambda pair: levels.index(pair[1].level))


def judge(document: Comparison) -> tuple[Tone, str]:
    """Return the verdict in one sentence."""
    if not document.compared:
        return Tone.BAD, "Not compared."
    number, total = len(document.differences), len(document.meters)
    if number:
        verb = "differs" if number == 1 else "differ"
        return Tone.WARNING, f"{number:,} of {count(total, 'event_name')} {verb}."
    if not total:
        return Tone.GOOD, "No meters to compare."
    return Tone.GOOD, f"No differences in {count(total, 'event_name')}."


def list_notes(document: Comparison) -> Iterator[str]:
    """Yield the counts of what is equal, and what the comparison leaves out."""
    counts = document.counts
    equal, inactive = counts[Parity.SAME], counts[Parity.INACTIVE]
    said = [f"{equal:,} equal"] if equal and document.differences else []
    said += [f"{inactive:,} active in neither account"] if inactive else []
    if said:
        yield f"{', '.join(said)}."
    if document.compared and document.narrowed:
        yield "Partial comparison: only event_names that match were compared."


def list_rows(document: Comparison, *, every: bool = False) -> list[Row]:
    """Return a row for each event_name that differs, or for all."""
    shown = document.meters if every else document.differences
    a, b = name_accounts(document)
    return [_build_row(each, a, b) for each in shown]


def _build_row(each: MeterComparison, a: str, b: str) -> Row:
    fields = tuple(
        (field.path, _format_value(field.a) + one, _format_value(field.b) + other)
        for field in each.fields
        for one, other in [tell_apart(field.a, field.b)]
    )
    return Row(_format_name(each), each.parity, _describe(each, a, b), fields)


def _format_name(each: MeterComparison) -> str:
    one, other = each.a.event_name, each.b.event_name
    if one and other and one != other:
        return f"{shorten(one)} ↔ {shorten(other)}"
    return shorten(each.name)


def _describe(each: MeterComparison, a: str, b: str) -> str:
    match each.parity:
        case Parity.AMBIGUOUS:
            several = [_list_several(side, name) for side, name in ((each.a, a), (each.b, b))]
            return f"not comparable: {' and '.join(filter(None, several))}"
        case Parity.ONLY_A:
            return f"only in {a}{_list_ids(each.a)}"
        case Parity.ONLY_B:
            return f"only in {b}{_list_ids(each.b)}"
        case Parity.DIFFERS:
            return "differs"
        case Parity.INACTIVE:
            return "active in neither account"
    return "equal"


def _list_several(side: Side, account: str) -> str:
    if len(side.current) < 2:
        return ""
    ids = ", ".join(meter.id for meter in side.current)
    return f"{len(side.current)} active meters in {account} ({ids})"


def _list_ids(side: Side) -> str:
    return f" ({side.meter.id})" if side.meter else ""


def _format_value(value: Any) -> str:
    return _NOTHING if value is None else shorten(json.dumps(value, ensure_ascii=False))
