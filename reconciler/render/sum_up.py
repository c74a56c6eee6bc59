"""Of many warnings or notes of one kind, show a few and count the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..diagnostics.diagnostic import Diagnostic, Effect, Level

_FEW = 5  # diagnostics of one code that are shown one by one
_EXAMPLES = 3


def sum_up(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics, of many warnings or notes of one code three, and how many more there are.

    Nothing that decides about a run is left out.
    """
    every = list(diagnostics)
    if len(every) <= _FEW:
        return every
    alike = Counter(each.code for each in every if _is_minor(each))
    shown: list[Diagnostic] = []
    left_out: dict[str, Diagnostic] = {}
    seen: Counter[str] = Counter()
    for each in every:
        many = _is_minor(each) and alike[each.code] > _FEW
        seen[each.code] += many
        if many and seen[each.code] > _EXAMPLES:
            left_out[each.code] = each
        else:
            shown.append(each)
    counted = (_count_rest(each, alike[code] - _EXAMPLES) for code, each in left_out.items())
    return [*shown, *counted]


def _is_minor(diagnostic: Diagnostic) -> bool:
    return diagnostic.level is not Level.ERROR and diagnostic.effect is Effect.NONE


def _count_rest(one: Diagnostic, number: int) -> Diagnostic:
    message = f"{number:,} more diagnostics with code {one.code} are not listed here"
    hint = "`--format json` has all of them, and so has text with -v"
    return Diagnostic(one.code, one.level, message, hint=hint)
