"""Ctrl-C, SIGTERM and SIGHUP: the first asks the run to stop, the second ends it at once.

Either way standard output gets one document: where it is being written when the second signal
arrives, its reader has a few seconds to take the rest.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ..clock import never
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit
from ..threads import STOP_SIGNALS

TYPE_CHECKING = False  # as in the package
if TYPE_CHECKING:
    from ..report.report import Report

_SOON = 0.001  # seconds
_LAST_SECONDS = 5.0  # for a document that is being written when the second signal arrives


def hold_signals() -> None:
    """Hold every signal back until `Stop.listening`, and again after it: none gets lost between."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def keep_report(report: Report) -> Report:
    """Return the report as it is: nothing is known of accounts."""
    return report


def find_interruption(error: Exception) -> Exception | KeyboardInterrupt:
    """Return the KeyboardInterrupt that a SystemError hides, else the error.

    Where two signals arrive at once, Python 3.11 may call the handler for the second one with the
    exception of the first set; the first call of a builtin raises a SystemError from it then.
    """
    hidden = error.__cause__ if isinstance(error, SystemError) else None
    return hidden if isinstance(hidden, KeyboardInterrupt) else error


class Stop:
    """Whether a signal has asked the run to stop; checked before every request.

    A signal raises KeyboardInterrupt in the main thread from `raise_on_signal` on. From the first
    request that writes until the report is out it only sets the flag, so that nothing goes
    unreported.
    """

    def __init__(self) -> None:
        self._signals = itertools.count()  # `next` is atomic: handlers may interrupt each other
        self._received = False
        self._notify: Callable[[], None] | None = lambda: None
        self._reporting = self._ending = False
        self.is_writing: Callable[[], bool] = never
        # To report if the second signal ends the run now: by account, and the accounts.
        self.losses: dict[str, Diagnostic] = {}
        self.complete: Callable[[Report], Report] = keep_report

    def __call__(self) -> bool:
        """Whether a signal was received."""
        return self._received

    def defer(self, notify: Callable[[], None] | None = None) -> None:
        """Only set the flag on the first signal, and call `notify`."""
        self._notify = notify or (lambda: None)

    def begin_report(self) -> None:
        """Let signals pass until the document is written."""
        self.defer()
        self._reporting = True

    def raise_on_signal(self) -> None:
        """Raise KeyboardInterrupt on the first signal, at once if it has been received."""
        self._notify = None
        if self():
            raise KeyboardInterrupt

    def _receive(self) -> None:
        self._received = True
        if self._notify is None:
            raise KeyboardInterrupt
        self._notify()

    @contextmanager
    def listening(
        self, before_exit: Callable[[], None], is_written: Callable[[], bool]
    ) -> Iterator[None]:
        """Handle the signals; `before_exit` is called when the second one ends the process.

        While a report is being written the second one leaves it some seconds, unless `is_written`.

        A closed terminal may send SIGHUP several times: it never counts as the second signal, and
        is left alone where it is ignored (`nohup`). Only the main thread can handle signals; in
        another one this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handle(number: int, _frame: FrameType | None) -> None:
            if next(self._signals) == 0:
                self._receive()
            elif number != signal.SIGHUP:
                self._end(before_exit, is_written)

        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        handled = [each for each in STOP_SIGNALS if each is not signal.SIGHUP or not ignored]
        before = {each: signal.signal(each, handle) for each in handled}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._handle_alarm)
        held = signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        try:
            with _setting_alarm_where_ignored():
                yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if not held:  # else the process ends: a thread that hangs may still get a signal
                for each, handler in before.items():
                    signal.signal(each, handler)

    def _end(self, before_exit: Callable[[], None], is_written: Callable[[], bool]) -> None:
        """End the process after its document; a signal amid the writing lets it go on."""
        if is_written():
            _exit()
        if not self._ending:
            self._ending = True
            signal.setitimer(signal.ITIMER_REAL, _LAST_SECONDS)
        if self._reporting:
            return
        self._reporting = True
        try:
            before_exit()
        finally:
            _exit()

    def _handle_alarm(self, *_: object) -> None:
        """End the process where its time is over, else receive the first signal again."""
        if self._ending:
            _exit()
        self._receive()


@contextmanager
def _setting_alarm_where_ignored() -> Iterator[None]:
    """Set the alarm where Python ignores a KeyboardInterrupt: an import has callbacks that do."""
    report = sys.unraisablehook

    def handle(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _SOON)
        else:
            report(unraisable)

    sys.unraisablehook = handle
    try:
        yield
    finally:
        sys.unraisablehook = report


def _exit(*_: object) -> None:
    os._exit(Exit.INTERRUPTED)
