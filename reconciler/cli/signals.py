"""Ctrl-C, SIGTERM and SIGHUP: the first asks the run to stop, the second ends it at once."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ..diagnostics.errors import Exit


class Stop:
    """Whether a signal has asked the run to stop; checked before every request.

    At first a signal raises KeyboardInterrupt in the main thread. From the first request that
    writes until the report is out it only sets the flag, so that nothing goes unreported.
    """

    def __init__(self) -> None:
        self._signals = itertools.count()  # `next` is atomic: handlers may interrupt each other
        self._received = False
        self._notify: Callable[[], None] | None = None
        self.writing = False

    def __call__(self) -> bool:
        """Whether a signal was received."""
        return self._received

    def defer(self, notify: Callable[[], None] | None = None) -> None:
        """Only set the flag on the first signal; while a run writes, call `notify` too."""
        self._notify = notify or (lambda: None)
        self.writing = notify is not None

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
    def listening(self, before_exit: Callable[[], None]) -> Iterator[None]:
        """Handle the signals; `before_exit` is called when the second one ends the process.

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
                try:
                    before_exit()
                finally:
                    os._exit(Exit.INTERRUPTED)

        hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
        before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM, *hangup)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
