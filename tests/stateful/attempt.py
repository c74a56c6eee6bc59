"""One run of a client: its input, its report, and the requests that reached the account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from builders.emulated import Context, allowed_requests
from builders.fake_account import MemoryJournal
from stateful.ledger import Event, held, history

from reconciler.diagnostics.errors import ReconcilerError
from reconciler.emulator import Entry, Reached, Server, Settings
from reconciler.execution.protocol import Meters
from reconciler.execution.steps import read_key
from reconciler.model.change import Action, Change
from reconciler.model.project import Policy
from reconciler.operations.apply_plan import OnRefused, apply_plan
from reconciler.operations.make_plan import Planned, make_plan
from reconciler.operations.revalidate import revalidate
from reconciler.operations.session import Session
from reconciler.planning.plan import Plan
from reconciler.planning.plan_file import dump_plan, load_plan
from reconciler.report.report import AccountReport, ReportedChange


class Killed(BaseException):
    """The process is gone: not even an `except Exception` runs."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan in a file; how much had happened, and what was allowed, when it was made."""

    text: str
    happened: int
    policy: Policy

    @property
    def plan(self) -> Plan:
        """The plan, as another job loads it."""
        return load_plan(self.text, "plan.json")


def save(it: Context) -> Saved:
    """A plan of now, in a file."""
    return Saved(dump_plan(it.plan().plan), len(history(it)), it.account.policy)


class Attempt:
    """A run, from its first look at the account to its report, its error or its death.

    It applies a saved plan, or makes one. `calm` says that no other client interferes, and that
    what fails does so once; `crossed` that another client applies a plan meanwhile, `shared` that
    it is the very same plan.
    `acted` is how many of its requests had been answered when another client interfered, `decided`
    when it knew what to do.
    """

    def __init__(
        self, it: Context, saved: Saved | None = None, refusals: OnRefused = OnRefused.SKIP
    ) -> None:
        self.it, self.saved, self.refusals = it, saved, refusals
        self.plan: Plan | None = saved.plan if saved else None
        self.policy = it.account.policy
        self.outdated = bool(self.plan) and not self._current(self.plan)
        self.killed = self.signalled = self.calm = self.crossed = self.shared = False
        self.calls_left: int | None = None  # until a second signal ends the process
        self.first, self.decided, self.acted = 0, 0, -1
        self.pages = MemoryJournal()
        self.may: set[tuple[str, str, str]] = set()
        self.report: AccountReport | None = None
        self.error: ReconcilerError | None = None
        self.events: tuple[Event, ...] = ()
        self.entries: tuple[Entry, ...] = ()

    def go(self) -> None:
        """Decide what to do and do it, as far as it comes."""
        happened, self.first = len(history(self.it)), len(self.it.server.log)
        try:
            with self.it.session(stopped=lambda: self.signalled) as session:
                session.meters = Mortal(session.meters, self)
                planned = self._decide(session)
                self.decided = self._answered()
                self.plan, self.may = planned.plan, allowed_requests(planned)
                more = {"on_refused": self.refusals, "journal": self.pages}
                report = apply_plan(planned, session, **more)
                self.report = None if self.killed else report
        except ReconcilerError as error:
            self.error = error
        except Killed:
            assert self.killed
        self.events = tuple(history(self.it)[happened:])
        self.entries = tuple(self.it.server.log)[self.first :]

    def count_call(self) -> None:
        """End the process once the calls between two signals have returned."""
        if self.calls_left is not None:
            self.calls_left -= 1
            self.killed = self.killed or self.calls_left <= 0

    def interfere(self) -> None:
        """Another client acts now."""
        self.acted = self._answered()

    def _answered(self) -> int:
        return len(self.it.server.log) - self.first

    def _decide(self, session: Session) -> Planned:
        if self.saved:
            return revalidate(self.saved.plan, session)
        return make_plan(self.it.project, session)

    def _current(self, plan: Plan) -> bool:
        """Whether a saved plan is young, and each of its lines as it was read, or as wanted."""
        age = self.it.clock.now() - plan.created_at
        writing = (line for line in plan.changes if line.action.writes)
        return age <= self.policy.max_plan_age and all(
            is_in_place(line, self.it)
            or {m.id: m for m in line.existing_meters}
            == {m.id: m for m in held(self.it, line.event_name)}
            for line in writing
        )

    @property
    def settings(self) -> Settings:
        """How the account behaves where the API is not known."""
        return self.it.server.state.settings

    @property
    def changes(self) -> list[ReportedChange]:
        """The lines that would write, with their outcomes."""
        assert self.report
        return [line for line in self.report.changes if line.change.action.writes]

    @property
    def posts(self) -> list[Entry]:
        """What this run sent that writes; what the other job with the same plan sent as well."""
        return [each for each in self.entries if each.method == "POST" and self.ours(each.key)]

    @property
    def effects(self) -> list[Event]:
        """What its requests have brought about."""
        return [event for event in self.events if self.ours(event.key)]

    @property
    def touched(self) -> set[str]:
        """The names that another client changed meanwhile."""
        return {e.name for e in self.events if self.shared or not self.ours(e.key)}

    def ours(self, key: str | None) -> bool:
        """Whether a request was made for the plan of this run."""
        parts = read_key(key or "")
        return bool(parts and self.plan and parts.plan_id == self.plan.plan_id)

    def taken(self, line: Change) -> bool:
        """Whether it makes a meter under a name that an inactive one may occupy for ever."""
        makes = line.action is Action.CREATE or (
            line.action is Action.REPLACE and not line.reactivates
        )
        return makes and bool(line.existing_meters) and self.settings.name_scope == "all"


class Mortal:
    """The meters of a session whose process may be killed: after that, nothing is called."""

    def __init__(self, meters: Meters, attempt: Attempt) -> None:
        self.meters, self.attempt = meters, attempt

    def ignoring_stop(self) -> Mortal:
        """A signal is not heeded any more; death is."""
        return Mortal(self.meters.ignoring_stop(), self.attempt)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.meters, name)

        def alive(*arguments: Any) -> Any:
            if self.attempt.killed:
                raise Killed
            answer = call(*arguments)
            self.attempt.count_call()
            if self.attempt.killed:
                raise Killed
            return answer

        return alive


def is_in_place(line: Change, it: Context) -> bool:
    """Whether a name is in the account as its line wants it."""
    active = [existing.meter for existing in held(it, line.event_name) if existing.active]
    wanted = line.desired and line.desired.status == "active"
    return active == ([line.desired.meter] if line.desired and wanted else [])


@contextmanager
def at_moment(server: Server, moment: str, act: Callable[[], None]) -> Iterator[None]:
    """Call `act` at a moment of the run inside; what it raises is raised at the end.

    A moment is `3 before` or `3 after`: the effect of the third request, not yet answered.
    """
    number, phase = moment.split()
    first, wrong = server.state.number, []

    def reached(now: Reached) -> None:
        if (now.number - first, now.phase) == (int(number), phase):
            server.reached = lambda _: None
            try:
                act()
            except BaseException as error:
                wrong.append(error)

    server.reached = reached
    yield
    server.reached = lambda _: None
    if wrong:
        raise wrong[0]
