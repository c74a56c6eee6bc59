"""Compare the meters of two accounts, field by field, as they are and without any declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..model.comparison import FieldDifference, MeterComparison, Parity, Side
from ..model.match import MeterMatch, has_same_settings, match_meters
from ..model.meter import ExistingMeter
from ..model.pattern import fits

_OWN = ("id", "object", "created", "updated", "livemode", "status_transitions", "event_name")
"""The fields of a meter that two accounts never share; event_names are matched instead."""


def compare_accounts(
    a: Iterable[ExistingMeter],
    b: Iterable[ExistingMeter],
    mapping: Mapping[str, str],
    only: tuple[str, ...] = (),
) -> tuple[MeterComparison, ...]:
    """Return one comparison for each event_name of either account, differences first.

    `mapping` has the event_names of the first account that have another one in the second; `only`
    are globs that one of both must match.
    """
    ours = {match.event_name: match for match in match_meters((), a)}
    theirs = {match.event_name: match for match in match_meters((), b)}
    compared = (
        _compare(_name(one, ours), _name(other, theirs))
        for one, other in _pair_names(ours, theirs, mapping)
        if any(fits(name, only) for name in (one, other) if name is not None)
    )
    order = list(Parity)
    return tuple(sorted(compared, key=lambda each: (order.index(each.parity), each.name)))


def _pair_names(
    ours: Mapping[str, object], theirs: Mapping[str, object], mapping: Mapping[str, str]
) -> Iterator[tuple[str | None, str | None]]:
    """Yield every event_name of either account once; None where the name is mapped elsewhere."""
    mapped = {one: other for one, other in mapping.items() if one in ours or other in theirs}
    yield from mapped.items()
    taken = set(mapped.values())
    for name in sorted(ours.keys() | theirs.keys()):
        one = name if name not in mapped else None
        other = name if name not in taken else None
        if (one in ours and one is not None) or (other in theirs and other is not None):
            yield one, other


def _name(name: str | None, matches: Mapping[str, MeterMatch]) -> MeterMatch | None:
    return None if name is None else matches.get(name) or MeterMatch(name, None, (), ())


def _compare(a: MeterMatch | None, b: MeterMatch | None) -> MeterComparison:
    counts = [len(_list_current(match)) for match in (a, b)]
    match counts:
        case [1, 1]:
            return _compare_meters(_choose(a), _choose(b))
        case [1, 0] if b and b.inactive:
            return _compare_meters(_choose(a), _choose(b, _choose(a).meter))
        case [0, 1] if a and a.inactive:
            return _compare_meters(_choose(a, _choose(b).meter), _choose(b))
    parity = Parity.AMBIGUOUS
    if max(counts) == 0:
        parity = Parity.INACTIVE
    elif max(counts) == 1:
        parity = Parity.ONLY_A if counts[0] else Parity.ONLY_B
    return MeterComparison(parity=parity, a=_choose(a), b=_choose(b))


def _list_current(match: MeterMatch | None) -> tuple[ExistingMeter, ...]:
    """Return the meters that are not inactive, those of an unknown status included."""
    return match.active + match.unclear if match else ()


def _choose(match: MeterMatch | None, like: ExistingMeter | None = None) -> Side:
    """Return the meter of an account that is compared; of several current ones, none.

    Of inactive ones it is the one with the same settings as the other account's meter, else the
    one deactivated last.
    """
    if match is None:
        return Side(event_name=None)
    current = _list_current(match)
    chosen = next(iter(current), None) if len(current) < 2 else None
    if not current and like:
        alike = (each for each in match.inactive if has_same_settings(each, like))
        chosen = next(alike, match.inactive[0])
    others = tuple(each for each in match.meters if each is not chosen)
    return Side(event_name=match.event_name, meter=chosen, others=others)


def _compare_meters(a: Side, b: Side) -> MeterComparison:
    fields = tuple(_find_differences(a.meter, b.meter)) if a.meter and b.meter else ()
    parity = Parity.DIFFERS if fields else Parity.SAME
    return MeterComparison(parity=parity, a=a, b=b, fields=fields)


def _find_differences(a: ExistingMeter, b: ExistingMeter) -> Iterator[FieldDifference]:
    """Yield the fields that differ, sorted by path; those that this version does not know too."""
    one, other = _comparable(a.as_api()), _comparable(b.as_api())
    if one == other:
        return
    from deepdiff import DeepDiff  # 95 ms to import: only for meters that do differ

    tree = DeepDiff(one, other, view="tree")
    leaves = [leaf for kind in tree.values() for leaf in kind]
    for path in sorted({_shorten(leaf.path(output_format="list")) for leaf in leaves}):
        yield FieldDifference(".".join(path), _get(one, path), _get(other, path))


def _comparable(meter: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a meter that two accounts can share, without those that are not set."""
    return _drop_unset({key: value for key, value in meter.items() if key not in _OWN})


def _drop_unset(fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        key: _drop_unset(value) if isinstance(value, Mapping) else value
        for key, value in fields.items()
    }
    return {key: value for key, value in kept.items() if value not in (None, [], {})}


def _shorten(path: list[Any]) -> tuple[str, ...]:
    """Return the path of a whole list instead of that of an item."""
    steps = next((n for n, step in enumerate(path) if not isinstance(step, str)), len(path))
    return tuple(path[:steps])


def _get(fields: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = fields
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
