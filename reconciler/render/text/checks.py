"""Render the checks of `doctor`: one line each, and what to do about a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Level
from ...report.checkup import Check, CheckStatus, Checkup
from ..labels import count
from .styled import Line, Span, Style, wrap_text

_STYLE = {
    CheckStatus.OK: Style.GREEN,
    CheckStatus.WARNING: Style.YELLOW,
    CheckStatus.ERROR: Style.RED,
    CheckStatus.UNKNOWN: Style.FAINT,
}
_NAME_WIDTH = 13  # of the longest name
_BEFORE = " " * (2 + 7 + 2 + _NAME_WIDTH + 2)


def render_checks(checks: Iterable[Check]) -> Iterator[Line]:
    """Yield the status, the name and the message of each check, and the hint of a problem."""
    for check in checks:
        found = check.diagnostic
        message = f"{found.code}: {check.message}" if found else check.message
        first, *rest = wrap_text(message, _BEFORE)
        label, name = check.status.ljust(7), check.name.ljust(_NAME_WIDTH)
        text = str(first[0]).removeprefix(_BEFORE)
        yield ("  ", Span(label, _STYLE[check.status]), "  ", name, "  ", text)
        yield from rest
        if found and found.hint:
            yield from wrap_text(f"hint: {found.hint}", _BEFORE)


def conclude(checkup: Checkup) -> Line:
    """Return how many checks have problems."""
    found = Counter(check.status for check in checkup.every_check)
    said = [*checkup.diagnostics, *(one for each in checkup.accounts for one in each.diagnostics)]
    levels = Counter(diagnostic.level for diagnostic in said)
    errors = found[CheckStatus.ERROR] + levels[Level.ERROR]
    warnings = found[CheckStatus.WARNING] + levels[Level.WARNING]
    problems = [count(errors, "error")] if errors else []
    problems += [count(warnings, "warning")] if warnings else []
    if not problems:
        return (Span("No problems found.", Style.GREEN),)
    return (Span(f"{', '.join(problems)}.", Style.RED if errors else Style.YELLOW),)
