"""Announce the progress of requests to another process, and pause at chosen moments."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterable
from typing import TextIO

from .errors import SettingError
from .messages import Phase
from .server import Reached

Moment = tuple[int, Phase]


def parse_moment(word: str) -> Moment:
    """Parse `7:before` or `7:after`: a request's number and a side of its effect."""
    if found := re.fullmatch(r"(\d+):(before|after)", word, re.ASCII):
        return int(found[1]), Phase(found[2])
    raise SettingError(f"{word!r} is not a moment: write it as 7:before or 7:after")


class Announcer:
    """A `reached` hook that writes `reached 7 before POST /v1/billing/meters` lines to `out`.

    At the moments in `holds` the emulator pauses, with all its requests, until a line of any
    text or the end of `signals` is read.
    """

    def __init__(self, out: TextIO, signals: TextIO, holds: Iterable[Moment] = ()) -> None:
        self._out = out
        self._signals = signals
        self._holds = frozenset(holds)
        self._lock = threading.Lock()

    def __call__(self, moment: Reached) -> None:
        """Announce one moment; a closed pipe is ignored."""
        request = moment.request
        line = f"reached {moment.number} {moment.phase} {request.method} {request.path}\n"
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._out.write(line)
            self._out.flush()
            if (moment.number, moment.phase) in self._holds:
                self._signals.readline()
