"""Build HTML: every string is escaped, and only the results of these functions are markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape as _escape

from msgspec import Struct

from ...timestamps import format_time
from ..escape import clean

_VOID = {"br", "input", "meta"}
_INLINE = {"b", "code", "span", "time", "ins", "del", "strong", "a", "pre", "title", "svg"}


class Html(Struct, frozen=True):
    """Finished markup; every other string is text, and is escaped."""

    text: str


Child = Html | str | Iterable[Html | str] | None


def escape(text: str) -> str:
    """Escape a value for text or for the quotes of an attribute."""
    return _escape(clean(text))


def tag(element: str, /, *children: Child, **attributes: str | int | None) -> Html:
    """Return an element; `class_="a"` is class, `data_name="b"` data-name, None leaves one out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "" if element in _INLINE else "\n"  # so that two pages can be compared
    if element in _VOID:
        return Html(f"<{element}{given}>{end}")
    return Html(f"<{element}{given}>{''.join(_escape_all(children))}</{element}>{end}")


def join(*children: Child) -> Html:
    """Return several pieces of markup and text, one after the other."""
    return Html("".join(_escape_all(children)))


def _escape_all(children: Iterable[Child]) -> Iterator[str]:
    for child in children:
        match child:
            case None:
                continue
            case Html(text=text):
                yield text
            case str():
                yield escape(child)
            case several:
                yield from _escape_all(several)


def format_prose(text: str) -> Html:
    """Return prose; text in backticks becomes code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return join(text)
    return join(*(tag("code", part) if n % 2 else part for n, part in enumerate(parts)))


def format_moment(seconds: int) -> Html:
    """Return a time in UTC for people, and as an attribute for programs."""
    iso = format_time(seconds)
    return tag("time", f"{iso[:10]} {iso[11:16]} UTC", datetime=iso)


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[Html | str]]) -> Html:
    """Return a table with a caption; the first cell of a row is its head.

    On a phone every row becomes a block, which takes the implied roles of a table away: so they
    are explicit.
    """
    names = list(heads)
    columns = (tag("th", name, scope="col", role="columnheader") for name in names)
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *columns, role="row"), role="rowgroup"),
        tag("tbody", *(_build_row(names, list(cells)) for cells in rows), role="rowgroup"),
        role="table",
    )


def _build_row(names: list[str], cells: list[Html | str]) -> Html:
    first, *rest = zip(names, cells, strict=True)
    return tag(
        "tr",
        tag("th", first[1], scope="row", role="rowheader", data_label=first[0]),
        *(tag("td", cell, role="cell", data_label=name) for name, cell in rest),
        role="row",
    )
