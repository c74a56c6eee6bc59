"""Parse the entries of the journal into runs, their changes and their requests.

People may have edited the journal, and newer versions may have written it: values of an
unexpected type are left out, and unknown kinds of entries are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ..model.project import AccountRef
from ..report.history import _CAME, PastChange, PastRequest, PastRun
from ..timestamps import LATEST

T = TypeVar("T")
Entry = Mapping[str, Any]


def parse_runs(entries: Iterable[Entry]) -> tuple[PastRun, ...]:
    """Return the runs of a journal, in the order in which they began."""
    return tuple(_run(name, told) for name, told in _by("run", entries).items())


def about(runs: Iterable[PastRun], event_name: str) -> Iterator[PastRun]:
    """Yield the runs that changed one event_name, each with that change only."""
    for run in runs:
        if changes := tuple(line for line in run.changes if line.event_name == event_name):
            yield replace(run, changes=changes)


def _by(name: str, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group entries by a value, in the order in which each value first occurs."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_word(entry, name) or "", []).append(entry)
    return groups


def _run(name: str, told: list[Entry]) -> PastRun:
    first = next((entry for entry in told if entry.get("kind") == "run"), {})
    last = next((entry for entry in told if entry.get("kind") == "end"), None)
    return PastRun(
        run=name,
        account=AccountRef(
            _word(first, "account") or "?", _word(first, "account_id"), _of(first, "livemode", bool)
        ),
        began=_moment(told[0]),
        ended=_moment(last) if last else None,
        exit_code=_of(last, "exit_code", int) if last else None,
        plan_id=_word(told[0], "plan_id"),
        plan_hash=_word(first, "plan_hash"),
        commit=_word(first, "commit"),
        user=_word(first, "user"),
        job=_word(first, "job"),
        tool_version=_word(first, "tool_version"),
        changes=tuple(_line(each, of) for each, of in _by("event_name", told).items() if each),
    )


def _line(event_name: str, told: list[Entry]) -> PastChange:
    ended = next((entry for entry in told if entry.get("kind") == "result"), {})
    error = _of(ended, "error", dict) or {}
    return PastChange(
        event_name=event_name,
        action=_word(ended, "action"),
        status=_word(ended, "status"),
        at=_moment(ended) if ended else None,
        meter_id=_word(ended, "meter_id"),
        code=_word(error, "code"),
        message=_word(error, "message"),
        requests=tuple(_requests(told)),
    )


def _requests(told: list[Entry]) -> list[PastRequest]:
    """Return every request, each with the first later entry of the same key."""
    then: dict[str, Entry] = {}
    requests: list[PastRequest] = []
    for entry in reversed(told):
        if key := _word(entry, "key"):
            if entry.get("kind") == "request":
                requests.append(_request(key, entry, then.get(key, {})))
            then[key] = entry
    return requests[::-1]


def _request(key: str, intended: Entry, then: Entry) -> PastRequest:
    said = _word(then, "result") if then.get("kind") == "response" else _word(then, "kind")
    return PastRequest(
        key=key,
        operation=_word(intended, "operation"),
        at=_moment(intended),
        n=_of(intended, "n", int),
        undoes=_of(intended, "undoes", int),
        meter_id=_word(then, "meter_id") or _word(intended, "meter_id"),
        result=said if said in _CAME else None,
        status=_of(then, "status", int),
        request_id=_word(then, "request_id"),
        attempts=_of(then, "attempts", int),
        replayed=_of(then, "replayed", bool),
        error=_word(then, "error"),
    )


def _of(entry: Entry, name: str, kind: type[T]) -> T | None:
    """Return a value of an entry; None where its type is another."""
    value = entry.get(name)
    return value if type(value) is kind else None


def _word(entry: Entry, name: str) -> str | None:
    return _of(entry, name, str)


def _moment(entry: Entry) -> float:
    value = _of(entry, "at", float) or _of(entry, "at", int) or 0
    return float(value) if 0 <= value <= LATEST else 0.0
