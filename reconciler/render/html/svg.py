"""Draw charts as plain SVG, each with its numbers in words beside it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from .markup import Html, tag

_WIDTH = 1000
_LEAST = 8  # of a part that would otherwise be too small to see


class Part(Struct, frozen=True):
    """One part of a bar: its name, the class that colours it, and its number."""

    name: str
    look: str
    number: int


def draw_bar(title: str, parts: Iterable[Part]) -> Html:
    """Return a stacked bar with a legend; empty parts are left out."""
    shown = [part for part in parts if part.number]
    said = ", ".join(f"{part.number:,} {part.name}" for part in shown)
    return tag(
        "figure",
        tag("figcaption", title),
        tag(
            "svg",
            tag("title", f"{title}: {said}"),
            *_draw_parts(shown),
            viewBox=f"0 0 {_WIDTH} 28",
            preserveAspectRatio="none",
            role="img",
        ),
        tag("ul", *map(_build_legend, shown), class_="legend"),
    )


def draw_gauge() -> Html:
    """Return the mark of the tool, a meter with its needle, as decoration."""
    return tag(
        "svg",
        tag("path", d="M4 18a9 9 0 1 1 16 0", class_="dial"),
        tag("path", d="M12 15l4.5-6", class_="needle"),
        viewBox="0 0 24 24",
        class_="gauge",
        aria_hidden="true",
    )


def _draw_parts(parts: list[Part]) -> Iterable[Html]:
    total = sum(part.number for part in parts)
    spare = _WIDTH - _LEAST * len(parts)
    x = 0.0
    for part in parts:
        width = _LEAST + spare * part.number / total
        yield tag(
            "rect",
            x=f"{x:.2f}",
            y=0,
            width=f"{width:.2f}",
            height=28,
            class_=f"fill {part.look}",
        )
        x += width


def _build_legend(part: Part) -> Html:
    swatch = tag("span", class_=f"swatch {part.look}", aria_hidden="true")
    return tag("li", swatch, tag("b", f"{part.number:,}"), f" {part.name}")
