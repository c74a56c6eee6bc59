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
    """Whether the run has been told to stop; asked before every request.

    At first a signal raises KeyboardInterrupt in the main thread. From the first request that
    writes until the report is out it only sets the flag, so that nothing goes unreported.
    """

    def __init__(self) -> None:
        self._signals = itertools.count()  # `next` is atomic: handlers may interrupt each other
        self._heard = False
        self._told: Callable[[], None] | None = None
        self.writing = False

    def __call__(self) -> bool:
        """Whether a signal was heard."""
        return self._heard

    def only_told(self, on_result: Callable[[], None] | None = None) -> None:
        """From now on the first signal interrupts nothing; while a run writes it calls `told`."""
        self._told = on_result or (lambda: None)
        self.writing = on_result is not None

    def interrupts(self) -> None:
        """From now on the first signal raises KeyboardInterrupt, as one heard before does now."""
        self._told = None
        if self():
            raise KeyboardInterrupt

    def _first(self) -> None:
        self._heard = True
        if self._told is None:
            raise KeyboardInterrupt
        self._told()

    @contextmanager
    def listening(self, last_words: Callable[[], None]) -> Iterator[None]:
        """Handle the signals; `last_words` are spoken when the second one ends the process.

        A terminal that goes away may send SIGHUP several times: it never counts as the second,
        and nothing happens where it is ignored (`nohup`). In another thread than the main one,
        where Python hears no signals, this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def heard(number: int, _frame: FrameType | None) -> None:
            if next(self._signals) == 0:
                self._first()
            elif number != signal.SIGHUP:
                try:
                    last_words()
                finally:
                    os._exit(Exit.INTERRUPTED)

        lost = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
        before = {n: signal.signal(n, heard) for n in (signal.SIGINT, signal.SIGTERM, *lost)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
