"""A comparison of two accounts as a page."""

from __future__ import annotations

from collections.abc import Iterator

from ...report.comparison import Comparison
from ..comparison import (
    Row,
    format_title,
    judge,
    list_diagnostics,
    list_notes,
    list_rows,
    name_accounts,
)
from ..labels import describe_account
from .markup import Html, table, tag
from .sections import build_diagnostic, build_verdict


def build_body(document: Comparison) -> tuple[Html | None, ...]:
    """Return the verdict, the differences, what is equal, and the diagnostics."""
    tone, verdict = judge(document)
    header = tag(
        "header",
        tag("p", "reconciler", tag("span", " for Stripe billing meters"), class_="brand"),
        tag("h1", format_title(document)),
        tag("p", *_join_accounts(document), class_="badges"),
        build_verdict(tone, verdict, tag("span", " ".join(list_notes(document)))),
    )
    rows = list_rows(document, every=True)
    differing = rows[: len(document.differences)]  # they come first
    content = (
        _build_rows("Differences", differing, document) if differing else None,
        _build_names("Without difference", rows[len(differing) :]),
        _build_messages(document),
    )
    exit_code = tag("div", tag("dt", "Exit code"), tag("dd", str(int(document.exit_code))))
    return header, tag("main", *content), tag("footer", tag("dl", exit_code))


def _join_accounts(document: Comparison) -> Iterator[Html]:
    for each in document.accounts:
        yield tag("span", describe_account(each.account), class_="tag")


def _build_rows(caption: str, rows: list[Row], document: Comparison) -> Html:
    cells = (line for row in rows for line in _build_cells(row))
    return table(caption, ("Meter", "Result", "Field", *name_accounts(document)), cells)


def _build_cells(row: Row) -> Iterator[tuple[Html | str, ...]]:
    """Yield a line for each field that differs, or one where the meter differs as a whole."""
    name = tag("code", row.name)
    for path, a, b in row.fields or (("", "", ""),):
        yield name, row.verdict, path, tag("span", a), tag("span", b)


def _build_names(caption: str, rows: list[Row]) -> Html | None:
    if not rows:
        return None
    names = ((tag("code", row.name), row.verdict) for row in rows)
    return tag(
        "details",
        tag("summary", f"{caption}: {len(rows):,}"),
        table(caption, ("Meter", "Result"), names),
    )


def _build_messages(document: Comparison) -> Html | None:
    entries = [build_diagnostic(*pair) for pair in list_diagnostics(document)]
    if not entries:
        return None
    return tag("section", tag("h2", "Messages"), tag("ul", *entries, class_="said"))
