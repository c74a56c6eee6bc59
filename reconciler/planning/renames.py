"""New meters that look like renamed ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ..model.change import Action, Change
from ..model.match import get_settings
from ..model.meter import ExistingMeter, Meter

_SIMILAR = 0.6  # the share of common letter pairs from which two event_names are similar
_RAREST = 6  # letter pairs of a new name that are looked up
_CANDIDATES = 100  # meters that are compared for each of these pairs


def mark_renames(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes; a new meter that seems to rename an undeclared one refers to it.

    That is an active meter with the same immutable settings, and with a similar event_name or an
    equal display_name; the most similar one if there are several.
    """
    groups: dict[tuple[object, ...], _Group] = {}
    for change in changes:
        if change.existing and change.existing.active and not change.desired:
            groups.setdefault(get_settings(change.existing), _Group()).add(change.existing)

    def mark(change: Change) -> Change:
        if change.action is not Action.CREATE or change.others or not change.desired:
            return change
        group = groups.get(get_settings(change.desired.meter))
        former = group.find_most_similar(change.desired.meter) if group else None
        return replace(change, renamed_from=former) if former else change

    return tuple(map(mark, changes))


class _Group:
    """Undeclared meters of the same settings, indexed by the letter pairs of their names.

    The index bounds the comparisons of each new meter, so that a thousand new meters are
    compared with a thousand undeclared ones in a fraction of a second.
    """

    def __init__(self) -> None:
        self._by_display_name: dict[str, ExistingMeter] = {}
        self._by_pair: dict[str, list[tuple[frozenset[str], ExistingMeter]]] = {}

    def add(self, meter: ExistingMeter) -> None:
        self._by_display_name.setdefault(meter.display_name, meter)
        pairs = _split_pairs(meter.event_name)
        for pair in pairs:
            self._by_pair.setdefault(pair, []).append((pairs, meter))

    def find_most_similar(self, new: Meter) -> ExistingMeter | None:
        if new.display_name in self._by_display_name:
            return self._by_display_name[new.display_name]
        pairs = _split_pairs(new.event_name)
        best, former = max(
            ((_compare(pairs, other), meter) for other, meter in self._find_candidates(pairs)),
            key=lambda scored: (scored[0], scored[1].event_name),
            default=(0.0, None),
        )
        return former if best >= _SIMILAR else None

    def _find_candidates(
        self, pairs: frozenset[str]
    ) -> Iterator[tuple[frozenset[str], ExistingMeter]]:
        known = [pair for pair in pairs if pair in self._by_pair]
        known.sort(key=lambda pair: (len(self._by_pair[pair]), pair))
        for pair in known[:_RAREST]:
            yield from self._by_pair[pair][:_CANDIDATES]


def _compare(ours: frozenset[str], theirs: frozenset[str]) -> float:
    """Return the share of letter pairs that two names have in common (Sørensen-Dice)."""
    return 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))


def _split_pairs(name: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(name)))
