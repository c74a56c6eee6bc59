"""New and reactivated meters that look like renames of undeclared ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Generic, TypeAlias, TypeVar

from msgspec.structs import replace

from ..model.change import Action, Change
from ..model.event import RESEND
from ..model.match import get_settings
from ..model.meter import ExistingMeter, Meter, Status

MeterT = TypeVar("MeterT", bound=Meter)
_Groups: TypeAlias = "dict[tuple[object, ...], _Group[MeterT]]"

_SIMILAR = 0.6  # the share of common letter pairs from which two event_names are similar
_RAREST = 6  # letter pairs of a name that are looked up
_CANDIDATES = 100  # meters that are compared for each of these pairs


def mark_renames(changes: tuple[Change, ...], now: int) -> tuple[Change, ...]:
    """Return the changes; new meters and the undeclared ones that they seem to rename are marked.

    That is an active undeclared meter with the same immutable settings, and with a similar
    event_name or an equal display_name. A new meter is marked with the most similar of several
    undeclared ones; each of these that would be deactivated with a new one.
    """
    if not any(change.action.writes for change in changes):
        return changes
    undeclared, activated = _group(changes, _get_undeclared), _group(changes, _get_activated)
    recent = _group(changes, partial(_get_recent, now), partial(_get_updated, now))
    former = dict(_find_similar(changes, _get_activated, undeclared))
    renamed = dict(_find_similar(changes, _get_deactivated, recent))
    renames = dict(_find_similar(changes, _get_deactivated, activated))
    later = {name: meter.event_name for name, meter in (renamed | renames).items()}
    later |= {meter.event_name: name for name, meter in former.items()}
    return tuple(
        replace(change, renamed_from=former.get(name), renamed_to=later.get(name))
        if (name := change.event_name) in former or name in later
        else change
        for change in changes
    )


def _find_similar(
    changes: tuple[Change, ...], select: Callable[[Change], Meter | None], groups: _Groups[MeterT]
) -> Iterator[tuple[str, MeterT]]:
    """Yield the event_names of the selected meters that are similar to one of the others."""
    for change in changes:
        meter = select(change)
        group = groups.get(get_settings(meter)) if meter else None
        if meter and group and (found := group.find_most_similar(meter)):
            yield change.event_name, found


def _group(
    changes: tuple[Change, ...], *selections: Callable[[Change], MeterT | None]
) -> _Groups[MeterT]:
    groups: _Groups[MeterT] = {}
    for change in changes:
        for select in selections:
            if meter := select(change):
                groups.setdefault(get_settings(meter), _Group()).add(meter)
    return groups


def _get_undeclared(change: Change) -> ExistingMeter | None:
    """Return the active meter of an event_name that no file declares."""
    return change.existing if _has_active(change) and not change.desired else None


def _get_deactivated(change: Change) -> ExistingMeter | None:
    """Return the meter that is deactivated because no file declares its event_name."""
    return _get_undeclared(change) if change.action is Action.DEACTIVATE else None


def _get_activated(change: Change) -> Meter | None:
    """Return the declared meter where its event_name has no active meter and gets one."""
    activates = change.action in (Action.CREATE, Action.REACTIVATE)
    return change.desired.meter if activates and change.desired else None


def _get_recent(now: int, change: Change) -> ExistingMeter | None:
    """Return the active meter that a file declares active, if an earlier run may have made it."""
    meter = change.existing if _has_active(change) else None
    declared = change.desired is not None and change.desired.status == Status.ACTIVE
    return meter if meter and declared and now - _find_appearance(meter) <= RESEND else None


def _get_updated(now: int, change: Change) -> ExistingMeter | None:
    """Return such a meter with the display_name that it is to have.

    A run that was killed has reactivated a meter, and not updated it yet: what looked like a rename
    to the plan of that run still does.
    """
    meter = _get_recent(now, change) if change.action is Action.UPDATE else None
    if not meter or not change.desired:
        return None
    return replace(meter, display_name=change.desired.meter.display_name)


def _find_appearance(meter: ExistingMeter) -> int:
    """Return when a meter was created, or reactivated: nothing but `updated` shows that."""
    return max(meter.created, meter.updated)


def _has_active(change: Change) -> bool:
    return change.existing is not None and change.existing.active


class _Group(Generic[MeterT]):
    """Meters of the same settings, indexed by the letter pairs of their names.

    The index bounds the comparisons of each meter, so that a thousand new meters are compared
    with a thousand undeclared ones in a fraction of a second.
    """

    def __init__(self) -> None:
        self._by_display_name: dict[str, list[MeterT]] = {}
        self._by_pair: dict[str, list[tuple[frozenset[str], MeterT]]] = {}

    def add(self, meter: MeterT) -> None:
        self._by_display_name.setdefault(meter.display_name, []).append(meter)
        pairs = _split_pairs(meter.event_name)
        for pair in pairs:
            self._by_pair.setdefault(pair, []).append((pairs, meter))

    def find_most_similar(self, other: Meter) -> MeterT | None:
        """Return the most similar meter that may have renamed the other."""
        for meter in self._by_display_name.get(other.display_name, ())[:_CANDIDATES]:
            if _may_succeed(meter, other):
                return meter
        pairs = _split_pairs(other.event_name)
        best, former = max(
            (
                (_compare(pairs, theirs), meter)
                for theirs, meter in self._find_candidates(pairs)
                if _may_succeed(meter, other)
            ),
            key=lambda scored: (scored[0], scored[1].event_name),
            default=(0.0, None),
        )
        return former if best >= _SIMILAR else None

    def _find_candidates(self, pairs: frozenset[str]) -> Iterator[tuple[frozenset[str], MeterT]]:
        known = [pair for pair in pairs if pair in self._by_pair]
        known.sort(key=lambda pair: (len(self._by_pair[pair]), pair))
        for pair in known[:_RAREST]:
            yield from self._by_pair[pair][:_CANDIDATES]


def _may_succeed(meter: Meter, other: Meter) -> bool:
    """Whether one meter may have replaced the other; of two existing ones only the later may."""
    if isinstance(meter, ExistingMeter) and isinstance(other, ExistingMeter):
        return _find_appearance(meter) > other.created
    return True


def _compare(ours: frozenset[str], theirs: frozenset[str]) -> float:
    """Return the share of letter pairs that two names have in common (Sørensen-Dice)."""
    return 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))


def _split_pairs(name: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(name)))
