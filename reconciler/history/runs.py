"""Parse the entries of the journal into runs, their changes and their requests.

The entries are written from the same types. People may have edited the journal, and newer
versions may have written it: values of an unexpected type are left out, and unknown kinds of
entries are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from msgspec.structs import replace

from ..diagnostics.codes.applying import NOT_ALLOWED
from ..model.project import AccountRef
from ..report.history import RESULTS, PastChange, PastRequest, PastRun
from ..timestamps import LATEST

Noun = TypeVar("Noun", AccountRef, PastChange, PastRequest, PastRun)
Entry = Mapping[str, Any]


def parse_runs(entries: Iterable[Entry]) -> tuple[PastRun, ...]:
    """Return the runs of a journal, in the order in which they began."""
    return tuple(_parse_run(name, of) for name, of in _group("run", entries).items())


def select_changes(runs: Iterable[PastRun], event_name: str) -> Iterator[PastRun]:
    """Yield the runs that changed one event_name, each with that change only."""
    for run in runs:
        if changes := tuple(each for each in run.changes if each.event_name == event_name):
            yield replace(run, changes=changes)


def _group(name: str, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group entries by a value, in the order in which each value first occurs."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        value = entry.get(name)
        groups.setdefault(value if isinstance(value, str) else "", []).append(entry)
    return groups


def _parse_run(name: str, entries: list[Entry]) -> PastRun:
    first = next((entry for entry in entries if entry.get("kind") == "run"), {})
    last = next((entry for entry in entries if entry.get("kind") == "end"), None)
    account = first.get("account")
    return _decode(
        PastRun,
        *filter(None, (last, first, entries[0])),
        run=name,
        account=_decode(AccountRef, account if isinstance(account, dict) else {}, {"name": "?"}),
        began=_parse_time(entries[0]),
        ended=_parse_time(last) if last else None,
        changes=tuple(
            _parse_change(each, of) for each, of in _group("event_name", entries).items() if each
        ),
    )


def _parse_change(event_name: str, entries: list[Entry]) -> PastChange:
    result = next((entry for entry in entries if entry.get("kind") == "result"), None)
    requests = tuple(_parse_requests(entries))
    if result is None:
        return PastChange(event_name=event_name, requests=requests)
    at = _parse_time(result)
    change = _decode(PastChange, result, event_name=event_name, at=at, requests=requests)
    return replace(change, requests=tuple(_settle_denied(change)))


def _settle_denied(change: PastChange) -> Iterator[PastRequest]:
    """Yield the requests; a 401 or 403 is a rejection where the result says that it had no effect.

    A change fails with this code only after its meter was read, and was as before.
    """
    proven = (change.status, change.code) == ("failed", NOT_ALLOWED.code)
    last = next((each for each in reversed(change.requests) if not each.undoes), None)
    for each in change.requests:
        denied = each.status in (401, 403) and not each.replayed
        yield replace(each, result="rejected") if proven and denied and each is last else each


def _parse_requests(entries: list[Entry]) -> list[PastRequest]:
    """Return every request, each with the first later entry of the same key."""
    later: dict[str, Entry] = {}
    requests: list[PastRequest] = []
    for entry in reversed(entries):
        if isinstance(key := entry.get("key"), str) and key:
            if entry.get("kind") == "request":
                requests.append(_parse_request(key, entry, later.get(key, {})))
            later[key] = entry
    return requests[::-1]


def _parse_request(key: str, sent: Entry, then: Entry) -> PastRequest:
    at = _parse_time(sent)
    request = _decode(PastRequest, then, sent, key=key, at=at)
    return request if request.result in RESULTS else replace(request, result=None)


def _decode(cls: type[Noun], *entries: Entry, **known: Any) -> Noun:
    """Build a noun; each value that is not `known` is the first one of its type in the entries."""
    for name, types in _TYPES[cls].items():
        found = (entry[name] for entry in entries if type(entry.get(name)) in types)
        if name not in known and (value := next(found, None)) is not None:
            known[name] = value
    return cls(**known)


def _read_types(cls: type) -> dict[str, tuple[type, ...]]:
    """Return the types that each field accepts besides None."""
    hints = get_type_hints(cls).items()
    return {name: tuple({*(get_args(hint) or (hint,))} - {type(None)}) for name, hint in hints}


_TYPES = {cls: _read_types(cls) for cls in (AccountRef, PastChange, PastRequest, PastRun)}


def _parse_time(entry: Entry) -> float:
    value = entry.get("at")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value <= LATEST else 0.0
