"""Parts of reports to render: a line of every kind, and what hostile names look like."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from reconciler.diagnostics.diagnostic import Location
from reconciler.model.change import Action, Change, FieldChange
from reconciler.model.meter import DefaultAggregation, ExistingMeter, Meter, StatusTransitions
from reconciler.model.price import Price
from reconciler.model.project import MeterConfig

DAY = 86_400
NOON = 1_793_800_800  # 2026-11-04T14:00:00Z
HASH = "9f2c41d07be8a35516c0ad4f7721e98b3c5d6e7f8091a2b3c4d5e6f708192a3b"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)//@octocat #1 https://evil.example/?a=b&c",
    "a|b\\|c`d``e\r\nf\u2028g",
    "</td></tr></table>--><!-- [x](javascript:alert(1)) ]]>",
    "::error file=a,line=1::owned%0A",
    "\u202egnp.exe \x00\x07\ufffe\ud800 user@evil.example www.evil.example $x$ :tada:",
)


def own(text: str) -> str:
    """A page without its style sheet and its script, which are the same on every page."""
    text = re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", text, flags=re.DOTALL)
    return re.sub(r"sha256-[\w+/&#;]+=*", "sha256-…", text)


def texts() -> st.SearchStrategy[str]:
    """Any text at all, often made of the characters that formats care for."""
    odd = st.sampled_from("<>&\"'`|\\@#:%,*_[](){}!~$\r\n\t\x00\x1b\u202e\u2028\ufeff-= .")
    pieces = st.one_of(st.sampled_from(HOSTILE), odd, st.characters())
    return st.lists(pieces, min_size=1, max_size=8).map("".join)


def meter(name: str, display: str = "", formula: str = "sum") -> Meter:
    return Meter(
        event_name=name,
        display_name=display or name.replace("_", " ").capitalize(),
        default_aggregation=DefaultAggregation(formula),
    )


def declared(name: str, line: int = 4, display: str = "", formula: str = "sum") -> MeterConfig:
    location = Location("billing/meters/ai.yaml", line, 5, line + 3, 1)
    return MeterConfig(meter=meter(name, display, formula), location=location)


def existing(name: str, number: int, status: str = "active", display: str = "") -> ExistingMeter:
    asked = meter(name, display)
    return ExistingMeter(
        event_name=asked.event_name,
        display_name=asked.display_name,
        default_aggregation=asked.default_aggregation,
        id=f"mtr_test_{number:04}",
        status=status,
        created=NOON - 90 * DAY,
        updated=NOON - 3 * DAY,
        livemode=True,
        status_transitions=StatusTransitions(NOON - 3 * DAY if status == "inactive" else None),
    )


def creation(name: str, line: int = 4) -> Change:
    return Change(
        action=Action.CREATE,
        event_name=name,
        reason="missing",
        desired=declared(name, line),
    )


def waking(name: str, line: int = 12) -> Change:
    return Change(
        action=Action.REACTIVATE,
        event_name=name,
        reason="inactive",
        desired=declared(name, line),
        existing=existing(name, 2, "inactive"),
        fields=(FieldChange("status", "inactive", "active"),),
        prices=(Price("price_1Seats", "mtr_test_0002", nickname="Team plan"),),
    )


def renaming(name: str, line: int = 20) -> Change:
    return Change(
        action=Action.UPDATE,
        event_name=name,
        reason="renamed",
        desired=declared(name, line, "Image renders"),
        existing=existing(name, 3, display="Pictures"),
        fields=(FieldChange("display_name", "Pictures", "Image renders"),),
    )


def blocked(name: str, line: int = 28) -> Change:
    return Change(
        action=Action.BLOCKED,
        event_name=name,
        reason="differs",
        desired=declared(name, line, formula="count"),
        existing=existing(name, 4),
        fields=(FieldChange("default_aggregation.formula", "sum", "count"),),
    )


def stopping(name: str, line: int = 36) -> Change:
    return Change(
        action=Action.DEACTIVATE,
        event_name=name,
        reason="declared_inactive",
        desired=declared(name, line),
        existing=existing(name, 5),
        fields=(FieldChange("status", "active", "inactive"),),
        prices=(Price("price_1Sms", "mtr_test_0005"),),
        refused_by=("G004",),
    )


def unmanaged(name: str) -> Change:
    return Change(
        action=Action.UNMANAGED,
        event_name=name,
        reason="undeclared",
        existing=existing(name, 6),
    )


def in_sync(name: str, line: int = 44) -> Change:
    return Change(
        action=Action.UNCHANGED,
        event_name=name,
        reason="in_sync",
        desired=declared(name, line),
        existing=existing(name, 7),
    )
