"""Called with the progress of the work on accounts; may hold it back."""

from __future__ import annotations

from ..diagnostics.diagnostic import Diagnostic
from ..operations.make_plan import Planned
from ..report.report import ReportedChange


class Listener:
    """Called with the name of each account; this one ignores everything, and confirms every plan.

    Its methods are called by the thread that works on the account.
    """

    def show_progress(self, account: str, text: str) -> None:
        """Show what is being read of an account."""

    def keep_plan(self, planned: Planned) -> None:
        """Keep a plan that `plan` made."""

    def confirm(self, planned: Planned) -> bool:
        """Return whether a plan with changes is to be applied."""
        return True

    def begin_writing(self, account: str, changes: int) -> None:
        """Note that this many changes are now applied; raise StoppedError instead after a stop."""

    def end_writing(self, account: str) -> None:
        """Note that nothing more is sent that writes."""

    def show_result(self, account: str, change: ReportedChange) -> None:
        """Show what became of a change."""

    def begin_replacement(self, account: str, loss: Diagnostic) -> None:
        """Note what to report if the process ends before the next change has its result."""

    def trace(self, error: BaseException) -> None:
        """Show the traceback of an error, where that is wanted."""
