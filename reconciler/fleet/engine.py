"""Work on many accounts: in order or side by side, group after group, each exactly once.

A worker thread takes the next account when it is done with the last. What happens is put into one
queue, which the calling thread reads: it alone shows progress and handles signals.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from queue import SimpleQueue

from msgspec import Struct, field

from ..clock import Stopped, never
from ..diagnostics.codes import fleet as rules
from ..diagnostics.codes import service
from ..diagnostics.errors import Exit, StoppedError, select_worst
from ..diagnostics.explain_error import explain_error
from ..diagnostics.shorten import list_some
from ..model.project import Account, AccountRef
from ..report.report import AccountReport
from ..threads import block_signals, take

_MOST_NAMES = 3  # in one message

Event = Callable[[], None]
"""Something that happened in another thread, to be handled by the calling one."""


class Progress(Struct):
    """How far a run is: results by position, those that failed, the positions in progress."""

    accounts: Sequence[Account]
    results: dict[int, AccountReport] = {}
    failed: list[AccountReport] = []
    running: set[int] = field(default_factory=set)

    def collect(self) -> tuple[AccountReport, ...]:
        """Return a report of every account: what is missing was interrupted, or not begun."""
        return tuple(self._report(at) for at in range(len(self.accounts)))

    def _report(self, at: int) -> AccountReport:
        if at in self.results:
            return self.results[at]
        name = self.accounts[at].name
        if at not in self.running:
            return report_not_begun(name, "the run was interrupted", Exit.INTERRUPTED)
        diagnostics, exit_code = explain_error(KeyboardInterrupt(), {})
        return AccountReport(
            account=AccountRef(name), exit_code=exit_code, diagnostics=diagnostics, complete=False
        )


def has_failed(report: AccountReport) -> bool:
    """Whether an account failed; changes and drift that were to be found are no failure."""
    return report.exit_code not in (Exit.DONE, Exit.CHANGES)


def report_not_begun(name: str, why: str, exit_code: Exit) -> AccountReport:
    """Return the report of an account on which the work was not begun."""
    said = rules.NOT_BEGUN(f"account {name!r} was not begun: {why}")
    return AccountReport(
        account=AccountRef(name), exit_code=exit_code, diagnostics=(said,), complete=False
    )


def split_into_groups(
    accounts: Sequence[Account], groups: Iterable[Iterable[str]]
) -> Iterator[list[int]]:
    """Yield the positions of the accounts of each group, and at last of those in none.

    An account is in the first group with a pattern of its name, or of its entry's.
    """
    left = list(range(len(accounts)))
    for patterns in groups:
        listed = tuple(patterns)
        inside = [at for at in left if accounts[at].matches(listed)]
        left = sorted(set(left).difference(inside))
        if inside:
            yield inside
    if left:
        yield left


class Fleet:
    """One run over many accounts; `on_change` is called whenever one begins or ends.

    After a stop no further account is begun and none begins to write. Those that write are
    finished, those that only read are given up.
    """

    def __init__(
        self,
        accounts: Sequence[Account],
        work: Callable[[Account], AccountReport],
        *,
        concurrency: int,
        stopped: Stopped = never,
        on_change: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.progress = Progress(accounts)
        self._work = work
        self._concurrency = concurrency
        self._stopped = stopped
        self._on_change = on_change
        self._lock = threading.Lock()
        self._writing: set[str] = set()
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        self._threads = 0

    def run(self, groups: Iterable[Iterable[str]] = ()) -> tuple[AccountReport, ...]:
        """Work on every account, in the order of the groups; one report each, in their order.

        After a group in which an account failed no other one is begun. `work` must not raise.
        """
        for positions in split_into_groups(self.progress.accounts, groups):
            if failed := self.progress.failed:
                self._leave_out(positions, failed)
            elif len(positions) > 1 and self._concurrency > 1:
                self._run_side_by_side(positions)
            else:
                self._run_in_order(positions)
        return self.progress.collect()

    def post(self, event: Event) -> None:
        """Let the thread that runs the fleet handle an event; signal handlers may call this."""
        self._inbox.put(event)

    def begin_writing(self, account: str) -> None:
        """Let an account write; raise StoppedError after a stop."""
        with self._lock:
            if self._stopped():
                raise StoppedError(service.STOPPED("stopped before the first change"))
            self._writing.add(account)

    @property
    def is_writing(self) -> bool:
        """Whether an account that writes has not ended; signal handlers may ask."""
        return bool(self._writing)

    @property
    def is_side_by_side(self) -> bool:
        """Whether accounts are worked on in other threads than that of the run."""
        return self._threads > 0

    def _leave_out(self, positions: Iterable[int], failed: Sequence[AccountReport]) -> None:
        """Report accounts as not begun, with the exit code of what kept them from it."""
        names = list_some((repr(each.account.name) for each in failed), _MOST_NAMES)
        why = f"account {names} of an earlier group failed"
        worst = select_worst(each.exit_code for each in failed)
        code = Exit.FAILED if worst is Exit.PARTIAL else worst  # here nothing was written
        for at in positions:
            name = self.progress.accounts[at].name
            self.progress.results[at] = report_not_begun(name, why, code)

    def _run_in_order(self, positions: Iterable[int]) -> None:
        for at in positions:
            if self._stopped():
                return
            self._begin(at)
            self._end(at, self._work(self.progress.accounts[at]))

    def _run_side_by_side(self, positions: Sequence[int]) -> None:
        waiting = iter(positions)
        for _ in range(min(self._concurrency, len(positions))):
            self._threads += 1
            try:
                with block_signals():
                    threading.Thread(
                        target=self._take_accounts, args=(waiting,), daemon=True
                    ).start()
            except RuntimeError:  # the system has no more: those that there are do the work
                self._threads -= 1
                break
        if not self._threads:
            self._run_in_order(positions)
        while self._threads and not self._may_leave():
            if act := take(self._inbox):
                act()

    def _may_leave(self) -> bool:
        """Whether nothing is waited for: after a stop, where no account writes."""
        with self._lock:  # an account that begins to write is seen
            return self._stopped() and not self._writing

    def _take_accounts(self, waiting: Iterator[int]) -> None:
        """Work on one account after another, in a thread of its own."""
        try:
            while not self._stopped():
                with self._lock:
                    at = next(waiting, None)
                if at is None:
                    return
                self.post(partial(self._begin, at))
                self.post(partial(self._end, at, self._work(self.progress.accounts[at])))
        finally:
            self.post(self._end_thread)

    def _begin(self, at: int) -> None:
        self.progress.running.add(at)
        self._on_change(self.progress)

    def _end(self, at: int, report: AccountReport) -> None:
        progress = self.progress
        progress.results[at] = report
        progress.failed += [report] if has_failed(report) else []
        progress.running.discard(at)
        with self._lock:
            self._writing.discard(progress.accounts[at].name)
        self._on_change(progress)

    def _end_thread(self) -> None:
        self._threads -= 1
