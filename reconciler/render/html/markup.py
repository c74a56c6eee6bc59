"""The escape of HTML: text becomes text and attributes, and only what is built here is markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape as _escape

from ...timestamps import format_time
from ..escape import clean

_VOID = {"br", "input", "meta"}
_INLINE = {"b", "code", "span", "time", "ins", "del", "strong", "a", "pre", "title", "svg"}


@dataclass(frozen=True, slots=True)
class Html:
    """Finished markup; every other string is text and is escaped on its way in."""

    text: str


Child = Html | str | Iterable[Html | str] | None


def escape(text: str) -> str:
    """A value as text or inside the quotes of an attribute."""
    return _escape(clean(text))


def tag(element: str, /, *children: Child, **attributes: str | int | None) -> Html:
    """An element; `class_="a"` is class, `data_name="b"` is data-name, None leaves one out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    end = "" if element in _INLINE else "\n"  # so that two pages can be compared
    if element in _VOID:
        return Html(f"<{element}{given}>{end}")
    return Html(f"<{element}{given}>{''.join(_texts(children))}</{element}>{end}")


def together(*children: Child) -> Html:
    """Several pieces of markup and text, one after the other."""
    return Html("".join(_texts(children)))


def _texts(children: Iterable[Child]) -> Iterator[str]:
    for child in children:
        match child:
            case None:
                continue
            case Html(text=text):
                yield text
            case str():
                yield escape(child)
            case several:
                yield from _texts(several)


def sentence(text: str) -> Html:
    """Prose; what stands in backticks becomes code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return together(text)
    return together(*(tag("code", part) if n % 2 else part for n, part in enumerate(parts)))


def moment(seconds: int) -> Html:
    """Unix seconds for people and for machines, in UTC."""
    iso = format_time(seconds)
    return tag("time", f"{iso[:10]} {iso[11:16]} UTC", datetime=iso)


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[Html | str]]) -> Html:
    """A table with a caption, its first column as the heads of its rows.

    On a phone every row becomes a block with its heads beside the cells, which takes the roles
    of a table away unless they are said.
    """
    names = list(heads)
    columns = (tag("th", name, scope="col", role="columnheader") for name in names)
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *columns, role="row"), role="rowgroup"),
        tag("tbody", *(_row(names, list(cells)) for cells in rows), role="rowgroup"),
        role="table",
    )


def _row(names: list[str], cells: list[Html | str]) -> Html:
    first, *rest = zip(names, cells, strict=True)
    return tag(
        "tr",
        tag("th", first[1], scope="row", role="rowheader", data_label=first[0]),
        *(tag("td", cell, role="cell", data_label=name) for name, cell in rest),
        role="row",
    )
