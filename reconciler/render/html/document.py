"""One self-contained page, for a browser, a phone or a printer.

The page loads nothing. Its policy allows the one style sheet and the one script below,
by their hashes, and nothing else; data stands in text and attributes, never in the script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from ...model.change import Risk
from ...report.report import Report
from ..view import Item, all_items, grouped
from . import sections as parts
from .cards import cards
from .markup import Html, tag, together


def render(report: Report) -> str:
    """The report as an HTML document; the same report gives the same bytes."""
    style, script = _piece("page.css"), _piece("page.js")
    head = tag(
        "head",
        Html('<meta charset="utf-8">'),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", parts.title(report)),
        Html(f"<style>{style}</style>"),
    )
    body = tag("body", *_body(report), Html(f"<script>{script}</script>"))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en').text}\n"


def _piece(name: str) -> str:
    """A part of the page that is the same for every report."""
    return files(__package__).joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _body(report: Report) -> tuple[Html | None, ...]:
    items = all_items(report)
    content = (
        parts.losses(items),
        parts.pictures(items, report),
        parts.accounts(report),
        parts.action_required(report),
        _meters(items, report) if items else None,
        parts.also_to_know(report),
        parts.timeline(items),
    )
    return (
        tag("a", "Skip to the meters", href="#meters", class_="skip") if items else None,
        parts.header(report),
        tag("main", *content),
        parts.footer(report),
    )


def _meters(items: list[Item], report: Report) -> Html:
    shown = grouped(items)
    names = [account.account.name for account in report.accounts]
    return tag(
        "section",
        tag("h2", "Meters", id="meters"),
        _tools(items, report.command, names),
        tag("p", f"{len(shown):,} of {len(shown):,} shown", id="shown", aria_live="polite"),
        cards(shown, several=len(names) > 1),
        aria_labelledby="meters",
    )


def _tools(items: list[Item], command: str, names: list[str]) -> Html:
    """Return the filters; hidden where no script runs, since they would do nothing."""
    known = {str(item.status) for item in items}
    degrees = [str(degree) for degree in reversed(Risk)]
    search = tag("input", type="search", id="find", placeholder="event_name, id, text …")
    sorts = (("rank", "Most important first"), ("name", "event_name"), ("since", "newest first"))
    return tag(
        "div",
        tag("label", "Find", search, for_="find"),
        _choice("severity", parts.degree_name(command), [*degrees, "ignored"]),
        _choice("status", "Status", sorted(known)) if len(known) > 1 else None,
        _choice("account", "Account", sorted(names)) if len(names) > 1 else None,
        _select("sort", "Sort", (tag("option", label, value=key) for key, label in sorts)),
        tag("button", "Open all", type="button", id="open"),
        tag("button", "Close all", type="button", id="close"),
        class_="tools",
        role="search",
        aria_label="Filter and sort the meters",
        hidden="",
    )


def _choice(name: str, label: str, values: list[str]) -> Html:
    every = tag("option", "all", value="")
    return _select(name, label, (every, *(tag("option", value, value=value) for value in values)))


def _select(name: str, label: str, options: Iterable[Html]) -> Html:
    return tag("label", label, tag("select", together(*options), id=name), for_=name)
