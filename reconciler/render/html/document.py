"""One self-contained page, for a browser, a phone or a printer.

The page loads nothing. Its policy allows the one style sheet and the one script below,
by their hashes, and nothing else; data is in text and attributes, never in the script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from ...diagnostics.diagnostic import Level
from ...model.change import Risk
from ...report.comparison import Comparison
from ...report.report import Report
from ..comparison import format_title
from ..fleet.groups import has_many
from ..fleet.shared import condense
from ..view import View, build_view, group_items
from . import comparison, sections
from .cards import build_cards
from .markup import Html, join, tag


def render(report: Report | Comparison) -> str:
    """Return the report as an HTML document; the same report gives the same bytes."""
    if isinstance(report, Comparison):
        return _build_page(format_title(report), comparison.build_body(report))
    return _build_page(sections.format_title(report), _build_body(build_view(report)))


def _build_page(title: str, content: tuple[Html | None, ...]) -> str:
    style, script = _read("page.css"), _read("page.js")
    head = tag(
        "head",
        Html('<meta charset="utf-8">'),
        tag("meta", http_equiv="Content-Security-Policy", content=_build_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        Html(f"<style>{style}</style>"),
    )
    body = tag("body", *content, Html(f"<script>{script}</script>"))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en').text}\n"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _build_policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _build_body(view: View) -> tuple[Html | None, ...]:
    charts = sections.build_charts(view)
    view = condense(view)
    content = (
        sections.build_losses(view),
        charts,
        sections.build_accounts(view),
        sections.build_diagnostics(view, "Action required", Level.ERROR),
        _build_meters(view) if view.items else None,
        sections.build_diagnostics(view, "Also to know", Level.WARNING, Level.INFO),
        sections.build_timeline(view),
    )
    return (
        tag("a", "Skip to the meters", href="#meters", class_="skip") if view.items else None,
        sections.build_header(view),
        tag("main", *content),
        sections.build_footer(view),
    )


def _build_meters(view: View) -> Html:
    shown = group_items(view.items)
    return tag(
        "section",
        tag("h2", "Meters", id="meters"),
        _build_tools(view),
        tag("p", f"{len(shown):,} of {len(shown):,} shown", id="shown", aria_live="polite"),
        build_cards(shown, several=view.has_several),
        aria_labelledby="meters",
    )


def _build_tools(view: View) -> Html:
    """Return the filters; hidden where no script runs, since they would do nothing."""
    statuses = sorted({str(item.status) for item in view.items})
    degrees = [str(degree) for degree in reversed(Risk)]
    names = sorted(account.name for account in view.accounts)
    few = view.has_several and not has_many(view)
    search = tag("input", type="search", id="find", placeholder="event_name, id, text …")
    sorts = (("rank", "Most important first"), ("name", "event_name"), ("since", "newest first"))
    return tag(
        "div",
        tag("label", "Find", search, for_="find"),
        _build_filter("severity", view.degree_name, [*degrees, "ignored"]),
        _build_filter("status", "Status", statuses) if len(statuses) > 1 else None,
        _build_filter("account", "Account", names) if few else None,
        _build_select("sort", "Sort", (tag("option", label, value=key) for key, label in sorts)),
        tag("button", "Open all", type="button", id="open"),
        tag("button", "Close all", type="button", id="close"),
        class_="tools",
        role="search",
        aria_label="Filter and sort the meters",
        hidden="",
    )


def _build_filter(name: str, label: str, values: list[str]) -> Html:
    options = (tag("option", value, value=value) for value in values)
    return _build_select(name, label, (tag("option", "all", value=""), *options))


def _build_select(name: str, label: str, options: Iterable[Html]) -> Html:
    return tag("label", label, tag("select", join(*options), id=name), for_=name)
