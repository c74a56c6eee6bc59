"""What happened to an account and its meters: runs, changes, requests, commits, moments."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ..diagnostics.errors import Exit
from ..model.project import AccountRef
from .result import CommandResult


class PastRequest(Struct, frozen=True, kw_only=True):
    """One request as the journal has it. `at` is when it was announced, in Unix seconds.

    `result` is `confirmed`, `rejected`, `indeterminate` or `not_sent`; None where no readable
    answer follows in the journal: the run was killed, or is still running.
    """

    key: str
    operation: str | None = None
    at: float = 0.0
    n: int | None = None
    undoes: int | None = None
    meter_id: str | None = None
    result: str | None = None
    status: int | None = None
    request_id: str | None = None
    attempts: int | None = None
    replayed: bool | None = None
    error: str | None = None


class PastChange(Struct, frozen=True, kw_only=True):
    """What a run did about one event_name. Without a result, `status` and `at` are None.

    `at` is when the result was recorded, in Unix seconds.
    """

    event_name: str
    action: str | None = None
    status: str | None = None
    at: float | None = None
    meter_id: str | None = None
    code: str | None = None
    message: str | None = None
    requests: tuple[PastRequest, ...] = ()


class PastRun(Struct, frozen=True, kw_only=True):
    """One apply on one account; opening the journal sets `run`, its id, and `began`.

    Without `ended` it was killed, or is still running.
    """

    run: str = ""
    account: AccountRef
    began: float = 0.0
    ended: float | None = None
    exit_code: int | None = None
    plan_id: str | None = None
    plan_hash: str | None = None
    commit: str | None = None
    user: str | None = None
    job: str | None = None
    tool_version: str | None = None
    changes: tuple[PastChange, ...] = ()


class Source(StrEnum):
    """Where a moment is known from."""

    JOURNAL = "journal"
    EVENT = "event"
    COMMIT = "commit"


class DeclarationChange(StrEnum):
    """What a commit did to the lines with an event_name."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class PastCommit(Struct, frozen=True, kw_only=True):
    """A commit that changed lines with an event_name.

    `commit` is its full hash, `at` the committer's time, `files` are relative to the project.
    """

    commit: str
    at: float
    author: str
    subject: str
    turn: DeclarationChange
    files: tuple[str, ...] = ()


class Moment(Struct, frozen=True, kw_only=True):
    """One entry of a time line: when (Unix seconds), the source, what happened, who did it.

    `kind` is for programs: an operation or an action, the type of an event, a `DeclarationChange`.
    `what`, `note` and `who` are for people; `origin` is an `Origin`, None where there is none.
    `event_ids` are the events that confirm it.
    """

    at: float
    source: Source
    kind: str
    what: str
    who: str
    note: str | None = None
    origin: str | None = None
    account: str | None = None
    meter_id: str | None = None
    request_id: str | None = None
    plan_id: str | None = None
    commit: str | None = None
    event_ids: tuple[str, ...] = ()


class History(CommandResult, frozen=True, kw_only=True):
    """The result of `history`: runs, oldest first, and what could not be read.

    With `--meter`, `meter` is that event_name, `timeline` what happened to it, oldest first, and
    `similar` a known event_name to suggest where nothing did. `others` counts the runs on accounts
    that were not selected. The exit code is that of the worst source; a damaged journal entry, or
    a missing source, is no failure.
    """

    runs: tuple[PastRun, ...] = ()
    meter: str | None = None
    timeline: tuple[Moment, ...] | None = None
    similar: str | None = None
    others: int = 0

    @property
    def complete(self) -> bool:
        """Whether every source could be read."""
        return not self.diagnostics and self.own_exit is Exit.DONE


def describe_request(request: PastRequest) -> str:
    """Describe what came of a request."""
    status = f" ({request.status})" if request.status and request.result != "confirmed" else ""
    many = f", {request.attempts} attempts" if (request.attempts or 1) > 1 else ""
    old = ", a replayed response" if request.replayed else ""
    denied = (request.result, request.status) == ("rejected", 403)
    why = " for a missing permission" if denied else ""
    return f"{RESULTS[request.result]}{why}{status}{many}{old}"


RESULTS = {
    None: "no response recorded",
    "confirmed": "done",
    "rejected": "rejected",
    "indeterminate": "effect unknown",
    "not_sent": "not sent",
}
