"""What the journal, the events and the commits say happened, as nouns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..diagnostics.errors import Exit
from ..model.project import AccountRef
from .documents import CommandResult


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRequest:
    """One request as the journal has it. `at` is when it was intended, in Unix seconds.

    `result` is `confirmed`, `rejected`, `indeterminate` or `not_sent`; None where nothing readable
    was written down after the intention: the run was killed, or is still at it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChange:
    """What was done about one event_name; a `status` of None means that no outcome was written.

    `at` is when the outcome was written down, in Unix seconds.
    """

    event_name: str
    action: str | None = None
    status: str | None = None
    at: float | None = None
    meter_id: str | None = None
    code: str | None = None
    message: str | None = None
    requests: tuple[PastRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One apply on one account. Without `ended` it was killed, or is still going on."""

    run: str
    account: AccountRef
    began: float
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
    """Who tells of a moment."""

    JOURNAL = "journal"
    EVENT = "event"
    COMMIT = "commit"


class DeclarationChange(StrEnum):
    """What a commit did to a declaration."""

    DECLARED = "declared"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCommit:
    """A commit that changed a declaration: `commit` is its full hash, `at` the committer's time.

    `keys` are those of the entry that it changed, `files` where the entry stood, within the
    project.
    """

    commit: str
    at: float
    author: str
    subject: str
    turn: DeclarationChange
    keys: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of a time line: when (Unix seconds), who tells of it, what happened, who did it.

    `kind` is for programs: an operation or an action, the type of an event, a `DeclarationChange`.
    `what`, `note` and `who` are for people; `origin` is an `Origin`, None where there is none.
    `event_ids` are the events that tell of it too.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class History(CommandResult):
    """What `history` has to say: runs, oldest first, and what could not be read.

    `meter` is the event_name that was asked about, and `timeline` what happened to it, oldest
    first; None for all of them. Its exit code is that of the worst source; a torn line, or a
    source that is not there, is no failure.
    """

    runs: tuple[PastRun, ...] = ()
    meter: str | None = None
    timeline: tuple[Moment, ...] | None = None

    @property
    def complete(self) -> bool:
        """Whether all that was asked could be read."""
        return not self.diagnostics and self.own_exit is Exit.DONE


def came_of(request: PastRequest) -> str:
    """What came of a request, as a phrase."""
    status = f" ({request.status})" if request.status else ""
    many = f", {request.attempts} tries" if (request.attempts or 1) > 1 else ""
    old = ", an old answer" if request.replayed else ""
    return f"{_CAME[request.result]}{status}{many}{old}"


_CAME = {
    None: "no answer was written down",
    "confirmed": "done",
    "rejected": "rejected",
    "indeterminate": "unknown effect",
    "not_sent": "not sent",
}
