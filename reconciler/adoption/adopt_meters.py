"""Select the existing meters of an account that no file declares, for a declaration of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from ..config.meter_file import read_meters
from ..config.secret_scan import redact
from ..diagnostics.codes import adoption as codes
from ..diagnostics.diagnostic import Diagnostic, Level
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter
from ..model.pattern import fits, matches
from ..model.project import Account
from .entries import Adoption, write_file

_NOTHING = "nothing to declare: no undeclared meter matches"


class Wanted(Struct, frozen=True):
    """Which meters are to be declared: `only` are globs of event_names, () selects all."""

    only: tuple[str, ...] = ()
    include_inactive: bool = False


class Adopted(Struct, frozen=True):
    """The meters to declare, sorted by event_name, and what was left out of them and why."""

    adoptions: tuple[Adoption, ...]
    diagnostics: tuple[Diagnostic, ...]

    def write(self) -> str:
        """Return a meter file that declares them."""
        return write_file(self.adoptions)

    @property
    def meters(self) -> tuple[ExistingMeter, ...]:
        """The meters alone."""
        return tuple(each.meter for each in self.adoptions)


def adopt_meters(
    existing: Iterable[ExistingMeter],
    account: Account,
    wanted: Wanted,
    origins: Mapping[str, str] = MappingProxyType({}),
) -> Adopted:
    """Return the undeclared meters whose declarations leave the next plan without changes.

    Of several meters of one event_name this is the active one, else the one that was deactivated
    last. Meters outside of `owns` belong to other projects, unless `only` names them. `origins`
    are notes on where meters are managed so far, by id.
    """
    foreign = inactive = 0
    adoptions, blocked = [], []
    for names in match_meters(account.declared, existing):
        if names.desired or not fits(names.event_name, wanted.only):
            continue
        if not (wanted.only or _is_owned(names.event_name, account)):
            foreign += 1
        elif obstacle := _find_obstacle(names):
            blocked.append(obstacle)
        elif names.active or wanted.include_inactive:
            meter, *others = names.meters
            adoptions.append(Adoption(meter, tuple(others), origins.get(meter.id, "")))
        else:
            inactive += 1
    kept, invalid = _keep_declarable(adoptions)
    said = (*blocked, *invalid, *_note_left_out(foreign, inactive))
    return Adopted(kept, said if kept or said else (codes.LEFT_OUT(_NOTHING),))


def _is_owned(event_name: str, account: Account) -> bool:
    return not account.policy.owns or matches(event_name, account.policy.owns)


def _find_obstacle(names: MeterMatch) -> Diagnostic | None:
    """Return why a declaration of this event_name would be blocked."""
    if len(names.active) > 1:
        ids = ", ".join(meter.id for meter in names.active)
        message = f"{names.event_name!r} has {len(names.active)} active meters: {ids}"
    elif names.unclear:
        meter = names.unclear[0]
        message = f"{names.event_name!r}: the status of {meter.id} is {meter.status!r}"
    else:
        return None
    return codes.NOT_DECLARABLE(f"left out: {message}", event_name=names.event_name)


def _keep_declarable(
    adoptions: list[Adoption],
) -> tuple[tuple[Adoption, ...], tuple[Diagnostic, ...]]:
    """Return the meters that a file can declare, and why others are left out."""
    if not list(_find_errors(adoptions)):
        return tuple(adoptions), ()
    errors = {each: list(_find_errors([each])) for each in adoptions}
    kept = tuple(each for each, found in errors.items() if not found)
    left = (_describe_invalid(each, found[0]) for each, found in errors.items() if found)
    return kept, tuple(left)


def _find_errors(adoptions: list[Adoption]) -> Iterator[Diagnostic]:
    """Yield what is wrong with a file of these meters, or the meters that it would not declare."""
    file = read_meters(write_file(adoptions).encode(), "")
    yield from (each for each in file.diagnostics if each.level is Level.ERROR)
    declared = [(each.meter, str(each.status)) for each in file.declared]
    if declared != [(each.meter.meter, str(each.meter.status)) for each in adoptions]:
        yield codes.NOT_DECLARABLE("it would be read as another meter")


def _describe_invalid(adoption: Adoption, why: Diagnostic) -> Diagnostic:
    message = f"left out: {adoption.meter.id} cannot be declared: {why.message}"
    return redact(codes.NOT_DECLARABLE(message, event_name=adoption.event_name))


def _note_left_out(foreign: int, inactive: int) -> Iterator[Diagnostic]:
    if foreign:
        names = _count(foreign)
        hint = "--only '*' includes them"
        yield codes.LEFT_OUT(f"{names} outside of `owns` left out; {hint}", hint=hint)
    if inactive:
        names = _count(inactive)
        hint = "`import --include-inactive` declares them with `status: inactive`"
        yield codes.LEFT_OUT(f"{names} without an active meter left out; {hint}", hint=hint)


def _count(number: int) -> str:
    return "1 event_name" if number == 1 else f"{number:,} event_names"
