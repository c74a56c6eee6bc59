"""What a verb is to the command line: its words, its help, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from ..clock import Clock
from ..render import FORMATS, Document
from ..report.report import AccountReport
from .arguments import Parser, W
from .console import Console
from .signals import Stop


@dataclass(frozen=True, slots=True)
class Context:
    """All that a verb may ask of the world besides files and the network.

    `announce` says the document now, for a verb that goes on after it; `preview` shows a plan
    before somebody is asked about it; `trace` shows the traceback of an error to whoever asked
    for it.
    """

    console: Console
    environ: Mapping[str, str]
    clock: Clock
    stop: Stop
    announce: Callable[[Document], None]
    preview: Callable[[AccountReport], None]
    trace: Callable[[BaseException], None]


PLAIN = ("text", "json")
"""The formats of a document that is no report."""


@dataclass(frozen=True, slots=True)
class Command(Generic[W]):
    """One verb: `words` are read by a parser that `options` has prepared, `act` does the work.

    `formats` are those that its document can have; every error has a document in all of them.
    """

    options: type[W]
    about: str
    add_options: Callable[[Parser], None]
    act: Callable[[W, Context], Document]
    formats: tuple[str, ...] = FORMATS
